"""Which failures does a log show, since when, and how surely?

Two tiers: signals from inside the players are cheap and warn; only a score of
quality or diversity makes a finding critical. A rule looks at the last quarter of
the run, where most points must be past its threshold, and then back to the first
step from which that holds. Thresholds are fitted to the labs' seeds 0 to 4: see
`scripts/benchmarks/diagnosis.py`.
"""

import numpy as np

from ganlab.diagnosis.findings import FAILURES, SEVERITIES, Finding
from ganlab.diagnosis.log import Series

TAIL = 0.25  # of the run that a finding must hold over
MOST = 0.7  # of the points in it
LEAST_POINTS = 3
CHEAP = 0.75  # confidence of a signal that no score agrees with, times its share
COLLAPSE_FACTOR, COLLAPSE_IN_A_ROW = 1.5, 3
UNBOUNDED = ("wasserstein",)  # losses whose logits have no zero
SATURATING = ("minimax",)


def diagnose(log):
    """Looks for every failure.

    Args:
        log: A `ganlab.diagnosis.Log`.

    Returns:
        A list of `Finding`s, critical ones first, then the surest.
    """
    found = [rule(log) for rule in RULES]
    found = [each for each in found if each is not None]
    order = {severity: place for place, severity in enumerate(reversed(SEVERITIES))}
    return sorted(found, key=lambda each: (order[each.severity], -each.confidence))


def sustained(series, past):
    """Since which step most values are past a threshold, and what share is by now.

    Args:
        series: A `Series`, or `None`.
        past: Function from the values to booleans.

    Returns:
        `(step, share)`, or `None` if it does not hold over the last quarter.
    """
    if series is None or len(series) < LEAST_POINTS:
        return None
    flags = np.asarray(past(series.values), bool)
    span = series.steps[-1] - series.steps[0]
    tail = series.steps >= series.steps[-1] - TAIL * span
    tail[-LEAST_POINTS:] = True
    share = flags[tail].mean()
    if share < MOST:
        return None
    from_here = np.cumsum(flags[::-1])[::-1] / np.arange(len(flags), 0, -1)
    first = np.flatnonzero(flags & (from_here >= MOST))[0]
    return int(series.steps[first]), float(share)


def _over(threshold):
    return lambda values: values > threshold


def _under(threshold):
    return lambda values: values < threshold


def _evidence(signal, value, threshold, says):
    return {
        "signal": signal,
        "value": None if value is None else float(f"{value:.4g}"),
        "threshold": threshold,
        "says": says,
    }


def _finding(log, name, severity, held, evidence, changes=None):
    """A `Finding`; a warning that quality confirms becomes critical."""
    since, share = held
    confidence = 0.99 * share
    if severity == "warning":
        confidence *= CHEAP
    changes = FAILURES[name].changes if changes is None else changes
    known = {} if log.foreign else dict(changes or {})
    return Finding(name, severity, since, evidence, confidence, known)


def _confirmed(log, name, held, evidence, changes=None):
    """A finding that is critical where the images are bad, or else a warning."""
    bad = bad_quality(log)
    severity = "warning"
    if bad is not None:
        severity, evidence = "critical", [*evidence, bad]
    return _finding(log, name, severity, held, evidence, changes)


def bad_quality(log):
    """Evidence from a score that the images are bad by now, or `None`.

    Scores early in a run are bad however well it goes, so what counts is a late
    collapse, images that are nearly alike, or scores that have come to a stand
    where hardly any real image is covered.
    """
    collapsed = _late_collapse(log)
    if collapsed is not None:
        return collapsed.evidence[0]
    for signal in ("pairwise_ratio", "class_pairwise_ratio"):
        value = log.last(signal, LEAST_POINTS)
        if value is not None and value < ALIKE and not _is_mixture(log):
            return _evidence(
                signal, value, ALIKE, f"fakes lie {value:.2f} times as far apart as real"
            )
    coverage = log.get("coverage", LEAST_POINTS)
    if coverage is not None:
        value = float(np.median(coverage.values[-LEAST_POINTS:]))
        if value < UNCOVERED:
            return _evidence(
                "coverage", value, UNCOVERED, f"{value:.0%} of real images are covered"
            )
    return None


def _is_mixture(log):
    return log.settings.get("data") in ("ring", "grid")


def _smooth(series, width=9):
    """Running median: single steps of a foreign log are noisy."""
    if series is None or len(series) < 3 * width:
        return series
    half = width // 2
    padded = np.pad(series.values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return Series(series.steps, np.median(windows, axis=1))
