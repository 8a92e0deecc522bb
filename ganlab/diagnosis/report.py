"""Report of a diagnosis as a page, as Markdown and as JSON.

`report.json` is for programs, `report.md` for a terminal or a pull request, and
`report.html` holds its pictures and needs no network. The verdict comes first,
then what to change, then the evidence.
"""

import json
from pathlib import Path

from ganlab.diagnosis import html
from ganlab.diagnosis.examine import Report, examine
from ganlab.diagnosis.markdown import as_markdown, compare
from ganlab.files import write_text
from ganlab.runs import RunFolder

__all__ = ["Report", "as_markdown", "compare", "examine", "write"]


def write(report: Report, directory: Path | str) -> Path:
    """Writes the report as HTML, Markdown and JSON.

    Args:
        report: A `Report`.
        directory: Where the files go.

    Returns:
        The `Path` of the HTML page.
    """
    folder = RunFolder(directory)
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    write_text(folder.report("json"), text)
    write_text(folder.report("md"), as_markdown(report))
    write_text(folder.report("html"), html.draw(report))
    return folder.report("html")
