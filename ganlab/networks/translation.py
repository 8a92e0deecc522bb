"""Networks that make one image of another: U-Net, residual generator, PatchGAN.

Their normalisation is over the channels of each pixel. So a pixel depends neither on
the batch, nor on how large a piece of the picture is seen at once, as it does under
batch and instance normalisation.
"""

from typing import Any

import keras
from keras import layers

from ganlab.errors import UserError, as_count
from ganlab.networks import blocks

FEATURE = "feature_"  # name of a layer whose outputs stand for patches, and a number
MAX_UNET_GROWTH = 8  # of filters, from the largest feature map to the smallest


def unet_generator(
    image_size: int | tuple[int | None, int | None] | None = None,
    channels: int = 3,
    *,
    source_channels: int | None = None,
    base_filters: int = 32,
    stages: int = 4,
    dropout: float = 0.0,
    name: str = "generator",
) -> keras.Model:
    """pix2pix's U-Net: halves `stages` times, doubles back, and joins equal sizes.

    Each halving is a 4 by 4 convolution of stride 2, each doubling a transposed one;
    the paper's batch normalisation is one over the channels of each pixel here.

    Args:
        image_size: Integer, `(height, width)`, or `None` for any: sides that are
            multiples of `2**stages`.
        channels: Integer: channels of the image that is made.
        source_channels: Integer: of what it is made from; by default as many.
        base_filters: Integer. Channels of the largest feature map; they double towards
            the smallest, up to 8 times as many.
        stages: Integer: halvings.
        dropout: Float in [0, 1): rate of the dropout after the first half of the
            doublings, the paper's only noise. It is off outside training.
        name: String.

    Returns:
        A functional `keras.Model` from sources `(batch, height, width,
        source_channels)` in [-1, 1] to float32 images `(batch, height, width,
        channels)` in [-1, 1].

    Reference:
        [Isola et al., 2017](https://arxiv.org/abs/1611.07004), section 6.1.1
    """
    stages = as_count("stages", stages)
    images = _image_input(image_size, source_channels or channels, 2**stages)
    widths = [base_filters * min(2**k, MAX_UNET_GROWTH) for k in range(stages)]
    x, skips = images, []
    for stage, width in enumerate(widths):
        x = _convolve(x, width, 4, strides=2)
        x = _named(x if stage == 0 else _normalize(x), stage, "leaky_relu")
        skips.append(x)
    for stage, width in enumerate(reversed([base_filters, *widths[:-1]])):
        if stage:
            x = layers.Concatenate()([x, skips[-1 - stage]])
        options = blocks.convolution_options("same", "none")
        x = blocks.Conv2DTranspose(width, 4, strides=2, **options)(x)
        x = _normalize(x)
        if dropout and stage < stages // 2:
            x = layers.Dropout(dropout)(x)
        x = blocks.activate(x, "relu")
    return _ended(images, _convolve(x, channels, 3), name)


def resnet_translator(
    image_size: int | tuple[int | None, int | None] | None = None,
    channels: int = 3,
    *,
    source_channels: int | None = None,
    base_filters: int = 32,
    num_blocks: int = 4,
    name: str = "generator",
) -> keras.Model:
    """CycleGAN's residual generator: halves twice, `num_blocks` blocks, doubles twice.

        block(x) = x + norm(conv3(relu(norm(conv3(x)))))

    Args:
        image_size: See `unet_generator`; sides are multiples of 4.
        channels: See there.
        source_channels: See there.
        base_filters: Integer. Channels of the first feature map; blocks have 4 times
            as many.
        num_blocks: Integer, 1 or more; the paper has 6 at 128 pixels and 9 at 256.
        name: String.

    Returns:
        As `unet_generator`.

    Reference:
        [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), appendix;
        [Johnson et al., 2016](https://arxiv.org/abs/1603.08155)
    """
    num_blocks = as_count("num_blocks", num_blocks)
    images = _image_input(image_size, source_channels or channels, 4)
    x = _named(_normalize(_convolve(images, base_filters, 7)), 0, "relu")
    for stage in (1, 2):
        x = _normalize(_convolve(x, base_filters * 2**stage, 3, strides=2))
        x = _named(x, stage, "relu")
    for block in range(num_blocks):
        y = blocks.activate(_normalize(_convolve(x, 4 * base_filters, 3)), "relu")
        y = _normalize(_convolve(y, 4 * base_filters, 3))
        name_of_block = {"name": f"{FEATURE}3"} if block == num_blocks // 2 else {}
        x = layers.Add(**name_of_block)([x, y])
    for width in (2 * base_filters, base_filters):
        options = blocks.convolution_options("same", "none")
        x = blocks.Conv2DTranspose(width, 4, strides=2, **options)(x)
        x = blocks.activate(_normalize(x), "relu")
    return _ended(images, _convolve(x, channels, 7), name)


