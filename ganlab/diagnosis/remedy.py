"""Remedies: the next change of settings to try."""

from collections.abc import Mapping, Sequence
from typing import Any

from ganlab.config.settings import keep_networks
from ganlab.diagnosis.findings import Finding


def next_change(
    finding: Finding,
    settings: Mapping[str, Any],
    tried: Sequence[Mapping[str, Any]],
) -> dict[str, Any] | None:
    """The change for the next attempt: never one that was tried.

    The networks and their weights stay, so settings of the training alone count:
    first the finding's own, then R1 where nothing regularizes yet and no batch
    normalisation forbids it, then both rates halved.

    Args:
        finding: A `Finding`.
        settings: The run's settings, flat.
        tried: The changes so far.

    Returns:
        A dict of settings, or `None` if nothing is left to try.
    """
    has_batch_norm = settings.get("discriminator_normalization") == "batch"
    regularized = settings.get("regularizer", "none") != "none"
    halved_rates = {
        name: settings[name] / 2
        for name in ("generator_learning_rate", "discriminator_learning_rate")
        if settings.get(name)
    }
    regularization = {} if regularized else {"regularizer": "r1"}
    for changes in (finding.changes, regularization, halved_rates):
        change = {
            name: value
            for name, value in changes.items()
            if keep_networks([name])
            and settings.get(name) != value
            and not (name == "regularizer" and has_batch_norm)
        }
        if change and change not in tried:
            return change
    return None
