"""Remedies that were tried, as texts for reports.

A trial is a dict as `ganlab.runs.RunFolder.read_trials` returns it.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ganlab.config.command import as_assignments
from ganlab.diagnosis.remedy_scores import Ratio
from ganlab.metrics.resampling import format_number

COLUMNS = (
    "remedy of",
    "settings",
    "steps",
    "score",
    "ratio to no change [95 %]",
    "verdict",
    "findings left",
)
NOTE = (
    "A score is the geometric mean over seeds and the last quarter of each branch. A "
    "remedy cures if the ratio's interval lies below 1 and its finding is gone. "
    "Without an interval, findings alone are judged."
)


def cells(trial: Mapping[str, Any], fid_name: str) -> list[str]:
    """A trial as one text for each of `COLUMNS`.

    Args:
        trial: The trial.
        fid_name: FID's displayed name.
    """
    steps = trial["steps"]
    return [
        trial["name"],
        as_assignments(trial["changes"]),
        "" if steps is None else f"{steps:,}",
        _score(trial, fid_name),
        _ratio(trial),
        _verdict(trial),
        _findings(trial) or "none",
    ]


def sentence(trial: Mapping[str, Any], fid_name: str) -> str:
    """A trial in one line.

    Args:
        trial: The trial.
        fid_name: FID's displayed name.
    """
    verdict, ratio = _verdict(trial), _ratio(trial)
    parts = [verdict] if verdict else []
    parts.append(_score(trial, fid_name))
    if ratio:
        parts.append(f"{ratio} of no change")
    if trial["steps"] is not None:
        parts.append(f"{trial['steps']:,} steps, {len(trial['branches'])} seeds")
    if trial["kept"]:
        parts.append("kept")
    return f"{trial['name']}: {'; '.join(parts)}"


def _score(trial: Mapping[str, Any], fid_name: str) -> str:
    score = trial["score"]
    if score is None:
        return "no score"
    name = "JS" if trial["score_name"] == "js" else fid_name
    return f"{name} {format_number(score)}"


def _ratio(trial: Mapping[str, Any]) -> str:
    return "" if trial["ratio"] is None else str(Ratio(**trial["ratio"]))


def _verdict(trial: Mapping[str, Any]) -> str:
    verdict = trial["verdict"]
    if verdict is None:
        return ""
    return verdict if trial["ratio"] else f"{verdict}, by findings alone"


def _findings(trial: Mapping[str, Any]) -> str:
    """The findings, each with the number of its branches where not all have it."""
    branches = trial["branches"]
    counts = Counter(name for branch in branches for name in branch["findings"])
    return ", ".join(
        name if count == len(branches) else f"{name} ({count} of {len(branches)})"
        for name, count in counts.items()
    )
