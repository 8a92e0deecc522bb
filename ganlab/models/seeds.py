"""Seeds of the random numbers of a training step, as a function of seed and step."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

# Purposes.
LATENTS, AUGMENTATION, NOISE, PENALTY, EVALUATION, PATCHES, PIXELS = range(7)


def step_seed(
    seed: Any, step: Any, substep: int, substeps: int, purpose: int, index: int = 0
) -> Any:
    """The seed for one purpose in one discriminator update of a step.

    Args:
        seed: Integer: the GAN's.
        step: Integer tensor: the step.
        substep: Integer: which of the step's discriminator updates.
        substeps: Integer: how many there are.
        purpose: One of this module's purposes.
        index: Integer: which of several uses for one purpose.

    Returns:
        Int64 tensor `(2,)` for TensorFlow's stateless functions; replicas have
        seeds of their own.
    """
    fold_in = tf.random.experimental.stateless_fold_in
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    update = fold_in(
        ops.stack([ops.cast(seed, "int64"), ops.cast(step, "int64")]),
        tf.cast(replica * substeps + substep, "int64"),
    )
    if purpose == LATENTS:
        return update
    return fold_in(fold_in(update, purpose), index)


def random_states(model: keras.Model) -> list[keras.Variable]:
    """The states of all seed generators of a model, such as a dropout's."""
    weights = {id(weight) for weight in model.weights}
    return [state for state in model.variables if id(state) not in weights]
