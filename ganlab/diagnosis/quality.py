"""Observations of bad images: late collapse, fakes that are alike, lost modes.

They are findings of their own, and they turn a warning of other signals critical.
"""

from typing import NamedTuple

import numpy as np

from ganlab.data.toy2d import find_mixture
from ganlab.diagnosis.evidence import (
    MIN_FRACTION_PAST_THRESHOLD,
    MIN_VALUES,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    fraction_from_here,
    last_value,
    rising,
    stalled_since,
    sustained,
)
from ganlab.diagnosis.findings import Evidence
from ganlab.diagnosis.log import Log

COLLAPSE_FID_RATIO, COLLAPSE_EVALUATIONS = 1.5, 3
CHANCE_STANDARD_ERRORS = 3.0
COLLAPSED_FRACTION_OF_MODES = 0.5
MIN_HIGH_QUALITY = 0.1
COLLAPSE_PAIRWISE_RATIO = 0.5
COLLAPSE_NEAREST_RATIO = 0.2
COLLAPSE_DUPLICATES = 0.3

LATE_COLLAPSE = Bound(
    "fid",
    None,
    condition=f"> {COLLAPSE_FID_RATIO:g} times the best before, in "
    f"{COLLAPSE_EVALUATIONS} evaluations in a row, and by more than "
    f"{CHANCE_STANDARD_ERRORS:g} standard errors",
)
PAIRWISE = Bound("pairwise_ratio", COLLAPSE_PAIRWISE_RATIO, above=False)
CLASS_PAIRWISE = Bound("class_pairwise_ratio", COLLAPSE_PAIRWISE_RATIO, above=False)
NEAREST = Bound("nearest_ratio", COLLAPSE_NEAREST_RATIO, above=False)
DUPLICATES = Bound("duplicate_share", COLLAPSE_DUPLICATES)
LOST_MODES = Bound(
    "modes_hit", None, condition=f"<= {COLLAPSED_FRACTION_OF_MODES:g} of the modes"
)
MIN_COVERAGE = Bound("coverage", 0.1, above=False)  # identical sets have 0.97

ALIKE = (
    (PAIRWISE, "two fakes lie {:.2f} times as far apart as two real"),
    (CLASS_PAIRWISE, "two fakes of a class lie {:.2f} times as far apart as two real"),
    (NEAREST, "the nearest fake is {:.2f} times as far as among real"),
)


class HeldEvidence(NamedTuple):
    """Since when something holds, and one piece of evidence for it."""

    held: Held
    evidence: Evidence


def bad_quality(log: Log) -> Evidence | None:
    """Evidence from a score that the images are bad by now, or `None`.

    Scores early in a run are bad however well it goes, so what counts is a late
    collapse, images that are alike, or hardly any real image covered, where FID
    has come to a standstill.
    """
    collapsed = late_collapse(log)
    if collapsed is not None:
        return collapsed.evidence[0]
    collapsed_modes = alike(log) or few_modes(log)
    if collapsed_modes is not None:
        return collapsed_modes.evidence
    coverage = log.last(MIN_COVERAGE.signal, MIN_VALUES)
    if coverage is not None and MIN_COVERAGE.past(coverage) and stalled_since(log):
        return MIN_COVERAGE.evidence(
            coverage,
            f"{coverage:.0%} of real images are covered, and that gets no better",
        )
    return None


def alike(log: Log) -> HeldEvidence | None:
    """Since when fakes lie too near to each other, and the evidence."""
    applies = log.data_kind.applies("pairwise_ratio")
    if not applies or log.last_step < WARMUP_STEPS:
        return None
    for bound, says in ALIKE:
        series, held = log.get(bound.signal, MIN_VALUES), bound.held(log)
        if series is not None and held is not None and not rising(series):
            value = last_value(log, bound.signal)
            return HeldEvidence(held, bound.evidence(value, says.format(value)))
    held = DUPLICATES.held(log)
    if held is not None:
        value = last_value(log, DUPLICATES.signal)
        says = f"{value:.0%} of the images repeat another"
        return HeldEvidence(held, DUPLICATES.evidence(value, says))
    return None


def few_modes(
    log: Log, fraction: float = COLLAPSED_FRACTION_OF_MODES
) -> HeldEvidence | None:
    """Since when no more than a fraction of a mixture's modes is hit."""
    mixture = find_mixture(log.settings.get("data"))
    if mixture is None or _far_from_all_modes(log):
        return None
    modes = len(mixture.centers)
    series = log.get(LOST_MODES.signal, MIN_VALUES)
    held = sustained(series, lambda values: values <= fraction * modes)
    if series is None or held is None or rising(series):
        return None
    value = last_value(log, LOST_MODES.signal)
    says = f"{value:.0f} of {modes} modes are hit"
    return HeldEvidence(held, LOST_MODES.at(fraction * modes).evidence(value, says))


def _far_from_all_modes(log: Log) -> bool:
    """Whether samples are as diverse as real ones, and hit modes by mere chance."""
    good, pairwise = (
        log.last(name, MIN_VALUES) for name in ("high_quality_share", PAIRWISE.signal)
    )
    if good is None or pairwise is None:
        return False
    return good < MIN_HIGH_QUALITY and not PAIRWISE.past(pairwise)


def late_collapse(log: Log) -> Observation | None:
    """Three evaluations in a row past 1.5 times the best before them."""
    series = log.get("fid", COLLAPSE_EVALUATIONS + 1)
    if series is None:
        return None
    best = np.minimum.accumulate(series.values)
    past = (series.values > COLLAPSE_FID_RATIO * best) & (best > 0)
    error = log.get("fid_error")
    if error is not None:  # a good run's FID is near 0, and mostly chance
        errors = np.interp(series.steps, error.steps, error.values)
        past &= series.values - best > CHANCE_STANDARD_ERRORS * (
            errors + errors[np.argmin(series.values)]
        )
    in_a_row = np.convolve(past, np.ones(COLLAPSE_EVALUATIONS, int), "valid")
    starts = np.flatnonzero(in_a_row == COLLAPSE_EVALUATIONS)
    if not len(starts) or not past[-1]:
        return None
    # A run that mostly came back afterwards had not collapsed yet.
    lasting = starts[fraction_from_here(past)[starts] >= MIN_FRACTION_PAST_THRESHOLD]
    since = int(lasting[0] if len(lasting) else starts[-1])
    lowest = int(np.argmin(series.values))
    value, minimum = float(series.values[-1]), float(series.values[lowest])
    fired = series.steps[since + COLLAPSE_EVALUATIONS - 1]
    says = (
        f"FID was {minimum:.3g} at step {series.steps[lowest]:,} and is {value:.3g}; "
        f"three in a row were past {COLLAPSE_FID_RATIO:g} times the best at step "
        f"{fired:,}"
    )
    bound = LATE_COLLAPSE.at(COLLAPSE_FID_RATIO * minimum)
    held = Held(int(series.steps[since]), float(past[since:].mean()))
    return Observation(held, [bound.evidence(value, says)])
