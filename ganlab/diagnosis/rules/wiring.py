"""Rules of how a run is put together: what does not move, is ignored or reversed.

These are facts and not scores: what is exactly so from the first measurement on needs
no score that agrees, and is critical by itself.
"""

from dataclasses import replace

import numpy as np

from ganlab.diagnosis.evidence import (
    HALF_LEVEL,
    MIN_VALUES,
    NETWORKS,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    last_median,
    last_value,
    smooth,
)
from ganlab.diagnosis.log import LOSSES, Log, Series
from ganlab.diagnosis.rules import losses
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import has_dead_layer, observe_signal

MIN_PATH = 0.01  # of the weights' norm, were all steps in one direction
PATH = Bound(
    "{network}_update_ratio",
    MIN_PATH,
    above=False,
    condition=f"adds up over the run to < {MIN_PATH:g}",
)
STILL_PULLS = 0.01
END = 1e-3  # of the run's first half
END_OF_STEPS = Bound(
    "{network}_update_ratio",
    None,
    above=False,
    condition=f"< {END:g} times the first half's, though the gradient is over "
    f"{STILL_PULLS:g} times its own",
)
RATE, GRADIENT = (
    Bound(signal, 0.0, condition="was never over 0")
    for signal in ("{network}_learning_rate", "{network}_gradient_norm")
)
STILL = (RATE, GRADIENT)
LATENT_EFFECT = Bound(
    "latent_effect",
    HALF_LEVEL,
    above=False,
    condition="was always under half a level of 8 bits",
)
REVERSED = Bound("{network}_logit_direction", -0.9, above=False)
STEP_GAIN = Bound(
    "g_step_gain",
    -1.0,
    above=False,
    condition="< -1 from the run's first half on, where D tells both sides apart",
)
DECIDED = Bound("logit_separation", 0.75)
CONTENT = 0.1  # of what a loss began with, or of what chance has
GAIN = 0.5
BOTH_CONTENT = Bound(
    "g_loss",
    None,
    above=False,
    condition=f"and `d_loss` at once < {CONTENT:g} of their start (of "
    f"{losses.CHANCE:.3g} at most), or `g_loss` under 0 and by {GAIN:g} lower "
    "than it began",
)


@rule(PATH, *STILL, END_OF_STEPS, losses.STEADY, severities=("warning", "critical"))
def frozen_network(log: Log) -> Observation | None:
    """A network's steps are 0, add up to next to nothing, or ended in mid-run."""
    for key, network in NETWORKS.items():
        for bound in (PATH, *STILL):
            own = bound.of(key)
            series = log.get(own.signal, MIN_VALUES)
            if series is None or np.abs(series.values).max() > 0.0:
                continue
            if bound is not RATE and has_dead_layer(log):
                continue
            what = own.signal.removeprefix(f"{key}_").replace("_", " ")
            says = f"the {network}'s {what} was 0 all the time"
            held = Held(int(series.steps[0]), 1.0)
            return Observation(held, [own.evidence(0.0, says)], "critical")
    for key, network in NETWORKS.items():
        own = PATH.of(key)
        series = log.get(own.signal, MIN_VALUES)
        if series is None or log.last_step < WARMUP_STEPS:
            continue
        path = float(series.values.mean()) * log.last_step
        if own.past(path) and not has_dead_layer(log):
            says = f"all steps of the {network} add up to {path:.2%} of its weights"
            held = Held(int(series.steps[0]), 1.0)
            return Observation(held, [own.evidence(path, says)], "warning")
    return losses.neither_moves(log) if log.foreign else _ended(log)


def _ended(log: Log) -> Observation | None:
    """A network whose steps ended, which its gradient did not."""
    for key, network in NETWORKS.items():
        own = END_OF_STEPS.of(key)
        steps, gradients = (
            log.get(f"{key}_{name}", 2 * MIN_VALUES)
            for name in ("update_ratio", "gradient_norm")
        )
        if steps is None or gradients is None or log.last_step < WARMUP_STEPS:
            continue
        own = own.at(END * _first_half(steps))
        held = own.held_by(steps)
        pulls = last_median(gradients) >= STILL_PULLS * _first_half(gradients)
        if held is None or not pulls:
            continue
        value = last_median(steps)
        says = f"a step changes the {network}'s weights by no more than {value:.2g}"
        return Observation(held, [own.evidence(value, says)])
    return None


def _first_half(series: Series) -> float:
    """Median of the values of a run's first half."""
    return float(np.median(series.values[: len(series) // 2]))


@rule(LATENT_EFFECT, severities=("critical",))
def ignored_latents(log: Log) -> Observation | None:
    """Other latents never gave another image."""
    series = log.get(LATENT_EFFECT.signal, MIN_VALUES)
    if series is None:
        return None
    effects = series.values / _narrowness(log)
    if not LATENT_EFFECT.past(effects).all():
        return None
    value = float(effects.max())
    says = f"other latents never changed the images by more than {value:.2g} of 1"
    held = Held(int(series.steps[0]), 1.0)
    return Observation(held, [LATENT_EFFECT.evidence(value, says)])


def _narrowness(log: Log) -> float:
    """The widest range that fakes had over that of the data, 1 at most."""
    spans = []
    for side in ("fake", "real"):
        low, high = (log.get(f"{side}_{end}") for end in ("low", "high"))
        if low is None or high is None or len(low) != len(high):
            return 1.0
        spans.append(float(np.max(high.values - low.values)))
    return min(spans[0] / max(spans[1], 1e-12), 1.0) or 1.0


@rule(REVERSED, (STEP_GAIN, DECIDED), BOTH_CONTENT, severities=("critical",))
def inverted_objective(log: Log) -> Observation | None:
    """A loss teaches the reverse, or both networks win."""
    for key, taught in {
        "d": "the discriminator's loss lowers real logits and raises fake ones",
        "g": "the generator's loss lowers the logits of its own images",
    }.items():
        own = REVERSED.of(key)
        held = own.held(log)
        if held is not None:
            return Observation(
                held, [own.evidence(last_value(log, own.signal), taught)]
            )
    return _led_astray(log) or _both_content(log)


def _led_astray(log: Log) -> Observation | None:
    """G's steps lead away from what D takes for real."""
    says = (
        "a step of the generator moves the logits of its images {:.3g} standard errors "
        "towards those of real ones"
    )
    observed = observe_signal(log, STEP_GAIN, says)
    if observed is None or observed.held.since_step > log.last_step / 2:
        return None
    return None if DECIDED.held(log) is None else observed


def _both_content(log: Log) -> Observation | None:
    """Both losses fell far, though what one network wins the other loses."""
    d_loss, g_loss = (smooth(log.get(name, 2 * MIN_VALUES)) for name in LOSSES)
    if d_loss is None or g_loss is None or log.last_step < WARMUP_STEPS:
        return None
    if d_loss.values.min() < 0.0:
        return None
    evidence, held = [], None
    for name, series in (("g_loss", g_loss), ("d_loss", d_loss)):
        start = float(series.values[0])
        wanted = CONTENT * min(start, losses.CHANCE)
        if name == "g_loss" and series.values[-1] < 0.0:
            wanted = start - GAIN
        own = replace(BOTH_CONTENT, signal=name).at(wanted)
        held = own.held_by(series)
        if held is None:
            return None
        value = last_median(series)
        says = f"{name} fell from {start:.2g} to {value:.2g}, and so did the other"
        evidence.append(own.evidence(value, says))
    if held is None:
        return None
    began = int(d_loss.steps[0])  # a loss is reversed from the first step on
    return Observation(held._replace(since_step=began), evidence)
