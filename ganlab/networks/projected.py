"""Projected GAN: FastGAN's generator, and a discriminator on frozen features."""

from typing import Any

import keras
from keras import layers, ops

from ganlab.data.sizes import ImageSize
from ganlab.networks import blocks
from ganlab.networks.convolution import NearestConv2D
from ganlab.networks.generators import generator_head
from ganlab.networks.layers import ChosenClass
from ganlab.networks.projection import ProjectedFeatures

MAX_GROWTH = 8  # of filters, from the largest feature map to the smallest
EXCITED_STAGES = 4  # doublings that a skip-layer excitation passes over
HEAD_SIZE = 8  # largest side of the feature maps that a head ends on
CLASS_MAPS = 64


def projected_generator(
    image_size: ImageSize = 64,
    channels: int = 3,
    *,
    latent_dim: int = 64,
    num_classes: int | None = None,
    base_filters: int = 64,
    conditioning: str = "concat",
    name: str = "generator",
) -> keras.Model:
    """FastGAN's generator: gated doublings, the smallest maps exciting the largest.

        double(x) = glu(norm(conv3(up(x))))
        excite(small, large) = large * sigmoid(conv1(silu(conv4(pool(small)))))

    with nearest-neighbour enlargement, a gate `glu(a, b) = a sigmoid(b)` over twice the
    channels, spectrally normalised kernels, and latents scaled to length 1. A feature
    map is excited by the one a 16th of its side, from 64 pixels on. It is Projected
    GAN's light variant: one convolution a doubling, without noise.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        latent_dim: Integer. Size of the noise vector.
        num_classes: Integer, or `None` for noise alone.
        base_filters: Integer. Channels of the largest feature map; they double towards
            the smallest, up to 8 times as many.
        conditioning: See `ganlab.networks.dcgan_generator`.
        name: String.

    Returns:
        A functional `keras.Model`, as of `ganlab.networks.dcgan_generator`.

    Reference:
        [Liu et al., 2021 (FastGAN)](https://arxiv.org/abs/2101.04775), section 3.1;
        [Sauer et al., 2021](https://arxiv.org/abs/2111.01007), section 4
    """
    sides = blocks.check_image(image_size, channels)
    stages = blocks.num_stages(image_size)
    rows, columns = (-(-side // 2**stages) for side in sides)
    widths = [base_filters * min(2**k, MAX_GROWTH) for k in reversed(range(stages + 1))]

    inputs, x, classes = blocks.latent_inputs(latent_dim, num_classes, conditioning)
    x = layers.UnitNormalization(dtype="float32", name="unit_length")(x)
    dense = layers.Dense(rows * columns * 2 * widths[0], **_linear("project"))
    x = layers.Reshape((rows, columns, 2 * widths[0]))(blocks.spectral(dense)(x))
    maps = [ops.glu(blocks.normalize(x, "batch", **classes))]
    for stage, width in enumerate(widths[1:], 1):
        options = {**_linear(f"double_{stage}"), "padding": "same"}
        x = blocks.spectral(NearestConv2D(2 * width, 3, **options))(maps[-1])
        x = ops.glu(blocks.normalize(x, "batch", **classes))
        if stage >= EXCITED_STAGES:
            x = _excite(maps[stage - EXCITED_STAGES], x, stage)
        maps.append(x)
    options = {**_linear("to_image"), "use_bias": True, "padding": "same"}
    last = layers.Conv2D(channels, 3, **options)
    x = blocks.spectral(last)(maps[-1])
    return generator_head(inputs, x, image_size, "tanh", name)


def _excite(small: Any, large: Any, stage: int) -> Any:
    """Weighs each channel of a large feature map by what a small one holds."""
    pools = [max(1, side // blocks.BASE_SIZE) for side in small.shape[1:3]]
    if max(pools) > 1:
        small = layers.AveragePooling2D(pools)(small)
    width = large.shape[-1]
    options = {**_linear(f"excite_{stage}"), "padding": "valid"}
    x = blocks.spectral(layers.Conv2D(width, small.shape[1:3], **options))(small)
    gate = layers.Conv2D(width, 1, **_linear(f"excite_{stage}_gate"))
    x = blocks.spectral(gate)(layers.Activation("silu")(x))
    return layers.Multiply()([large, layers.Activation("sigmoid")(x)])


def projected_discriminator(
    image_size: ImageSize = 64,
    channels: int = 3,
    *,
    num_classes: int | None = None,
    base_filters: int = 64,
    packing: int = 1,
    san: bool = False,
    frozen_features: str = "imagenet",
    feature_size: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """Projected GAN's discriminator: four heads on frozen, randomly mixed features.

    Each head halves its feature map by convolutions of stride 2, batch normalisation
    and leaky ReLU until it is as small as the smallest (halved while over 8), and ends
    on a 4 by 4 convolution; kernels are spectrally normalised. The published one
    enlarges images to 224 pixels; here they are seen at their own size from 64 pixels
    on, a twelfth of the operations at 64.

    With classes, a head's last feature map of 64 channels is multiplied by the class's
    vector, `embedding(y) . f(x)`.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        num_classes: Integer, or `None` for images alone.
        base_filters: Integer: `filters` of `ganlab.networks.ProjectedFeatures`. A
            head's grow to 8 times as many.
        packing: Integer: images that are discriminated together.
        san: Boolean: end on `ganlab.networks.SlicingNormalization`.
        frozen_features: `weights` of `ganlab.networks.ProjectedFeatures`.
        feature_size: Integer, a multiple of 32: the shorter side of images as the
            frozen network sees them, or `None` for their own.
        name: String.

    Returns:
        A functional `keras.Model` from images `(batch, height, width,
        packing * channels)` in [-1, 1], or from `[images, labels]`, to raw float32
        logits `(batch, n)` of `n` patches of four scales. Real is the positive side.

    Raises:
        UserError: if the package of the weights is missing.

    Reference:
        [Sauer et al., 2021](https://arxiv.org/abs/2111.01007), section 3
    """
    images = blocks.image_inputs(image_size, channels, packing)
    inputs: Any = images
    labels = None
    if num_classes is not None:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
    frozen = ProjectedFeatures(
        channels,
        _seen_size(images.shape[1:3], feature_size),
        base_filters,
        frozen_features,
        name="frozen_features",
    )
    maps = frozen(images)
    end = min(maps[-1].shape[1:3])
    while end > HEAD_SIZE:
        end //= 2
    logits = [
        _head(x, end, MAX_GROWTH * base_filters, labels, num_classes, san, f"head_{i}")
        for i, x in enumerate(maps)
    ]
    return keras.Model(inputs, layers.Concatenate(dtype="float32")(logits), name=name)


def _seen_size(
    sides: tuple[int, int], feature_size: int | None
) -> tuple[int, int] | None:
    """Height and width that the frozen network sees, or `None` for the image's own."""
    if feature_size is None:
        return None
    shortest = min(sides)
    height, width = (-(-side * feature_size // shortest // 32) * 32 for side in sides)
    return height, width


def _head(
    x: Any,
    end: int,
    max_filters: int,
    labels: Any,
    num_classes: int | None,
    san: bool,
    name: str,
) -> Any:
    """Logits `(batch, n)` of one feature map, in float32."""
    stage = 0
    while min(x.shape[1:3]) > end:
        width = min(2 * x.shape[-1], max_filters)
        layer = layers.Conv2D(
            width, 4, strides=2, padding="same", name=f"{name}_down_{stage}"
        )
        x = blocks.normalize(blocks.spectral(layer)(x), "batch")
        x = blocks.activate(x, "leaky_relu")
        stage += 1
    sizes = tuple(min(blocks.BASE_SIZE, side) for side in x.shape[1:3])
    options: dict[str, Any] = {"use_bias": False, "dtype": "float32"}

    def last(filters: int, size: Any) -> layers.Layer:
        layer = layers.Conv2D(filters, size, name=f"{name}_logits", **options)
        return blocks.sliced(layer) if san else blocks.spectral(layer)

    if labels is None or num_classes is None:
        return layers.Flatten(dtype="float32")(last(1, sizes)(x))
    maps = layers.Conv2D(CLASS_MAPS, sizes, name=f"{name}_maps", **options)
    by_class = last(num_classes, 1)(blocks.spectral(maps)(x))
    by_class = layers.Reshape((-1, num_classes), dtype="float32")(by_class)
    chosen = ChosenClass(dtype="float32", name=f"{name}_class")([by_class, labels])
    return layers.Flatten(dtype="float32")(chosen)


def _linear(name: str) -> dict[str, Any]:
    initializer = blocks.initializer()
    return {"use_bias": False, "kernel_initializer": initializer, "name": name}
