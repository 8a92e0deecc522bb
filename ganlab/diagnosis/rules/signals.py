"""Observations that several rules share: one signal past its threshold."""

from collections.abc import Mapping
from typing import Any

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    NETWORKS,
    WARMUP_STEPS,
    Bound,
    Observation,
    last_value,
)
from ganlab.diagnosis.log import Log, Series

WHOLE_LAYER = 0.99  # of its units


def discriminator_accuracy(log: Log) -> Series | None:
    """The mean of D's accuracies on real and on fake images, or `None`."""
    real, fake = (
        log.get(f"d_accuracy_{side}", MIN_VALUES) for side in ("real", "fake")
    )
    if real is None or fake is None or len(real) != len(fake):
        return None
    return Series(real.steps, (real.values + fake.values) / 2)


def has_dead_layer(log: Log) -> bool:
    """Whether all units of a layer were dead all along, so that nothing passes it.

    A discriminator that nothing passes has no gradient for the generator either.
    """
    for key in NETWORKS:
        dead = log.get(f"{key}_dead_share", MIN_VALUES)
        if dead is not None and dead.values[1:].min() > WHOLE_LAYER:
            return True
    return False


def observe_signal(log: Log, bound: Bound, says: str) -> Observation | None:
    """A signal past its threshold, once the warm-up is over.

    Args:
        log: The `Log`.
        bound: The `Bound`.
        says: A sentence with a field for the value.
    """
    held = bound.held(log)
    if held is None or log.last_step < WARMUP_STEPS:
        return None
    value = last_value(log, bound.signal)
    return Observation(held, [bound.evidence(value, says.format(value))])


def observe_networks(
    log: Log,
    bound: Bound,
    says: str,
    changes: Mapping[str, dict[str, Any] | None],
) -> Observation | None:
    """The first network, generator before discriminator, whose signal is past.

    Args:
        log: The `Log`.
        bound: The `Bound`, whose signal has a field `{network}`.
        says: A sentence with fields for the value and the network.
        changes: Settings that cure it, for each network.
    """
    for key, network in NETWORKS.items():
        own = bound.of(key)
        held = own.held(log)
        if held is not None:
            value = last_value(log, own.signal)
            evidence = [own.evidence(value, says.format(value, network))]
            return Observation(held, evidence, changes=changes[network])
    return None
