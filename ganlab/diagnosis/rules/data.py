"""Rules of the data: broken, poor or mislabelled samples, classes, and waiting."""

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    WARMUP_STEPS,
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
NON_FINITE = Bound("real_nonfinite_share", 0.0)
DISTINCT = Bound("real_distinct_share", 0.5, above=False)
CONSTANT = Bound("real_constant_share", 0.5)
FEW_DISTINCT = 0.1  # with fewer no score can tell a good generator from a collapsed one
LABEL_INFORMATION = Bound("label_information", 3.0, above=False)
LABEL_LEAD = Bound("label_lead", 3.0, above=False)


@rule(NON_FINITE, severities=("critical",))
def non_finite_data(log: Log) -> Observation | None:
    """Real samples hold NaN or infinity."""
    value = log.last(NON_FINITE.signal)
    if value is None or not NON_FINITE.past(value):
        return None
    says = f"{value:.2%} of the real values are NaN or infinite"
    return Observation(Held(0, 1.0), [NON_FINITE.evidence(value, says)])


@rule(DISTINCT, CONSTANT, severities=("warning", "critical"))
def degenerate_data(log: Log) -> Observation | None:
    """Most real samples repeat another, or are of one colour."""
    evidence, severity = [], "warning"
    distinct, constant = (log.last(bound.signal) for bound in (DISTINCT, CONSTANT))
    if distinct is not None and DISTINCT.past(distinct):
        says = f"{distinct:.0%} of the real samples are distinct"
        evidence.append(DISTINCT.evidence(distinct, says))
        severity = "critical" if distinct < FEW_DISTINCT else severity
    if constant is not None and CONSTANT.past(constant):
        says = f"{constant:.0%} of the real pictures are of one colour"
        evidence.append(CONSTANT.evidence(constant, says))
    return Observation(Held(0, 1.0), evidence, severity) if evidence else None


@rule((LABEL_INFORMATION, LABEL_LEAD), severities=("warning",))
def uninformative_labels(log: Log) -> Observation | None:
    """Neither the pixels nor D know a sample's label from another.

    Both must say so: pixels alone miss classes that only a network sees, and an
    unconditional discriminator says nothing of labels.
    """
    information = log.last(LABEL_INFORMATION.signal)
    held = LABEL_LEAD.held(log)
    if information is None or not LABEL_INFORMATION.past(information):
        return None
    if held is None or log.last_step < WARMUP_STEPS:
        return None
    lead = last_value(log, LABEL_LEAD.signal)
    says = "a sample's nearest has its label {:.1f} standard errors over chance"
    judged = "D tells its label from another by {:.1f} standard errors"
    evidence = [
        LABEL_INFORMATION.evidence(information, says.format(information)),
        LABEL_LEAD.evidence(lead, judged.format(lead)),
    ]
    return Observation(held, evidence)


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
