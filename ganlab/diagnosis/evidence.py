"""Since when does something hold, how surely, and do the scores agree?

A rule looks at the last quarter of the run, where most points must be past its
threshold, and then back to the first step from which that holds.
"""

import numpy as np

from ganlab.data.toy2d import find_mixture
from ganlab.diagnosis.findings import FAILURES, Finding
from ganlab.diagnosis.log import Series

TAIL = 0.25  # of the run that a finding must hold over
MOST = 0.7  # of the points in it
LEAST_POINTS = 3
CHEAP = 0.75  # confidence of a signal that no score agrees with, times its share
COLLAPSE_FACTOR, COLLAPSE_IN_A_ROW = 1.5, 3
CHANCE = 3.0  # standard errors
UNBOUNDED = ("wasserstein",)  # losses whose logits have no zero
ALIKE = 0.5  # distance of two fakes over that of two real images
UNCOVERED = 0.1  # coverage; identical sets have 0.97
EARLY = 200  # steps in which fakes are alike however well a run goes
STALLED = 0.9  # of the distance before: less than a tenth better is a standstill


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
    first = np.flatnonzero(flags & (_share_from_here(flags) >= MOST))[0]
    return int(series.steps[first]), float(share)


def _share_from_here(flags):
    """Of each place, the share of flags that are set from it to the end."""
    return np.cumsum(flags[::-1])[::-1] / np.arange(len(flags), 0, -1)


def over(threshold):
    return lambda values: values > threshold


def under(threshold):
    return lambda values: values < threshold


def shown(signal, value, threshold, says):
    return {
        "signal": signal,
        "value": None if value is None else float(f"{value:.4g}"),
        "threshold": threshold,
        "says": says,
    }


def make(log, name, severity, held, evidence, changes=None):
    """A `Finding`, with the changes that the run has not made already."""
    since, share = held
    confidence = 0.99 * float(share)
    if severity == "warning":
        confidence *= CHEAP
    changes = FAILURES[name].changes if changes is None else changes
    new = {
        key: value
        for key, value in (changes or {}).items()
        if not log.foreign
        and log.data_kind.applies(key)
        and log.settings.get(key, value) != value
    }
    return Finding(name, severity, since, evidence, confidence, new)


def confirmed(log, name, held, evidence, changes=None):
    """A finding that is critical where the images are bad, or else a warning."""
    bad = bad_quality(log)
    severity = "warning"
    if bad is not None:
        severity, evidence = "critical", [*evidence, bad]
    return make(log, name, severity, held, evidence, changes)


def bad_quality(log):
    """Evidence from a score that the images are bad by now, or `None`.

    Scores early in a run are bad however well it goes, so what counts is a late
    collapse, images that are alike, or hardly any real image covered, where the
    Fréchet distance has come to a standstill.
    """
    collapsed = late_collapse(log)
    if collapsed is not None:
        return collapsed.evidence[0]
    found = alike(log) or few_modes(log)
    if found is not None:
        return found[1]
    coverage = log.last("coverage", LEAST_POINTS)
    if coverage is not None and coverage < UNCOVERED and stalled(log):
        return shown(
            "coverage",
            coverage,
            UNCOVERED,
            f"{coverage:.0%} of real images are covered, and that gets no better",
        )
    return None


def stalled(log):
    """Whether the last third of the run is hardly better than what went before."""
    distance = log.get("fid", 2 * LEAST_POINTS)
    if distance is None:
        return False
    late = distance.steps > 2 / 3 * distance.steps[-1]
    if late.sum() < 2 or late.all():
        return False
    before, since = distance.values[~late], distance.values[late]
    return bool(since.min() >= STALLED * before.min())


def rising(series):
    """Whether the last third lies clearly above the third before it."""
    part = max(len(series) // 3, 1)
    before, since = series.values[-2 * part : -part], series.values[-part:]
    return len(before) > 0 and np.median(since) > 1.2 * np.median(before)


def alike(log):
    """Since when fakes lie too near to each other, and the evidence."""
    if not log.data_kind.applies("pairwise_ratio") or log.last_step < EARLY:
        return None
    for signal, threshold, says in (
        (
            "pairwise_ratio",
            ALIKE,
            "two fakes lie {:.2f} times as far apart as two real",
        ),
        (
            "class_pairwise_ratio",
            ALIKE,
            "two fakes of a class lie {:.2f} times as far apart as two real",
        ),
        ("nearest_ratio", 0.2, "the nearest fake is {:.2f} times as far as among real"),
    ):
        series = log.get(signal, LEAST_POINTS)
        held = sustained(series, under(threshold))
        if held is not None and not rising(series):
            value = log.last(signal, LEAST_POINTS)
            return held, shown(signal, value, threshold, says.format(value))
    series = log.get("duplicate_share", LEAST_POINTS)
    held = sustained(series, over(0.3))
    if held is not None:
        value = log.last("duplicate_share", LEAST_POINTS)
        says = f"{value:.0%} of the images repeat another"
        return held, shown("duplicate_share", value, 0.3, says)
    return None


def few_modes(log, share=0.5):
    """Since when no more than a share of a mixture's modes is hit."""
    mixture = find_mixture(log.settings.get("data"))
    if mixture is None:
        return None
    modes = len(mixture.centers)
    series = log.get("modes_hit", LEAST_POINTS)
    held = sustained(series, lambda values: values <= share * modes)
    if held is None or rising(series):
        return None
    value = log.last("modes_hit", LEAST_POINTS)
    says = f"{value:.0f} of {modes} modes are hit"
    return held, shown("modes_hit", value, share * modes, says)


def smooth(series, width=9):
    """Running median: single steps of a foreign log are noisy."""
    if series is None or len(series) < 3 * width:
        return series
    half = width // 2
    padded = np.pad(series.values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return Series(series.steps, np.median(windows, axis=1))


def loss_name(log):
    return log.settings.get("loss")


def late_collapse(log):
    """Three evaluations in a row past 1.5 times the best before them."""
    series = log.get("fid", COLLAPSE_IN_A_ROW + 1)
    if series is None:
        return None
    best = np.minimum.accumulate(series.values)
    past = (series.values > COLLAPSE_FACTOR * best) & (best > 0)
    error = log.get("fid_error")
    if error is not None:  # a good run's distance is near 0, and mostly chance
        chance = np.interp(series.steps, error.steps, error.values)
        past &= series.values - best > CHANCE * (
            chance + chance[np.argmin(series.values)]
        )
    in_a_row = np.convolve(past, np.ones(COLLAPSE_IN_A_ROW, int), "valid")
    where = np.flatnonzero(in_a_row == COLLAPSE_IN_A_ROW)
    if not len(where) or not past[-1]:
        return None
    # A run that mostly came back afterwards had not collapsed yet.
    runs = where[_share_from_here(past)[where] >= MOST]
    since = int(runs[0] if len(runs) else where[-1])
    lowest = int(np.argmin(series.values))
    value, least = float(series.values[-1]), float(series.values[lowest])
    fired = series.steps[since + COLLAPSE_IN_A_ROW - 1]
    says = (
        f"the Fréchet distance was {least:.3g} at step {series.steps[lowest]:,} and is "
        f"{value:.3g}; three in a row were past 1.5 times the best at step {fired:,}"
    )
    threshold = COLLAPSE_FACTOR * least
    evidence = [shown("fid", value, threshold, says)]
    held = int(series.steps[since]), float(past[since:].mean())
    return make(log, "late_collapse", "critical", held, evidence)
