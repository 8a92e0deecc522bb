"""Encoders of variational autoencoders, made of the discriminators' blocks."""

from collections.abc import Sequence

import keras
from keras import layers

from ganlab.data.sizes import ImageSize
from ganlab.networks import blocks


def dcgan_encoder(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    latent_dim: int = 100,
    base_filters: int = 64,
    activation: str = "leaky_relu",
    normalization: str = "none",
    downsampling: str = "stride",
    kernel_size: int = 4,
    padding: str = "same",
    name: str = "encoder",
) -> keras.Model:
    """The DCGAN discriminator up to its last feature map, then a Gaussian of codes.

    Args:
        image_size: See `ganlab.networks.dcgan_discriminator`, as for all but the next
            argument.
        channels: See there.
        latent_dim: Integer. Components of a code.
        base_filters: See there.
        activation: See there.
        normalization: See there; the first block has none.
        downsampling: See there.
        kernel_size: See there.
        padding: See there.
        name: String.

    Returns:
        A functional `keras.Model` from images `(batch, height, width, channels)` to
        float32 `(batch, 2 * latent_dim)`: the means of the codes, then the logarithms
        of their variances.

    Reference:
        [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), section 3;
        [Radford et al., 2015](https://arxiv.org/abs/1511.06434), section 3
    """
    images = blocks.image_inputs(image_size, channels, 1)
    x = blocks.downsample_fully(
        images,
        image_size,
        base_filters,
        activation=activation,
        normalization=normalization,
        downsampling=downsampling,
        kernel_size=kernel_size,
        padding=padding,
    )
    return encoder_head(images, layers.Flatten()(x), latent_dim, name)


def mlp_encoder(
    input_dim: int = 2,
    *,
    latent_dim: int = 2,
    widths: Sequence[int] = (200, 200),
    activation: str = "relu",
    name: str = "encoder",
) -> keras.Model:
    """An encoder of vectors, such as samples of toy 2-D mixtures.

    Args:
        input_dim: Integer. Size of one sample.
        latent_dim: Integer. Components of a code.
        widths: Integers: units of the hidden layers.
        activation: One of `ganlab.networks.blocks.ACTIVATIONS`.
        name: String.

    Returns:
        A functional `keras.Model` from `(batch, input_dim)` to what `dcgan_encoder`
        gives.
    """
    samples = keras.Input((input_dim,), name="points")
    x = samples
    for width in widths:
        x = layers.Dense(width, kernel_initializer="he_normal")(x)
        x = blocks.activate(x, activation)
    return encoder_head(samples, x, latent_dim, name)


def encoder_head(
    inputs: keras.KerasTensor, features: keras.KerasTensor, latent_dim: int, name: str
) -> keras.Model:
    """Ends an encoder: from features `(batch, size)` to means and log variances.

    Small weights begin near the prior, N(0, I).
    """
    codes = layers.Dense(
        2 * latent_dim,
        kernel_initializer=blocks.initializer(),
        dtype="float32",
        name="codes",
    )(features)
    return keras.Model(inputs, codes, name=name)
