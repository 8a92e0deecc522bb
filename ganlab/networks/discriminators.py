"""The DCGAN discriminator."""

import keras
from keras import layers

from ganlab.data.sizes import ImageSize
from ganlab.networks import blocks
from ganlab.networks.layers import MinibatchStdDev


def dcgan_discriminator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    num_classes: int | None = None,
    base_filters: int = 64,
    activation: str = "leaky_relu",
    normalization: str = "none",
    downsampling: str = "stride",
    kernel_size: int = 4,
    padding: str = "same",
    conditioning: str = "projection",
    packing: int = 1,
    spectral_norm: bool = False,
    minibatch_stddev: bool = False,
    san: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """The DCGAN discriminator: halves until the feature map is small, then one logit.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        num_classes: Integer, or `None` for images alone.
        base_filters: Integer. Channels of the first feature map; the next
            one has twice as many, and so on up to 16 times as many.
        activation: `"relu"`, `"leaky_relu"`, `"tanh"` or `"sigmoid"`.
        normalization: `"batch"`, `"layer"` or `"none"`. The first block has
            none, as in the paper. Batch normalisation couples the samples of
            a batch, which gradient penalties do not allow.
        downsampling: `"stride"`, `"average_pool"` or `"max_pool"`.
        kernel_size: Integer. Side of every kernel.
        padding: `"same"` or `"valid"`.
        conditioning: With classes, `"projection"` or `"auxiliary"`: see
            `ganlab.networks.blocks.discriminator_head`.
        packing: Integer: images that are discriminated together.
        spectral_norm: Boolean: normalise every kernel spectrally.
        minibatch_stddev: Boolean: see `ganlab.networks.MinibatchStdDev`.
        san: Boolean: end on `ganlab.networks.SlicingNormalization`.
        name: String.

    Returns:
        A functional `keras.Model` from images `(batch, height, width,
        packing * channels)` in [-1, 1], or from `[images, labels]`, to raw
        logits `(batch, 1)` in float32. Real is the positive side.

    Reference:
        [Radford et al., 2015](https://arxiv.org/abs/1511.06434), section 3
    """
    images = blocks.image_inputs(image_size, channels, packing)
    x = blocks.downsample_fully(
        images,
        image_size,
        base_filters,
        activation=activation,
        normalization=normalization,
        downsampling=downsampling,
        kernel_size=kernel_size,
        padding=padding,
        spectral_norm=spectral_norm,
    )
    if minibatch_stddev:
        x = MinibatchStdDev()(x)
    return blocks.discriminator_head(
        images,
        layers.Flatten()(x),
        num_classes,
        conditioning=conditioning,
        kernel_initializer=blocks.initializer(),
        spectral_norm=spectral_norm,
        san=san,
        name=name,
    )