def patch_discriminator(
    image_size: int | tuple[int | None, int | None] | None = None,
    channels: int = 3,
    *,
    source_channels: int = 0,
    base_filters: int = 32,
    stages: int = 3,
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """PatchGAN: a logit for each of many patches that overlap.

    Each halving is a 4 by 4 convolution of stride 2; two of stride 1 follow. With
    `stages=3` a patch has 70 pixels, as in the paper, with 2 it has 34, with 1 16.

    Args:
        image_size: Integer, `(height, width)`, or `None` for any.
        channels: Integer: channels of the image that is judged.
        source_channels: Integer: of the source beside it, before it on the last axis;
            0 for none.
        base_filters: Integer. Channels of the first feature map.
        stages: Integer, 1 or more: halvings.
        spectral_norm: Boolean: normalise every kernel spectrally.
        name: String.

    Returns:
        A functional `keras.Model` from `(batch, height, width, source_channels +
        channels)` in [-1, 1] to raw logits `(batch, rows, columns, 1)` in float32.
        Real is the positive side.

    Reference:
        [Isola et al., 2017](https://arxiv.org/abs/1611.07004), sections 3.2.2, 6.1.2
    """
    stages = as_count("stages", stages)
    images = _image_input(image_size, source_channels + channels, 1)
    x = images
    for stage in range(stages + 1):
        width = base_filters * min(2**stage, MAX_UNET_GROWTH)
        strides = 2 if stage < stages else 1
        x = _convolve(x, width, 4, strides=strides, spectral_norm=spectral_norm)
        x = blocks.activate(_normalize(x) if stage else x, "leaky_relu")
    x = _convolve(x, 1, 4, spectral_norm=spectral_norm)
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)


def _image_input(image_size: Any, channels: int, multiple: int) -> keras.KerasTensor:
    sides = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    for side in sides:
        if side is not None and as_count("image_size", side) % multiple:
            raise UserError(
                f"Expected sides of a multiple of {multiple} pixels, for the network "
                f"halves them. Received: image_size={image_size}; crop or pad, or "
                "choose fewer stages"
            )
    return keras.Input((*sides, as_count("channels", channels)), name="images")


def _convolve(
    x: Any, filters: int, size: int, strides: int = 1, spectral_norm: bool = False
) -> Any:
    options = blocks.convolution_options("same", "none")
    layer = blocks.Conv2D(filters, size, strides=strides, **options)
    return blocks.spectral(layer, spectral_norm)(x)


def _normalize(x: Any) -> Any:
    return layers.LayerNormalization(axis=-1, epsilon=1e-5)(x)


def _named(x: Any, index: int, activation: str) -> Any:
    """An activation whose outputs stand for the patches that they see."""
    function = {
        "relu": layers.ReLU,
        "leaky_relu": lambda **options: layers.LeakyReLU(
            negative_slope=blocks.LEAKY_RELU_SLOPE, **options
        ),
    }[activation]
    return function(name=f"{FEATURE}{index}")(x)


def _ended(images: Any, x: Any, name: str) -> keras.Model:
    outputs = layers.Activation("tanh", dtype="float32", name="outputs")(x)
    return keras.Model(images, outputs, name=name)
