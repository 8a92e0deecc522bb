"""Rules of the data: unbalanced classes, and waiting for batches."""

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    Bound,
    Held,
    Observation,
    last_value,
    make_evidence,
)
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules.rule import rule

MAX_CLASS_RATIO = 10
CLASS_COUNTS = Bound(
    "class_counts",
    MAX_CLASS_RATIO,
    condition=f"of the largest class > {MAX_CLASS_RATIO:g} times the smallest's",
)
MIN_RAREST_CLASS = 0.5
DATA_WAIT = Bound("data_wait_share", 0.1)
LONG_DATA_WAIT = 0.3


@rule(CLASS_COUNTS, severities=("note", "warning"))
def class_imbalance(log: Log) -> Observation | None:
    """The data has ten times as many images of one class as of another."""
    counts = log.facts.get("class_counts")
    if not isinstance(counts, list) or len(counts) < 2:
        return None
    if not all(isinstance(count, int) for count in counts):
        return None
    smallest, largest = min(counts), max(counts)
    ratio = largest / max(smallest, 1)
    if ratio <= MAX_CLASS_RATIO:
        return None
    says = f"classes have {smallest:,} to {largest:,} images"
    evidence, severity = [CLASS_COUNTS.evidence(ratio, says)], "note"
    rarest = log.last("least_class_share", MIN_VALUES)
    if rarest is not None and rarest < MIN_RAREST_CLASS:
        says = f"the rarest is generated {rarest:.2f} times as often as it is real"
        evidence.append(
            make_evidence("least_class_share", rarest, MIN_RAREST_CLASS, says)
        )
        severity = "warning"
    return Observation(Held(0, 1.0), evidence, severity)


@rule(DATA_WAIT, severities=("note", "warning"))
def starved_input(log: Log) -> Observation | None:
    """Steps wait for data: a warning where it is much of the time."""
    held = DATA_WAIT.held(log)
    if held is None:
        return None
    value = last_value(log, DATA_WAIT.signal)
    says = f"{value:.0%} of the time is spent waiting for the next batch"
    severity = "warning" if value > LONG_DATA_WAIT else "note"
    return Observation(held, [DATA_WAIT.evidence(value, says)], severity)
