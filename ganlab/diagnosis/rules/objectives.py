"""Rules of what is minimised: which loss takes the answers, and whose weights it moves.

They are read from the model where it says so, and from the loss's value elsewhere.
"""

import numpy as np

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    NETWORKS,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    last_median,
    last_value,
    make_evidence,
    sustained,
)
from ganlab.diagnosis.log import Log, Series
from ganlab.diagnosis.objective import generator_losses, least_parting_loss
from ganlab.diagnosis.rules.rule import rule

PROBABILITIES = Bound(
    "logit_highest",
    1.0,
    condition="was never over 1, and `logit_lowest` never under 0",
)
MISREAD = Bound(
    "misread_answers", None, condition="in a model whose cross-entropy is known"
)
BY_VALUE = Bound(
    "g_loss",
    None,
    condition="has the value of a loss that wants other answers than the "
    "discriminator ends on",
)
UNBOUNDED = ("logits", "mean", "hinge")  # losses of answers without a bound
NAMES = {
    "logits": "a cross-entropy of logits",
    "mean": "their mean, of a Wasserstein or hinge loss",
    "hinge": "a hinge loss",
}
TOO_SMALL = 1.0 / 3.0
UNPARTED = Bound(
    "d_loss",
    TOO_SMALL,
    above=False,
    condition=f"< {TOO_SMALL:.2g} times the least that would part the discriminator's "
    "answers, in a loss that is told by the value of `g_loss`",
)
CROSSED = Bound("{network}_crossed_share", 0.0)


@rule(PROBABILITIES, MISREAD, BY_VALUE)
def double_sigmoid(log: Log) -> Observation | None:
    """Answers with a bound are taken for answers without one."""
    if log.settings.get("misread_answers") == "probabilities":
        says = "the discriminator ends on a sigmoid, and the loss applies another"
        return _read(MISREAD, says)
    bounded = log.settings.get("answer_range")
    if bounded is not None:
        told = generator_losses(log)
        if not told or not told <= set(UNBOUNDED):
            return None
        low, high = bounded
        names = " or ".join(NAMES[loss] for loss in UNBOUNDED if loss in told)
        says = (
            f"the discriminator's answers end at {low:g} and {high:g}, and the "
            f"generator's loss is by its value {names}"
        )
        return _read(BY_VALUE, says)
    return _between_0_and_1(log)


def _read(bound: Bound, says: str) -> Observation:
    """What is so from the first step on."""
    return Observation(Held(0, 1.0), [make_evidence(bound.signal, None, None, says)])


def _between_0_and_1(log: Log) -> Observation | None:
    lowest, highest = (
        log.get(name, MIN_VALUES) for name in ("logit_lowest", "logit_highest")
    )
    if lowest is None or highest is None:
        return None
    if lowest.values.min() < 0.0 or highest.values.max() > 1.0:
        return None
    if not (highest.values > lowest.values).any():  # one answer is no probability
        return None
    low, high = float(lowest.values.min()), float(highest.values.max())
    says = f"logits were between {low:.3g} and {high:.3g} all the time"
    held = Held(int(highest.steps[0]), 1.0)
    return Observation(held, [PROBABILITIES.evidence(high, says)])


@rule(MISREAD, BY_VALUE, severities=("warning", "critical"))
def missing_sigmoid(log: Log) -> Observation | None:
    """Logits are taken for probabilities."""
    bound = MISREAD
    if log.settings.get("misread_answers") != "logits":
        bounded = "answer_range" in log.settings
        if bounded or generator_losses(log) != {"probabilities"}:
            return None
        bound = BY_VALUE
    says = "the discriminator ends on logits, and the loss takes probabilities"
    observed = _read(bound, says)
    return Observation(observed.held, observed.evidence, "critical")


@rule(UNPARTED)
def undivided_objective(log: Log) -> Observation | None:
    """The discriminator's loss is smaller than any that parts its answers."""
    told = generator_losses(log)
    if not told or "mean" in told or log.last_step < WARMUP_STEPS:
        return None
    compared = least_parting_loss(log, told)
    if compared is None:
        return None
    d_loss, least = compared
    share = Series(d_loss.steps, d_loss.values / np.maximum(least.values, 1e-12))
    held = sustained(share, UNPARTED.past)
    if held is None or d_loss.values.min() < 0.0:
        return None
    value = last_median(share)
    says = (
        f"the discriminator's loss is {last_median(d_loss):.2g}, where one with two "
        f"targets for its answers would be {last_median(least):.2g} at least"
    )
    return Observation(held, [UNPARTED.evidence(value, says)])


@rule(CROSSED)
def crossed_steps(log: Log) -> Observation | None:
    """A network's weights are moved by the other network's optimizer too."""
    for key, network in NETWORKS.items():
        own = CROSSED.of(key)
        held = own.held(log)
        if held is None:
            continue
        value = last_value(log, own.signal)
        other = next(name for name in NETWORKS.values() if name != network)
        says = f"the {other}'s optimizer moves {value:.0%} of the {network}'s weights"
        return Observation(held, [own.evidence(value, says)])
    return None
