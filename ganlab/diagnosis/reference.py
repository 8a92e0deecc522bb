"""The reference of findings in Markdown, made from the rules' own bounds."""

from ganlab.config.command import as_assignments
from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.rules import RULES
from ganlab.diagnosis.rules.rule import Rule


def findings_table() -> str:
    """Returns a table of every finding.

    A row has the finding's name, its severities, and the signals with the thresholds
    past which it fires. The name is a link to its section of `findings_sections`.
    """
    lines = ["| finding | severity | fires where |", "|---|---|---|"]
    for rule in RULES:
        link = f"[`{rule.name}`](#{rule.name})"
        severities = " or ".join(rule.severities)
        lines.append(f"| {link} | {severities} | {conditions(rule)} |")
    return "\n".join(lines)


def findings_sections() -> str:
    """Returns a section for each finding: theory, threshold, remedy and source."""
    return "\n".join(_section(rule) for rule in RULES)


def conditions(rule: Rule) -> str:
    """Returns where a rule fires, as a clause."""
    alternatives = (
        " and ".join(str(bound) for bound in bounds) for bounds in rule.alternatives
    )
    return "; or ".join(alternatives)


def _section(rule: Rule) -> str:
    failure = FAILURES[rule.name]
    settings = as_assignments(failure.changes or {}).split()
    options = ", ".join(f"`{setting}`" for setting in settings)
    lines = [
        f"({rule.name})=",
        f"## {failure.title[0].upper()}{failure.title[1:]}",
        "",
        failure.why,
        "",
        f"- Finding: `{rule.name}`, {' or '.join(rule.severities)}.",
        f"- Fires where {conditions(rule)}.",
        f"- Remedy: {failure.remedy}",
        *([f"- Settings: {options}."] if options else []),
        f"- Source: <{failure.source}>",
        "",
    ]
    return "\n".join(lines)
