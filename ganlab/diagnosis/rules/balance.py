"""Rules of the balance between discriminator and generator."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    TAIL_FRACTION,
    Bound,
    Held,
    Observation,
    is_unbounded,
    last_median,
    last_value,
    make_evidence,
    smooth,
    sustained,
)
from ganlab.diagnosis.log import LOSSES, Log, Series
from ganlab.diagnosis.quality import bad_quality
from ganlab.diagnosis.rules import losses
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import discriminator_accuracy, observe_signal

ACCURACY = Bound("d_accuracy", 0.97)
BELIEF_IN_FAKES = Bound("d_fake", 0.03, above=False)
FOREIGN_LOSS = 0.2  # of a D that is about 90 % sure on both sides
FOREIGN_SQUARED_LOSS = 0.05
LOSS = Bound(
    "d_loss",
    FOREIGN_LOSS,
    above=False,
    condition=f"< {FOREIGN_LOSS:g} in a log of another trainer "
    f"({FOREIGN_SQUARED_LOSS:g} of a squared loss)",
)
MIN_LEAD = 0.02
LEAD = Bound(
    "d_real - d_fake",
    MIN_LEAD,
    above=False,
    condition=f"< {MIN_LEAD:g} all along, or where a score says that the "
    "images are bad",
)
SEPARATION = Bound(
    "logit_separation",
    0.6,
    above=False,
    condition="< 0.6, where a score says that the images are bad",
)
FLAT = Bound("logit_spread", 0.005, above=False)
FOOLED = Bound("logit_separation", 0.25, above=False)
SLOPE = Bound(
    "logit_slope", 10.0, condition="> 10 with a Wasserstein or an unknown loss"
)
NOISE = Bound("d_noise_share", 0.97)  # over 30 times what images change
DROPOUT = Bound("d_dropout_rate", 0.9)  # more than 9 of 10 units are left out
OVERFIT_GAP = Bound("overfit_gap", 0.5)
MAX_REAL_SIGN = 0.6  # ADA's target
FID_SWING_RATIO = 1.3
MIN_FID_TURNS = 4
FID_TURNS = Bound(
    "fid",
    MIN_FID_TURNS,
    condition=f"turns by over {FID_SWING_RATIO - 1:.0%} at least {MIN_FID_TURNS} times",
)
BELIEF_SWING = 0.15
BELIEF_SWINGS = Bound(
    "d_fake", BELIEF_SWING, condition=f"has a standard deviation > {BELIEF_SWING:g}"
)
BELIEF_CONFIDENCE = 0.8


@rule((ACCURACY, BELIEF_IN_FAKES), LOSS)
def discriminator_domination(log: Log) -> Observation | None:
    """D is right on nearly all images and sure of it."""
    if log.foreign:
        return _foreign_domination(log)
    if is_unbounded(log):
        return None
    accuracy, belief = discriminator_accuracy(log), log.get("d_fake", MIN_VALUES)
    if accuracy is None or belief is None or len(accuracy) != len(belief):
        return None
    both = Series(accuracy.steps, np.stack([accuracy.values, belief.values], axis=1))
    held = sustained(
        both,
        lambda values: ACCURACY.past(values[:, 0]) & BELIEF_IN_FAKES.past(values[:, 1]),
    )
    if held is None:
        return None
    right, mean = last_median(accuracy), last_value(log, "d_fake")
    evidence = [
        ACCURACY.evidence(right, f"D is right on {right:.1%} of images"),
        BELIEF_IN_FAKES.evidence(mean, f"mean D(G(z)) is {mean:.2g}"),
    ]
    return Observation(held, evidence, changes=_weaker_discriminator(log.settings))


def _weaker_discriminator(settings: dict[str, Any]) -> dict[str, Any]:
    """Changes that hold the discriminator, by what the run does not do yet."""
    changes: dict[str, Any] = {}
    if settings.get("regularizer", "none") == "none":
        changes |= {"regularizer": "r1", "discriminator_normalization": "none"}
    generator_rate, discriminator_rate = (
        settings.get(f"{network}_learning_rate")
        for network in ("generator", "discriminator")
    )
    if generator_rate and discriminator_rate and discriminator_rate > generator_rate:
        changes["discriminator_learning_rate"] = generator_rate
    if settings.get("discriminator_steps", 1) > 1:
        changes["discriminator_steps"] = 1
    if settings.get("loss") == "minimax":
        changes["loss"] = "non_saturating"
    if not changes and discriminator_rate:
        changes = {"discriminator_learning_rate": discriminator_rate / 4}
    return changes


def _foreign_domination(log: Log) -> Observation | None:
    """Domination by the losses alone."""
    d_loss, g_loss = (smooth(log.get(name, MIN_VALUES)) for name in LOSSES)
    if d_loss is None or g_loss is None or np.mean(d_loss.values < -0.02) > 0.02:
        return None
    squared = np.percentile(g_loss.values, 95) < 1.5 and d_loss.values[0] < 0.6
    bound = LOSS.at(FOREIGN_SQUARED_LOSS if squared else FOREIGN_LOSS)
    held = sustained(d_loss, bound.past)
    if held is None:
        return None
    value = last_median(d_loss)
    says = f"the discriminator's loss is {value:.2g}"
    return Observation(held, [bound.evidence(value, says)])


@rule(
    LEAD,
    SEPARATION,
    FOOLED,
    FLAT,
    losses.AT_CHANCE,
    losses.OUTRUN,
    severities=("warning", "critical"),
)
def generator_domination(log: Log) -> Observation | None:
    """D cannot tell real from fake though the images are bad, or is always wrong."""
    if log.foreign:
        return losses.never_led(log) or losses.outrun(log)
    bad, lead = bad_quality(log), _lead(log)
    if bad is None:
        if lead is not None and LEAD.past(lead.values).all():
            observed = _without_lead(lead)
        else:
            observed = _separated(log, FOOLED) or _flat(log)
        return None if observed is None else replace(observed, severity="warning")
    observed = _without_lead(lead)
    if observed is None:
        observed = _separated(log, FOOLED if is_unbounded(log) else SEPARATION)
    if observed is None:
        observed = _flat(log)
    if observed is None:
        return None
    return Observation(observed.held, [*observed.evidence, bad], "critical")


def _lead(log: Log) -> Series | None:
    """D(x) less D(G(z)), where a loss gives both a meaning."""
    real, fake = (log.get(f"d_{side}", MIN_VALUES) for side in ("real", "fake"))
    if is_unbounded(log) or real is None or fake is None or len(real) != len(fake):
        return None
    return Series(real.steps, real.values - fake.values)


def _without_lead(lead: Series | None) -> Observation | None:
    """D's answers on both sides are nearly the same."""
    held = LEAD.held_by(lead)
    if lead is None or held is None:
        return None
    value = last_median(lead)
    return Observation(held, [LEAD.evidence(value, f"D leads by {value:.3f}")])


