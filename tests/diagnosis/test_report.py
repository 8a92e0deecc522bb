"""A report is written in three forms."""

import json

from ganlab.diagnosis import report


def test_three_files_tell_the_same(run_folder, tmp_path):
    examined = report.examine(run_folder)
    page = report.write(examined, tmp_path / "new")
    assert page == tmp_path / "new" / "report.html"
    assert examined.verdict in page.read_text()
    assert examined.verdict in page.with_suffix(".md").read_text()
    kept = json.loads(page.with_suffix(".json").read_text())
    assert kept == json.loads(json.dumps(examined.as_dict()))
