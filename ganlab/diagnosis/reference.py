"""The reference table of findings, made from the rules' own bounds."""

from ganlab.config.command import as_assignments
from ganlab.diagnosis.findings import FAILURES
from ganlab.diagnosis.rules import RULES
from ganlab.diagnosis.rules.rule import Rule


def findings_table() -> str:
    """Returns every finding as a Markdown table.

    A row has the finding's name, title, severities, the signals with the thresholds
    past which it fires, the remedy in words, and the settings that do it.
    """
    lines = [
        "| name | title | severity | fires where | remedy | settings |",
        "|---|---|---|---|---|---|",
    ]
    for rule in RULES:
        failure = FAILURES[rule.name]
        settings = as_assignments(failure.changes or {})
        cells = (
            f"`{rule.name}`",
            failure.title,
            " or ".join(rule.severities),
            _conditions(rule),
            failure.remedy,
            " ".join(f"`{setting}`" for setting in settings.split()),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _conditions(rule: Rule) -> str:
    alternatives = (
        " and ".join(str(bound) for bound in bounds) for bounds in rule.alternatives
    )
    return "; or ".join(alternatives)
