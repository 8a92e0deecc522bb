"""Reports as Markdown: of one run, and of two side by side."""

from ganlab.config.command import as_assignments
from ganlab.diagnosis import trials
from ganlab.diagnosis.examine import Report
from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.findings import Finding
from ganlab.text import printable


def as_markdown(report: Report) -> str:
    """The report of one run."""
    lines = [f"# {report.log.source}", "", f"**{report.verdict}**", ""]
    if report.best is not None:
        lines += [f"Best checkpoint: {report.best_text}.", ""]
    if report.command:
        lines += ["What to change:", "", "```bash", report.command, "```", ""]
    for finding in report.findings:
        lines += _finding_lines(finding)
    lines += _trial_lines(report)
    if report.quality:
        quality = report.quality.replace("# Quality", "## Quality").rstrip()
        lines += [*quality.splitlines(), ""]
    lines += ["## Timeline", "", "| step | what |", "|---|---|"]
    lines += [f"| {step:,} | {text} |" for step, text in report.timeline()]
    lines += ["", *(f"*{problem}*" for problem in report.log.problems)]
    return "\n".join(map(printable, lines)).rstrip() + "\n"


def _finding_lines(finding: Finding) -> list[str]:
    changes = f" (`{as_assignments(finding.changes)}`)" if finding.changes else ""
    return [
        f"## {finding.failure.title} ({finding.severity})",
        "",
        f"`{finding.name}`, since step {finding.since_step:,}, confidence "
        f"{finding.confidence:.2f}",
        "",
        *(f"- {evidence['says']}" for evidence in finding.evidence),
        "",
        finding.failure.why,
        "",
        f"**Remedy:** {finding.failure.remedy}{changes}",
        "",
    ]


def _trial_lines(report: Report) -> list[str]:
    if not report.trials:
        return []
    lines = ["## Remedies tried", "", _row(*trials.COLUMNS), "|---" * 7 + "|"]
    for trial in report.trials:
        cells = trials.cells(trial, report.fid_name)
        if trial["kept"]:
            cells[0] += " **kept**"
        lines.append(_row(*cells))
    return [*lines, "", trials.NOTE, ""]


def compare(first: Report, second: Report) -> str:
    """The differences between two runs.

    Args:
        first: A `Report`.
        second: Another.
    """
    reports = (first, second)
    names = [str(report.log.source) for report in reports]
    lines = [f"# {names[0]} and {names[1]}", "", _row("", *names), "|---|---|---|"]
    lines.append(_row("verdict", *(report.verdict for report in reports)))
    lines.append(_row("best", *(report.best_text for report in reports)))
    findings = [
        {finding.name: finding for finding in report.findings} for report in reports
    ]
    for name in dict.fromkeys([*findings[0], *findings[1]]):
        cells = (_since(by_name.get(name)) for by_name in findings)
        lines.append(_row(FAILURES[name].title, *cells))
    settings = [report.log.settings for report in reports]
    for name in dict.fromkeys([*settings[0], *settings[1]]):
        values = [setting.get(name) for setting in settings]
        if values[0] != values[1]:
            lines.append(_row(f"`{name}`", *(f"`{value}`" for value in values)))
    return "\n".join(map(printable, lines)) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells).lstrip()} |"


def _since(finding: Finding | None) -> str:
    if finding is None:
        return "no"
    return f"{finding.severity}, since {finding.since_step:,}"
