"""Rules of gradients and of units that let none pass."""

from typing import Any

import numpy as np

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    NETWORKS,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    is_unbounded,
    last_value,
    loss_name,
    make_evidence,
    smooth,
    sustained,
)
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules import losses
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_networks

MIN_LOGIT_GRADIENT = 0.1
LOGIT_GRADIENT = Bound(
    "g_logit_gradient",
    MIN_LOGIT_GRADIENT,
    above=False,
    condition=f"< {MIN_LOGIT_GRADIENT:g} with the minimax loss",
)
BELIEF_IN_FAKES = Bound(
    "d_fake",
    MIN_LOGIT_GRADIENT,  # which it equals under the minimax loss
    above=False,
    condition=f"< {MIN_LOGIT_GRADIENT:g} with a cross-entropy whose `g_loss` is never "
    "over 0, as the minimax loss",
)
GRADIENT_NORM = Bound("g_gradient_norm", 1e-7, above=False)
DRIFT = Bound("{network}_drift", 0.1)
LEAP = Bound(
    "d_loss",
    losses.LARGE_LOSS,
    condition=f"> {losses.LARGE_LOSS:g} with a loss that begins near 1",
)
DRIFT_OF_A_LEAP = DRIFT.at(0.03)
GRADIENT_GROWTH = 100.0
MIN_EXPLODED_NORM = 10.0
EXPLODED_NORM = Bound(
    "{network}_gradient_norm",
    None,
    condition=f"> {GRADIENT_GROWTH:g} times its start, and > {MIN_EXPLODED_NORM:g}",
)
MIN_GRADIENT_NORMS, GRADIENT_SMOOTHING_WIDTH = 8, 5
DEAD_UNITS = Bound("{network}_dead_share", 0.25)
ACTIVATION_GRADIENT = Bound("{network}_activation_gradient", 0.1, above=False)


@rule(LOGIT_GRADIENT, BELIEF_IN_FAKES, GRADIENT_NORM)
def vanishing_generator_gradient(log: Log) -> Observation | None:
    """The loss hands the generator next to nothing."""
    bound, held = LOGIT_GRADIENT, None
    if loss_name(log) == "minimax":
        held = bound.held(log)
    elif _is_minimax(log):
        bound = BELIEF_IN_FAKES
        held = bound.held(log)
    if held is not None:
        value = last_value(log, bound.signal)
        says = f"the loss's gradient in the logit is {value:.2g}, of 1 at most"
        evidence = [bound.evidence(value, says)]
        lost = log.last("gradient_thrown_away", MIN_VALUES)
        if lost is not None:
            says = f"{lost:.1%} of the non-saturating gradient is thrown away"
            evidence.append(make_evidence("gradient_thrown_away", lost, None, says))
        return Observation(held, evidence)
    held = GRADIENT_NORM.held(log)
    if held is None:
        return None
    value = last_value(log, GRADIENT_NORM.signal)
    says = f"the norm of the generator's gradient is {value:.2g}"
    return Observation(held, [GRADIENT_NORM.evidence(value, says)])


def _is_minimax(log: Log) -> bool:
    """Whether a cross-entropy of the generator is one that it raises."""
    g_loss = log.get("g_loss", MIN_VALUES)
    if g_loss is None or loss_name(log) != "cross_entropy":
        return False
    return bool(g_loss.values.max() <= 0.0)


@rule(DRIFT, (DRIFT_OF_A_LEAP, LEAP), losses.LEAPT)
def overlong_steps(log: Log) -> Observation | None:
    """A network's weights were replaced within ten steps, or its loss leapt."""
    if log.foreign:
        return losses.leapt(log)
    leap = None
    d_loss = log.get(LEAP.signal)
    if d_loss is not None and not is_unbounded(log) and LEAP.past(d_loss.values).any():
        value = float(d_loss.values.max())
        leap = LEAP.evidence(value, f"the discriminator's loss leapt to {value:.3g}")
    for key, network in NETWORKS.items():
        bound = (DRIFT_OF_A_LEAP if leap else DRIFT).of(key)
        series = log.get(bound.signal)
        if series is None or not bound.past(series.values).any():
            continue
        first = int(np.argmax(bound.past(series.values)))
        value = float(series.values.max())
        says = (
            f"the {network}'s weights changed by {value:.0%} of their norm a step, on "
            "average from one log to the next"
        )
        return Observation(
            Held(int(series.steps[first]), 1.0),
            [bound.evidence(value, says), *([leap] if leap else [])],
            changes=_slower(log),
        )
    return None


def _slower(log: Log) -> dict[str, Any]:
    """Both rates, a tenth of what they are."""
    names = [f"{network}_learning_rate" for network in NETWORKS.values()]
    return {name: log.settings[name] / 10 for name in names if log.settings.get(name)}


@rule(EXPLODED_NORM)
def exploding_gradient(log: Log) -> Observation | None:
    """A gradient a hundred times that of the run's beginning."""
    for key, network in NETWORKS.items():
        bound = EXPLODED_NORM.of(key)
        series = smooth(
            log.get(bound.signal, MIN_GRADIENT_NORMS), GRADIENT_SMOOTHING_WIDTH
        )
        if series is None:
            continue
        start = np.median(series.values[len(series) // 20 : len(series) // 3 + 1])
        bound = bound.at(max(GRADIENT_GROWTH * float(start), MIN_EXPLODED_NORM))
        held = sustained(series, bound.past)
        if held is not None:
            value = last_value(log, bound.signal)
            says = f"the {network}'s gradient has grown from {start:.2g} to {value:.2g}"
            return Observation(held, [bound.evidence(value, says)])
    return None


@rule(DEAD_UNITS)
def dying_relu(log: Log) -> Observation | None:
    """Many units of a layer are never above 0.

    Toy 2-D samples light up few units each, dead or not, so they are left out.
    """
    if not log.data_kind.applies("dying_relu") or log.last_step < WARMUP_STEPS:
        return None
    return observe_networks(
        log,
        DEAD_UNITS,
        "{:.0%} of the {}'s units are dead in its worst layer",
        {
            "generator": {"generator_activation": "leaky_relu"},
            "discriminator": {"discriminator_activation": "leaky_relu"},
        },
    )


@rule(ACTIVATION_GRADIENT)
def activation_saturation(log: Log) -> Observation | None:
    """Hidden sigmoids and tanhs let little gradient pass."""
    observation = None
    for key, network in NETWORKS.items():
        bound = ACTIVATION_GRADIENT.of(key)
        held = bound.held(log)
        if held is None:
            continue
        value = last_value(log, bound.signal)
        says = (
            f"the {network}'s hidden activations let {value:.2%} of the gradient pass"
        )
        if observation is None:
            observation = Observation(held)
        observation.evidence.append(bound.evidence(value, says))
    return observation
