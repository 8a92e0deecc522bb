"""Multilayer perceptrons for vectors, such as samples of toy 2-D mixtures."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ganlab.networks import blocks
from ganlab.networks.layers import MinibatchStdDev


def mlp_generator(
    output_dim: int = 2,
    *,
    latent_dim: int = 2,
    widths: Sequence[int] = (400, 400, 400, 400),
    activation: str = "relu",
    normalization: str = "batch",
    name: str = "generator",
) -> keras.Model:
    """A generator of vectors, by default PacGAN's for toy 2-D mixtures.

    Args:
        output_dim: Integer. Size of one sample.
        latent_dim: Integer. Size of the noise vector.
        widths: Integers: units of the hidden layers.
        activation: One of `ganlab.networks.blocks.ACTIVATIONS`.
        normalization: `"batch"`, `"layer"` or `"none"`, after each hidden layer.
        name: String.

    Returns:
        A functional `keras.Model` from latents `(batch, latent_dim)` to float32
        `(batch, output_dim)`, unbounded.

    Reference:
        [Lin et al., 2017](https://arxiv.org/abs/1712.04086), section 4.1
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for width in widths:
        x = layers.Dense(
            width,
            use_bias=normalization != "batch",
            **_initializers(normalization == "batch"),
        )(x)
        x = blocks.activate(blocks.normalize(x, normalization), activation)
    samples = layers.Dense(output_dim, dtype="float32", name="points")(x)
    return keras.Model(latents, samples, name=name)


def mlp_discriminator(
    input_dim: int = 2,
    *,
    packing: int = 1,
    widths: Sequence[int] = (200, 200, 200),
    activation: str = "maxout",
    pieces: int = 5,
    minibatch_stddev: bool = False,
    san: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """A discriminator of vectors, by default PacGAN's for toy 2-D mixtures.

    Args:
        input_dim: Integer. Size of one sample.
        packing: Integer: samples that are discriminated together.
        widths: Integers: units of the hidden layers.
        activation: One of `ganlab.networks.blocks.ACTIVATIONS`, or `"maxout"`:
            the largest of `pieces` linear functions.
        pieces: Integer: linear functions of a maxout unit.
        minibatch_stddev: Boolean. See `ganlab.networks.MinibatchStdDev`.
        san: Boolean: end on `ganlab.networks.SlicingNormalization`.
        name: String.

    Returns:
        A functional `keras.Model` from `(batch, packing * input_dim)` to raw
        logits `(batch, 1)` in float32.

    Reference:
        [Lin et al., 2017](https://arxiv.org/abs/1712.04086), section 4.1;
        [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)
    """
    blocks.check_choice("activation", activation, (*blocks.ACTIVATIONS, "maxout"))
    samples = keras.Input((packing * input_dim,), name="points")
    x = samples
    for width in widths:
        if activation == "maxout":
            x = layers.Dense(pieces * width, **_initializers(small=True))(x)
            x = layers.Reshape((pieces, width))(x)
            x = layers.GlobalMaxPooling1D()(x)
        else:
            x = layers.Dense(width, **_initializers(small=False))(x)
            x = blocks.activate(x, activation)
    if minibatch_stddev:
        x = MinibatchStdDev()(x)
    last = layers.Dense(1, dtype="float32", name="logits")
    logits = (blocks.sliced(last) if san else last)(x)
    return keras.Model(samples, logits, name=name)


def _initializers(small: bool) -> dict[str, Any]:
    """PacGAN's small weights, or He's with biases that spread the units' kinks.

    Without biases every kink of the first layer passes through 0.
    """
    if small:
        return {"kernel_initializer": blocks.initializer()}
    return {
        "kernel_initializer": "he_normal",
        "bias_initializer": keras.initializers.RandomNormal(stddev=0.5),
    }
