"""What a GAN adds to Keras's optimizers: two of them, loss scaling, accumulation."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError


def prepare(
    generator_optimizer: Any,
    discriminator_optimizer: Any,
    generator: keras.Model,
    discriminator: keras.Model,
    *,
    loss_scaling: bool,
) -> tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]:
    """Builds both optimizers, with loss scaling where a network needs it.

    Args:
        generator_optimizer: A `keras.optimizers.Optimizer`, its name or config.
        discriminator_optimizer: Likewise, and not the same object.
        generator: The network that the first one trains.
        discriminator: The network that the second one trains.
        loss_scaling: Boolean. Whether losses are scaled in float16.

    Raises:
        UserError: for one object given twice.
    """
    same = generator_optimizer is discriminator_optimizer
    if same and isinstance(generator_optimizer, keras.optimizers.Optimizer):
        raise UserError(
            "Expected two optimizers. Received the same object twice; an "
            "optimizer keeps state for one network"
        )
    layers = generator.layers + discriminator.layers
    scaled = loss_scaling and any(layer.compute_dtype == "float16" for layer in layers)
    optimizers = []
    for given, network in (
        (generator_optimizer, generator),
        (discriminator_optimizer, discriminator),
    ):
        optimizer = keras.optimizers.get(given)
        if scaled and not is_scaled(optimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.trainable_variables)
        optimizers.append(optimizer)
    return optimizers[0], optimizers[1]


def is_scaled(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer scales its loss and skips steps that overflow."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def accumulation_steps(optimizer: keras.optimizers.Optimizer) -> int:
    """Steps whose mean gradient makes one update."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return optimizer.gradient_accumulation_steps or 1


def check_accumulation(
    optimizers: tuple[keras.optimizers.Optimizer, ...], num_replicas: int
) -> None:
    """Raises `UserError` for gradient accumulation on several devices."""
    steps = max(accumulation_steps(optimizer) for optimizer in optimizers)
    if num_replicas > 1 and steps > 1:
        raise UserError(
            "Expected gradient accumulation on one device, for Keras's optimizers "
            f"cannot on several. Received: gradient_accumulation_steps="
            f"{steps} on {num_replicas} devices; leave it out"
        )


def scaled_loss(loss: Any, optimizer: keras.optimizers.Optimizer) -> Any:
    """The loss times the loss scale, over the replicas whose gradients are summed."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return optimizer.scale_loss(ops.convert_to_tensor(loss)) / replicas


def apply(
    optimizer: keras.optimizers.Optimizer, network: keras.Model, gradients: list[Any]
) -> Any:
    """Updates a network by gradients of its scaled loss; returns their norm."""
    norm = ops.cast(tf.linalg.global_norm(gradients), "float32")
    norm /= scaled_loss(1.0, optimizer)
    optimizer.apply(gradients, network.trainable_variables)
    return norm
