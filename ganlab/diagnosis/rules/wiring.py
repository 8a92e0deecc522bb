"""Rules of how a run is put together: what does not move, is ignored or reversed.

These are facts and not scores: what is exactly so from the first measurement on needs
no score that agrees, and is critical by itself.
"""

import numpy as np

from ganlab.diagnosis.evidence import (
    HALF_LEVEL,
    MIN_VALUES,
    NETWORKS,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    last_value,
    make_evidence,
)
from ganlab.diagnosis.findings import Evidence
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_signal

MIN_PATH = 0.01  # of the weights' norm, were all steps in one direction
PATH = Bound(
    "{network}_update_ratio",
    MIN_PATH,
    above=False,
    condition=f"adds up over the run to < {MIN_PATH:g}",
)
STILL = tuple(
    Bound(signal, 0.0, condition="was never over 0")
    for signal in ("{network}_learning_rate", "{network}_gradient_norm")
)
LATENT_EFFECT = Bound(
    "latent_effect",
    HALF_LEVEL,
    above=False,
    condition="was always under half a level of 8 bits",
)
REVERSED = Bound("{network}_logit_direction", -0.9, above=False)
STEP_GAIN = Bound(
    "g_step_gain", 0.0, above=False, condition="< 0 from the run's first half on"
)
PROBABILITIES = Bound(
    "logit_highest",
    1.0,
    above=False,
    condition="was never over 1, and `logit_lowest` never under 0",
)
MISREAD = Bound(
    "misread_answers", None, condition="in a model whose cross-entropy is known"
)


@rule(PATH, *STILL, severities=("warning", "critical"))
def frozen_network(log: Log) -> Observation | None:
    """A network's steps are 0, or add up to next to nothing."""
    for key, network in NETWORKS.items():
        for bound in (PATH, *STILL):
            own = bound.of(key)
            series = log.get(own.signal, MIN_VALUES)
            if series is None or np.abs(series.values).max() > 0.0:
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
        if own.past(path):
            says = f"all steps of the {network} add up to {path:.2%} of its weights"
            held = Held(int(series.steps[0]), 1.0)
            return Observation(held, [own.evidence(path, says)], "warning")
    return None


@rule(LATENT_EFFECT, severities=("critical",))
def ignored_latents(log: Log) -> Observation | None:
    """Other latents never gave another image."""
    series = log.get(LATENT_EFFECT.signal, MIN_VALUES)
    if series is None or not LATENT_EFFECT.past(series.values).all():
        return None
    value = float(series.values.max())
    says = f"other latents never changed the images by more than {value:.2g} of 1"
    held = Held(int(series.steps[0]), 1.0)
    return Observation(held, [LATENT_EFFECT.evidence(value, says)])


@rule(REVERSED, STEP_GAIN, severities=("critical",))
def inverted_objective(log: Log) -> Observation | None:
    """A loss teaches the reverse, or G's steps lead away from what D takes for real."""
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
    says = (
        "a step of the generator moves the logits of its images {:.3g} standard errors "
        "towards those of real ones"
    )
    observed = observe_signal(log, STEP_GAIN, says)
    if observed is None or observed.held.since_step > log.last_step / 2:
        return None
    return observed


@rule(PROBABILITIES)
def double_sigmoid(log: Log) -> Observation | None:
    """Probabilities are taken for logits: by the model's loss, or by their range."""
    if log.settings.get("misread_answers") == "probabilities":
        says = "the discriminator ends on a sigmoid, and the loss applies another"
        return Observation(Held(0, 1.0), [_setting(says)])
    lowest, highest = (
        log.get(name, MIN_VALUES) for name in ("logit_lowest", "logit_highest")
    )
    if lowest is None or highest is None:
        return None
    if lowest.values.min() < 0.0 or highest.values.max() > 1.0:
        return None
    low, high = float(lowest.values.min()), float(highest.values.max())
    says = f"logits were between {low:.3g} and {high:.3g} all the time"
    held = Held(int(highest.steps[0]), 1.0)
    return Observation(held, [PROBABILITIES.evidence(high, says)])


@rule(MISREAD, severities=("warning", "critical"))
def missing_sigmoid(log: Log) -> Observation | None:
    """Logits are taken for probabilities by the model's loss."""
    if log.settings.get("misread_answers") != "logits":
        return None
    says = "the discriminator ends on logits, and the loss takes probabilities"
    return Observation(Held(0, 1.0), [_setting(says)], "critical")


def _setting(says: str) -> Evidence:
    return make_evidence(MISREAD.signal, None, None, says)