def _separated(log: Log, bound: Bound) -> Observation | None:
    """A real logit is over a fake one seldom enough."""
    return observe_signal(
        log, bound, "a real logit is over a fake one in {:.0%} of pairs"
    )


def _flat(log: Log) -> Observation | None:
    """D says nearly the same of all images, real or fake."""
    return observe_signal(log, FLAT, "all images' logits lie within {:.2g} of another")


@rule(SLOPE, losses.BOTTOMLESS)
def unconstrained_critic(log: Log) -> Observation | None:
    """A critic whose loss has no bound, and whose slope has none either."""
    if log.foreign:
        return losses.bottomless(log)
    if not is_unbounded(log):
        return None
    says = "two samples' logits differ by {:.3g} times their distance, where 1 is meant"
    return observe_signal(log, SLOPE, says)


@rule(NOISE, DROPOUT)
def drowned_discriminator(log: Log) -> Observation | None:
    """D's own dropout or noise leaves next to nothing of the images."""
    for bound, says in (
        (NOISE, "{:.0%} of what D's logits differ by is its own dropout or noise"),
        (DROPOUT, "a layer of D drops {:.0%} of its units"),
    ):
        observed = observe_signal(log, bound, says)
        if observed is not None:
            return observed
    return None


@rule(OVERFIT_GAP)
def discriminator_overfitting(log: Log) -> Observation | None:
    """D is surer of its own images than of others."""
    held = OVERFIT_GAP.held(log)
    if held is None:
        return None
    value = last_value(log, OVERFIT_GAP.signal)
    says = f"held-out images are {value:.0%} of the way from trained ones to fakes"
    evidence = [OVERFIT_GAP.evidence(value, says)]
    sign = log.last("real_sign", MIN_VALUES)
    if sign is not None:
        says = f"the mean sign of the logits of trained images is {sign:.2f}"
        evidence.append(make_evidence("real_sign", sign, MAX_REAL_SIGN, says))
    return Observation(held, evidence)


@rule(FID_TURNS, BELIEF_SWINGS, severities=("warning",))
def oscillation(log: Log) -> Observation | None:
    """FID or the discriminator's beliefs swing to and fro."""
    return _fid_oscillation(log) or _belief_oscillation(log)


def _fid_oscillation(log: Log) -> Observation | None:
    series = log.get("fid", 2 * MIN_FID_TURNS)
    if series is None:
        return None
    start = len(series) // 3
    late = series.values[start:]
    ratios = late[1:] / np.maximum(late[:-1], 1e-12)
    swings = [
        ratio
        for ratio in ratios
        if ratio > FID_SWING_RATIO or ratio < 1 / FID_SWING_RATIO
    ]
    turns = sum((a > 1) != (b > 1) for a, b in itertools.pairwise(swings))
    if turns < MIN_FID_TURNS or turns < len(late) // 3:
        return None
    says = f"FID turned by over {FID_SWING_RATIO - 1:.0%} {turns} times"
    held = Held(int(series.steps[start]), turns / len(late))
    return Observation(held, [FID_TURNS.evidence(turns, says)])


def _belief_oscillation(log: Log) -> Observation | None:
    belief = log.get("d_fake", 4 * MIN_VALUES)
    if belief is None or is_unbounded(log):
        return None
    start = belief.steps[-1] * (1 - 2 * TAIL_FRACTION)
    swing = float(np.std(belief.since(start).values))
    if swing <= BELIEF_SWING:
        return None
    says = f"D(G(z)) swings by {swing:.2f} from one log to the next"
    held = Held(int(start), BELIEF_CONFIDENCE)
    return Observation(held, [BELIEF_SWINGS.evidence(swing, says)])
