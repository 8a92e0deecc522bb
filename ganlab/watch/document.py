"""A report as the live page takes it: JSON values, curves thinned, progress."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ganlab.config.command import as_assignments
from ganlab.diagnosis.evidence import GRACE_STEPS
from ganlab.diagnosis.examine import Report
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import ENDINGS, Log, Series
from ganlab.diagnosis.panels import Panel, evidence_panel, overview, thinned

CURVE_POINTS = 240
TIMELINE_ENTRIES = 200
PACE_SECONDS = 60.0  # over which the pace is measured
OF_THE_END = {"undertrained"}  # findings that say nothing before it


def describe(report: Report, pictures: Iterable[int] = ()) -> dict[str, Any]:
    """The report as JSON values.

    Args:
        report: A `ganlab.diagnosis.report.Report`.
        pictures: Steps that there are sample grids of, ascending.
    """
    log = report.log
    state = ending(log)
    if state is None:
        going_on = [f for f in report.findings if f.name not in OF_THE_END]
        report = replace(report, findings=going_on)
    judged = bool(log.series) and not log.not_judged
    return {
        "state": state,
        "verdict": report.verdict,
        "early": _early(report) if state is None else "",
        "tone": report.severity or ("healthy" if judged else "unjudged"),
        "progress": progress(log),
        "findings": [_finding(log, finding) for finding in report.findings],
        "command": report.command,
        "best": report.best_text,
        "pictures": list(pictures),
        "groups": [
            {"title": title, "panels": [_panel(panel) for panel in panels]}
            for title, panels in overview(log, report.fid_name).items()
        ],
        "timeline": report.timeline()[-TIMELINE_ENTRIES:],
        "problems": log.problems,
    }


def ending(log: Log) -> str | None:
    """How the run ended, one of `ENDINGS`, or `None` while it may go on.

    Logs of older versions do not say so; their runs finished with the last step.
    """
    if log.ending is not None:
        return log.ending
    steps = _steps_in_all(log)
    return ENDINGS[0] if steps is not None and log.last_step >= steps else None


def progress(log: Log) -> dict[str, Any]:
    """Steps, pace and times of a run.

    Returns:
        A dict of `step`; `steps` in all, `rate` in steps a second, `seconds` gone by
        and `seconds_left`, each `None` where it is not known.
    """
    steps, rate = _steps_in_all(log), pace(log.seconds)
    left = None if steps is None or rate is None else (steps - log.last_step) / rate
    seconds = None if log.seconds is None else log.seconds.finite().values
    return {
        "step": log.last_step,
        "steps": steps,
        "rate": rate,
        "seconds": float(seconds[-1]) if seconds is not None and len(seconds) else None,
        "seconds_left": None if left is None else max(left, 0.0),
    }


def pace(seconds: Series | None) -> float | None:
    """Steps a second over the last minute, or `None` where that is not known.

    What was logged before the clock went back, at a rollback, does not count.

    Args:
        seconds: Seconds gone by, by step.
    """
    if seconds is None:
        return None
    seconds = seconds.finite()
    times = seconds.values
    backwards = np.flatnonzero(np.diff(times) < 0)
    start = int(backwards[-1]) + 1 if len(backwards) else 0
    if len(times) - start < 2:
        return None
    recent = int(np.searchsorted(times[start:], times[-1] - PACE_SECONDS)) + start
    first = min(recent, len(times) - 2)
    elapsed = float(times[-1] - times[first])
    if elapsed <= 0:
        return None
    return float(seconds.steps[-1] - seconds.steps[first]) / elapsed


def _early(report: Report) -> str:
    """A caution with findings of the first steps; of other logs these may be epochs."""
    log = report.log
    if log.foreign or log.last_step >= GRACE_STEPS or not report.serious:
        return ""
    return (
        f"Early: in its first {GRACE_STEPS:,} steps a healthy run often looks like a "
        "failing one."
    )


def _steps_in_all(log: Log) -> int | None:
    steps = log.settings.get("steps")
    known = isinstance(steps, int) and not isinstance(steps, bool) and steps > 0
    return steps if known else None


def _finding(log: Log, finding: Finding) -> dict[str, Any]:
    panel = evidence_panel(log, finding)
    return finding.as_dict() | {
        "evidence": [evidence["says"] for evidence in finding.evidence],
        "remedy": finding.failure.remedy,
        "changes": as_assignments(finding.changes),
        "panel": None if panel is None else _panel(panel),
    }


def _panel(panel: Panel) -> dict[str, Any]:
    curves = []
    for curve in panel.curves:
        series = thinned(curve.series, CURVE_POINTS)
        values = [float(f"{value:.5g}") for value in series.values]
        curves.append(
            {
                "name": curve.name,
                "threshold": curve.threshold,
                "steps": series.steps.tolist(),
                "values": values,
            }
        )
    return {
        "title": panel.title,
        "since": panel.since,
        "logarithmic": panel.logarithmic,
        "curves": curves,
    }
