"""Rules of diversity: which modes and classes are generated, and which are copies."""

import numpy as np

from ganlab.diagnosis.evidence import (
    HALF_LEVEL,
    MIN_VALUES,
    Bound,
    Held,
    Observation,
    last_value,
    rising,
    stalled_since,
)
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.quality import (
    CLASS_PAIRWISE,
    DUPLICATES,
    LOST_MODES,
    NEAREST,
    PAIRWISE,
    alike,
    few_modes,
)
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_signal

DROPPED_FRACTION_OF_MODES = 0.99
DROPPED_MODES = Bound(
    "modes_hit", None, condition=f"<= {DROPPED_FRACTION_OF_MODES:g} of the modes"
)
MIN_PRECISION = Bound("precision", 0.4)
RAREST_CLASS = Bound("least_class_share", 0.25, above=False)
RECALL = Bound("recall", 0.1, above=False)
DROPPED = (
    (RAREST_CLASS, "the rarest class is generated {:.2f} times as often"),
    (RECALL, "{:.0%} of real images can be generated"),
)
LABEL_ACCURACY = Bound("label_accuracy", 0.5, above=False)
LABEL_EFFECT = Bound("label_effect", HALF_LEVEL, above=False)  # the same in 8 bits
COPIES = Bound("copied_share", 0.1)
COPIED_EVALUATIONS = 2


@rule(
    PAIRWISE, CLASS_PAIRWISE, NEAREST, DUPLICATES, LOST_MODES, severities=("critical",)
)
def mode_collapse(log: Log) -> Observation | None:
    """Fakes are alike, or half of the modes are lost."""
    collapsed = alike(log) or few_modes(log)
    if collapsed is None:
        return None
    return Observation(collapsed.held, [collapsed.evidence])


@rule(
    DROPPED_MODES,
    (RAREST_CLASS, MIN_PRECISION),
    (RECALL, MIN_PRECISION),
    severities=("warning",),
)
def mode_dropping(log: Log) -> Observation | None:
    """What is generated is good, but not all is generated."""
    dropped = few_modes(log, DROPPED_FRACTION_OF_MODES)
    if dropped is not None:
        if few_modes(log) is not None:
            return None
        return Observation(dropped.held, [dropped.evidence])
    stall = stalled_since(log)
    if stall is None:
        return None
    precision = log.last("precision", MIN_VALUES) or 0.0
    if not MIN_PRECISION.past(precision):
        return None
    for bound, says in DROPPED:
        held = bound.held(log)
        if held is not None:
            value = last_value(log, bound.signal)
            evidence = [
                bound.evidence(value, says.format(value)),
                MIN_PRECISION.evidence(precision, f"{precision:.0%} look real"),
            ]
            since = max(held.since_step, stall)
            return Observation(held._replace(since_step=since), evidence)
    return None


@rule(LABEL_ACCURACY, LABEL_EFFECT)
def ignored_labels(log: Log) -> Observation | None:
    """Images are not of the class that was asked for, or the same for any."""
    says = "another label changes an image by {:.2g} of its range"
    unmoved = observe_signal(log, LABEL_EFFECT, says)
    if unmoved is not None:
        return unmoved
    series, held = log.get(LABEL_ACCURACY.signal, MIN_VALUES), LABEL_ACCURACY.held(log)
    if series is None or held is None or rising(series):
        return None
    value = last_value(log, LABEL_ACCURACY.signal)
    says = f"{value:.0%} of the images are of the class that was asked for"
    return Observation(held, [LABEL_ACCURACY.evidence(value, says)])


@rule(COPIES, severities=("critical",))
def memorisation(log: Log) -> Observation | None:
    """Generated images copy training images."""
    series = log.get(COPIES.signal, COPIED_EVALUATIONS)
    if series is None or not COPIES.past(series.values[-COPIED_EVALUATIONS:]).all():
        return None
    first = np.flatnonzero(COPIES.past(series.values))[0]
    value = float(series.values[-1])
    says = f"{value:.0%} of the images copy a training image; by chance it is 1 %"
    held = Held(int(series.steps[first]), 1.0)
    return Observation(held, [COPIES.evidence(value, says)])
