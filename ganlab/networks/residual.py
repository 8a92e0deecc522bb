"""Residual generators and discriminators for images of 16 to 512 pixels.

SNGAN's networks, optionally with BigGAN's attention, and R3GAN's, which need no
normalisation.
"""

import math

import keras
from keras import layers

from ganlab.data.sizes import ImageSize, sides
from ganlab.networks import blocks
from ganlab.networks.convolution import NearestConv2D
from ganlab.networks.generators import generator_head
from ganlab.networks.layers import (
    Basis,
    GroupedConv2D,
    Initializer,
    MinibatchStdDev,
    SelfAttention,
)

GROUP_SIZE = 16
ATTENTION_SIZE = 128  # pixels of the largest images with attention in the last block
LEAKY_RELU_GAIN = (2.0 / (1.0 + blocks.LEAKY_RELU_SLOPE**2)) ** 0.5


def resnet_generator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    latent_dim: int = 128,
    num_classes: int | None = None,
    base_filters: int = 64,
    attention: bool = False,
    conditioning: str = "batch_norm",
    name: str = "generator",
) -> keras.Model:
    """SNGAN's residual generator: each block doubles the feature map.

        block(x) = conv(relu(norm(conv(up(relu(norm(x))))))) + conv1(up(x))

    with 3 by 3 convolutions, nearest-neighbour upsampling and batch
    normalisation, by class where there are classes. Widths shrink from four
    times `base_filters` to `base_filters`.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        latent_dim: Integer. Size of the noise vector.
        num_classes: Integer, or `None` for noise alone.
        base_filters: Integer. Channels of the last hidden feature map.
        attention: Boolean: self-attention before the last block, or at 64 pixels of
            larger images.
        conditioning: See `ganlab.networks.dcgan_generator`.
        name: String.

    Returns:
        A functional `keras.Model`, as of `ganlab.networks.dcgan_generator`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), table 4;
        [Brock et al., 2018](https://arxiv.org/abs/1809.11096), appendix B
    """
    blocks.check_image(image_size, channels)
    inputs, x, classes = blocks.latent_inputs(latent_dim, num_classes, conditioning)
    stages = blocks.num_stages(image_size)
    beyond = _stages_beyond(stages)
    start, widths = _stages(image_size, base_filters, stages)
    units = math.prod(start) * widths[0]
    x = layers.Dense(units, kernel_initializer="glorot_uniform")(x)
    x = layers.Reshape((*start, widths[0]))(x)
    for stage, width in enumerate(widths):
        if attention and stage == stages - 1 - beyond:
            x = SelfAttention()(x)
        y = blocks.activate(blocks.normalize(x, "batch", **classes), "relu")
        layer = NearestConv2D(
            width, 3, padding="same", kernel_initializer="glorot_uniform"
        )
        y = layer(y)
        y = blocks.activate(blocks.normalize(y, "batch", **classes), "relu")
        y = _convolve(y, width, 3)
        # Before it is enlarged a map has a quarter of the pixels.
        x = layers.Add()([y, layers.UpSampling2D(2)(_convolve(x, width, 1))])
    x = blocks.activate(blocks.normalize(x, "batch"), "relu")
    return generator_head(inputs, _convolve(x, channels, 3), image_size, "tanh", name)


