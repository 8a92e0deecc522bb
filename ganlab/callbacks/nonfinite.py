"""Names the first tensor of a GAN that is not finite."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.models import forward
from ganlab.models.gan import GAN


def first_nonfinite(
    gan: GAN, latents: np.ndarray, labels: np.ndarray | None = None
) -> str | None:
    """Names the first tensor that is not finite, from the noise to the logit.

    Args:
        gan: A `ganlab.GAN`.
        latents: Float32 array `(n, latent_dim)`.
        labels: Int32 array `(n,)` of a conditional GAN, or `None`.

    Returns:
        A string such as `"generator/project/kernel"` or, of an activation,
        `"discriminator/conv2d output"`; `None` if all are finite.
    """
    inputs: Any = tf.constant(latents)
    for role in ("generator", "discriminator"):
        network = getattr(gan, role)
        outputs = _layer_outputs(network, inputs, labels)
        for layer, output in zip(network.layers, outputs, strict=True):
            for weight in layer.weights:
                if not _is_finite(weight):
                    return f"{role}/{layer.name}/{weight.name}"
            first = output[0] if isinstance(output, (list, tuple)) else output
            if not _is_finite(tf.cast(first, tf.float32)):
                return f"{role}/{layer.name} output"
        inputs = forward.pack(tf.cast(outputs[-1], tf.float32), gan.packing)
    return None


def _layer_outputs(
    network: keras.Model, inputs: Any, labels: np.ndarray | None
) -> list[Any]:
    """What each layer puts out in training; no state changes."""
    model = keras.Model(network.inputs, [layer.output for layer in network.layers])
    arguments = inputs
    if len(network.inputs) == 2:
        arguments = [inputs, tf.constant(labels)]
    outputs, _ = model.stateless_call(
        model.trainable_variables,
        model.non_trainable_variables,
        arguments,
        training=True,
    )
    return list(outputs)


def _is_finite(tensor: Any) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(tensor)).all())
