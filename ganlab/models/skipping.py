"""Steps that are not finite are left out, if a GAN is compiled so."""

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError

if TYPE_CHECKING:
    from ganlab.models.adversarial import AdversarialModel

SKIPPED = "skipped_share"  # log key
Kept = list[tuple[keras.Variable, Any]]


def check_devices() -> None:
    """Raises `UserError` on several devices, which would have to agree."""
    devices = tf.distribute.get_strategy().num_replicas_in_sync
    if devices > 1:
        raise UserError(
            "Expected skip_non_finite on one device. Received: "
            f"skip_non_finite=True on {devices}; leave it out"
        )


def state_of(gan: "AdversarialModel") -> list[keras.Variable]:
    """All that a step changes, but for the number of the step itself."""
    parts = (gan, gan.generator_optimizer, gan.discriminator_optimizer)
    variables = {id(v): v for part in parts for v in part.variables}
    variables.pop(id(gan.step))
    return list(variables.values())


def keep(gan: "AdversarialModel") -> Kept:
    """The state before a step, where it may have to be left out."""
    if not gan.skip_non_finite:
        return []
    return [(variable, tf.identity(variable.value)) for variable in state_of(gan)]


def leave_out(gan: "AdversarialModel", kept: Kept, logs: dict[str, Any]) -> Any:
    """Takes a step back that is not finite.

    Args:
        gan: A GAN that has made a step.
        kept: What `keep` gave before it.
        logs: The step's.

    Returns:
        The logs, and whether the step was left out, as 1.0 or 0.0.
    """
    if not kept:
        return logs
    weights = [
        tf.reduce_sum(ops.cast(variable, "float32"))
        for network in (gan.trained_generator, gan.discriminator)
        for variable in network.trainable_variables
    ]
    total = ops.cast(gan.total(logs), "float32") + 0.0 * tf.add_n(weights)
    finite = ops.isfinite(total)
    for variable, value in kept:
        variable.assign(tf.where(finite, variable.value, value))
    return {**logs, SKIPPED: 1.0 - ops.cast(finite, "float32")}