def resnet_discriminator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    num_classes: int | None = None,
    base_filters: int = 64,
    attention: bool = False,
    spectral_norm: bool = True,
    conditioning: str = "projection",
    packing: int = 1,
    minibatch_stddev: bool = False,
    san: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """SNGAN's residual discriminator: each block halves the feature map.

        block(x) = pool(conv(relu(conv(relu(x))))) + pool(conv1(x))

    with 3 by 3 convolutions, average pooling and, at the end, one more block
    without pooling and the sum over the feature map.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        num_classes: Integer, or `None` for images alone.
        base_filters: Integer. Channels of the first feature map; they grow
            to four times as many.
        attention: Boolean: self-attention after the first block, or at 64 pixels of
            larger images.
        spectral_norm: Boolean: normalise every kernel spectrally.
        conditioning: See `ganlab.networks.dcgan_discriminator`.
        packing: Integer: images that are discriminated together.
        minibatch_stddev: Boolean: see `ganlab.networks.MinibatchStdDev`.
        san: Boolean: end on `ganlab.networks.SlicingNormalization`.
        name: String.

    Returns:
        A functional `keras.Model`, as of `ganlab.networks.dcgan_discriminator`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), table 4
    """
    images = blocks.image_inputs(image_size, channels, packing)
    x = images
    stages = blocks.num_stages(image_size)
    _, widths = _stages(image_size, base_filters, stages)
    for stage, width in enumerate([*reversed(widths), widths[0]]):
        last = stage == stages
        y = x if stage == 0 else blocks.activate(x, "relu")
        y = _convolve(y, width, 3, spectral_norm)
        y = _convolve(blocks.activate(y, "relu"), width, 3, spectral_norm)
        if not last or x.shape[-1] != width:
            x = _convolve(x, width, 1, spectral_norm)
        if not last:
            x, y = (layers.AveragePooling2D(2, padding="same")(z) for z in (x, y))
        x = layers.Add()([x, y])
        if attention and stage == _stages_beyond(stages):
            x = SelfAttention(spectral_norm)(x)
    x = blocks.activate(x, "relu")
    if minibatch_stddev:
        x = MinibatchStdDev()(x)
    positions = x.shape[1] * x.shape[2]
    features = layers.Rescaling(positions, dtype="float32")(
        layers.GlobalAveragePooling2D(dtype="float32")(x)
    )
    return blocks.discriminator_head(
        images,
        features,
        num_classes,
        conditioning=conditioning,
        kernel_initializer="glorot_uniform",
        spectral_norm=spectral_norm,
        san=san,
        name=name,
    )


def r3gan_generator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    latent_dim: int = 64,
    num_classes: int | None = None,
    base_filters: int = 64,
    num_blocks: int = 2,
    name: str = "generator",
) -> keras.Model:
    """R3GAN's generator: a learned feature map, then residual blocks and doublings.

        block(x) = x + conv1(act(grouped conv3(act(conv1(x)))))

    Each block widens to twice its channels, in groups of 16; the largest
    feature map has `base_filters` channels, those of half its size twice as many,
    and the rest four times. There is no normalisation: the last convolution of a block
    starts at 0 and the others are scaled down by the number of blocks (fix-up
    initialisation).

    The paper ends on a linear layer; here `tanh` bounds the image. Doubling is
    bilinear.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        latent_dim: Integer. Size of the noise vector.
        num_classes: Integer, or `None` for noise alone; a class is embedded
            and joined to the noise.
        base_filters: Integer, a multiple of 8. Channels of the largest
            feature map.
        num_blocks: Integer: residual blocks at each size.
        name: String.

    Returns:
        A functional `keras.Model`, as of `ganlab.networks.dcgan_generator`.

    Reference:
        [Huang et al., 2024](https://arxiv.org/abs/2501.05441), section 4;
        [Zhang et al., 2019](https://arxiv.org/abs/1901.09321)
    """
    blocks.check_image(image_size, channels)
    inputs, x, _ = blocks.latent_inputs(latent_dim, num_classes, "concat")
    start, widths = _stages(image_size, base_filters, blocks.num_stages(image_size) + 1)
    x = layers.Dense(widths[0], use_bias=False, kernel_initializer=_scaled())(x)
    x = Basis(start)(x)
    for stage, width in enumerate(widths):
        if stage:
            x = _to_width(x, width)
            x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        for _ in range(num_blocks):
            x = _r3gan_block(x, len(widths) * num_blocks)
    return generator_head(inputs, _linear(x, channels), image_size, "tanh", name)


