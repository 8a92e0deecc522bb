"""Names the first tensor of a GAN that is not finite."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.probe_network import flat_arguments
from ganlab.models import forward, signature
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
        arguments = signature.arguments(network, inputs, labels)
        layers, outputs = _layer_outputs(network, arguments)
        for layer, output in zip(layers, outputs, strict=True):
            for weight in layer.weights:
                if not _is_finite(weight):
                    return f"{role}/{layer.name}/{weight.name}"
            first = output[0] if isinstance(output, (list, tuple)) else output
            if not _is_finite(tf.cast(first, tf.float32)):
                return f"{role}/{layer.name} output"
        inputs = forward.pack(tf.cast(outputs[-1], tf.float32), gan.packing)
    return None


def _layer_outputs(network: keras.Model, arguments: Any) -> tuple[list[Any], list[Any]]:
    """Layers and what they put out in training, the whole last; no state changes.

    A subclassed network is one layer.
    """
    layers, model = [network], network
    if getattr(network, "outputs", None):
        layers = [*network.layers, network]
        wanted = [layer.output for layer in network.layers]
        model = keras.Model(network.inputs, [*wanted, network.outputs[0]])
        arguments = flat_arguments(arguments)
    with keras.StatelessScope():
        outputs = keras.tree.flatten(model(arguments, training=True))
    return layers, outputs[: len(layers)]


def _is_finite(tensor: Any) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(tensor)).all())