def r3gan_discriminator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    num_classes: int | None = None,
    base_filters: int = 64,
    num_blocks: int = 2,
    conditioning: str = "projection",
    packing: int = 1,
    minibatch_stddev: bool = False,
    san: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """R3GAN's discriminator: the generator's mirror image.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        num_classes: Integer, or `None` for images alone.
        base_filters: Integer, a multiple of 8. Channels of the largest
            feature map.
        num_blocks: Integer: residual blocks at each size.
        conditioning: See `ganlab.networks.dcgan_discriminator`.
        packing: Integer: images that are discriminated together.
        minibatch_stddev: Boolean: see `ganlab.networks.MinibatchStdDev`.
        san: Boolean: end on `ganlab.networks.SlicingNormalization`.
        name: String.

    Returns:
        A functional `keras.Model`, as of `ganlab.networks.dcgan_discriminator`.

    Reference:
        [Huang et al., 2024](https://arxiv.org/abs/2501.05441), section 4
    """
    images = blocks.image_inputs(image_size, channels, packing)
    _, widths = _stages(image_size, base_filters, blocks.num_stages(image_size) + 1)
    x = _linear(images, base_filters)
    for stage, width in enumerate(reversed(widths)):
        if stage:
            x = _to_width(layers.AveragePooling2D(2, padding="same")(x), width)
        for _ in range(num_blocks):
            x = _r3gan_block(x, len(widths) * num_blocks)
    if minibatch_stddev:
        x = MinibatchStdDev()(x)
    x = layers.DepthwiseConv2D(
        x.shape[1:3], use_bias=False, depthwise_initializer=_scaled()
    )(x)
    return blocks.discriminator_head(
        images,
        layers.Flatten()(x),
        num_classes,
        conditioning=conditioning,
        kernel_initializer=_scaled(),
        spectral_norm=False,
        san=san,
        name=name,
    )


def _stages(
    image_size: ImageSize, base_filters: int, count: int
) -> tuple[tuple[int, int], list[int]]:
    """Sides of the smallest feature map, and the widths of `count` sizes from it up."""
    widths = [base_filters * min(2**k, 4) for k in reversed(range(count))]
    height, width = sides(image_size)
    factor = 2 ** blocks.num_stages(image_size)
    return (-(-height // factor), -(-width // factor)), widths


def _stages_beyond(stages: int) -> int:
    """How many doublings images have more than those of 128 pixels."""
    return max(0, stages - blocks.num_stages(ATTENTION_SIZE))


def _convolve(
    x: keras.KerasTensor, filters: int, kernel_size: int, spectral_norm: bool = False
) -> keras.KerasTensor:
    layer = layers.Conv2D(
        filters, kernel_size, padding="same", kernel_initializer="glorot_uniform"
    )
    return blocks.spectral(layer, spectral_norm)(x)


def _scaled(gain: float = 1.0) -> Initializer:
    """Gaussian weights of standard deviation `gain / sqrt(fan_in)`."""
    if gain == 0.0:
        return "zeros"
    return keras.initializers.VarianceScaling(
        gain**2, mode="fan_in", distribution="untruncated_normal"
    )


def _linear(
    x: keras.KerasTensor, filters: int, gain: float = 1.0, use_bias: bool = False
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, 1, use_bias=use_bias, kernel_initializer=_scaled(gain)
    )(x)


def _to_width(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return x if x.shape[-1] == filters else _linear(x, filters)


def _r3gan_block(x: keras.KerasTensor, total_blocks: int) -> keras.KerasTensor:
    filters = x.shape[-1]
    gain = LEAKY_RELU_GAIN * total_blocks**-0.25
    wide = 2 * filters
    y = _linear(x, wide, gain, use_bias=True)
    y = blocks.activate(y, "leaky_relu")
    groups = max(1, wide // GROUP_SIZE)
    y = GroupedConv2D(wide, 3, groups, kernel_initializer=_scaled(gain))(y)
    y = blocks.activate(y, "leaky_relu")
    return layers.Add()([x, _linear(y, filters, gain=0.0)])
