"""Building blocks of generators and discriminators.

Each block is a function from a Keras tensor to a Keras tensor, so that a model
built from them is an ordinary functional model whose `summary()` lists every
layer. Layers are stock Keras wherever Keras has them.

All feature maps are NHWC.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ganlab.data.sizes import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE, ImageSize, sides
from ganlab.errors import UserError, unknown_name
from ganlab.networks.convolution import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    NearestConv2D,
)
from ganlab.networks.layers import ChosenClass, Initializer, SpectralNormalization
from ganlab.networks.slicing import SlicingNormalization

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")
NORMALIZATIONS = ("batch", "layer", "none")
UPSAMPLINGS = ("transposed", "nearest", "bilinear")
DOWNSAMPLINGS = ("stride", "average_pool", "max_pool")
PADDINGS = ("same", "valid")
GENERATOR_CONDITIONINGS = ("concat", "batch_norm")
DISCRIMINATOR_CONDITIONINGS = ("projection", "auxiliary")

LEAKY_RELU_SLOPE = 0.2
BASE_SIZE = 4
MAX_GROWTH = 16  # of DCGAN's filters, from the largest feature map to the smallest


def initializer() -> keras.initializers.Initializer:
    """The DCGAN paper's weights: Gaussian, mean 0, standard deviation 0.02."""
    return keras.initializers.RandomNormal(stddev=0.02)


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raises `UserError` unless `value` is one of `choices`."""
    if value not in choices:
        raise unknown_name(name, value, choices)


def check_image(image_size: ImageSize, channels: int) -> tuple[int, int]:
    """Height and width of images.

    Raises:
        UserError: for an image shape that the networks do not support.
    """
    height, width = sides(image_size)
    if not all(MIN_IMAGE_SIZE <= side <= MAX_IMAGE_SIZE for side in (height, width)):
        raise UserError(
            f"Expected an image size of {MIN_IMAGE_SIZE} to {MAX_IMAGE_SIZE} "
            f"pixels. Received: {image_size}; choose another image size"
        )
    if not 1 <= channels <= 4:
        raise UserError(
            "Expected 1 (grey), 2 (grey and opacity), 3 (colour) or 4 (colour and "
            f"opacity) channels. Received: channels={channels}"
        )
    return height, width


def num_stages(image_size: ImageSize) -> int:
    """How often an image is halved until its shorter side is under 8 pixels.

    >>> [num_stages(size) for size in (28, 32, 64, 128, (512, 32))]
    [2, 3, 4, 5, 3]
    """
    return int(math.log2(min(sides(image_size)) / BASE_SIZE))


def activate(x: keras.KerasTensor, activation: str) -> keras.KerasTensor:
    """Applies an activation of `ACTIVATIONS`; LeakyReLU has slope 0.2."""
    check_choice("activation", activation, ACTIVATIONS)
    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(x)
    return layers.Activation(activation)(x)


def spectral(layer: layers.Layer, enabled: bool = True) -> layers.Layer:
    """Wraps a layer in spectral normalisation, if `enabled`."""
    if not enabled:
        return layer
    return SpectralNormalization(layer, dtype=layer.dtype_policy, name=layer.name)


def sliced(layer: layers.Layer) -> layers.Layer:
    """Wraps a last linear layer as SAN's."""
    return SlicingNormalization(layer, dtype=layer.dtype_policy, name=layer.name)


def normalize(
    x: keras.KerasTensor,
    normalization: str,
    labels: keras.KerasTensor | None = None,
    num_classes: int | None = None,
) -> keras.KerasTensor:
    """Applies a normalisation of `NORMALIZATIONS`.

    With labels, batch normalisation is conditional: each class has a scale
    and an offset of its own for every channel, which start at 1 and 0.

    `"batch"` uses momentum 0.9: GAN runs are short, and Keras's 0.99 leaves
    the moving statistics hundreds of steps behind the weights. `"layer"`
    normalises each sample over height, width and channels with one scale and
    offset per channel, which is group normalisation with a single group.

    Reference:
        [de Vries et al., 2017](https://arxiv.org/abs/1707.00683), equation 3
    """
    check_choice("normalization", normalization, NORMALIZATIONS)
    if normalization == "batch" and labels is not None:
        channels = x.shape[-1]
        x = BatchNormalization(momentum=0.9, epsilon=1e-5, center=False, scale=False)(x)
        scale, offset = (
            layers.Reshape((1, 1, channels))(
                layers.Embedding(num_classes, channels, embeddings_initializer=start)(
                    labels
                )
            )
            for start in ("ones", "zeros")
        )
        return layers.Add()([layers.Multiply()([x, scale]), offset])
    if normalization == "batch":
        return BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    if normalization == "layer":
        return layers.GroupNormalization(groups=1, epsilon=1e-5)(x)
    return x


def convolution_options(padding: str, normalization: str) -> dict[str, Any]:
    """Options of every convolution; batch normalisation makes a bias idle."""
    check_choice("padding", padding, PADDINGS)
    return {
        "padding": padding,
        "use_bias": normalization != "batch",
        "kernel_initializer": initializer(),
    }


def upsample(
    x: keras.KerasTensor,
    filters: int,
    *,
    activation: str | None = "relu",
    normalization: str = "batch",
    upsampling: str = "transposed",
    kernel_size: int = 4,
    padding: str = "same",
    labels: keras.KerasTensor | None = None,
    num_classes: int | None = None,
) -> keras.KerasTensor:
    """Doubles height and width: upsampling, normalisation, activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Integer. Channels of the result.
        activation: One of `ACTIVATIONS`, or `None` for a linear block.
        normalization: One of `NORMALIZATIONS`.
        upsampling: `"transposed"` for a transposed convolution of stride 2
            (a kernel that is not a multiple of 2 leaves checkerboards), or
            `"nearest"` or `"bilinear"` for interpolation and a convolution.
        kernel_size: Integer. Side of the convolution's kernel.
        padding: `"same"` doubles exactly. `"valid"` gives
            `2 * (size - 1) + kernel_size` for a transposed convolution and
            `2 * size - kernel_size + 1` otherwise.
        labels: Keras tensor `(batch,)` for conditional batch normalisation.
        num_classes: Integer, with `labels`.

    Reference:
        [Deconvolution and Checkerboard Artifacts](https://distill.pub/2016/deconv-checkerboard)
    """
    check_choice("upsampling", upsampling, UPSAMPLINGS)
    options = convolution_options(padding, normalization)
    if upsampling == "transposed":
        x = Conv2DTranspose(filters, kernel_size, strides=2, **options)(x)
    elif upsampling == "nearest":
        x = NearestConv2D(filters, kernel_size, **options)(x)
    else:
        x = layers.UpSampling2D(2, interpolation=upsampling)(x)
        x = Conv2D(filters, kernel_size, **options)(x)
    x = normalize(x, normalization, labels, num_classes)
    return x if activation is None else activate(x, activation)


def upsampled_size(
    size: int, *, upsampling: str, kernel_size: int, padding: str
) -> int:
    """Side of `upsample`'s result for an input of side `size`.

    >>> upsampled_size(7, upsampling="transposed", kernel_size=4, padding="same")
    14
    >>> upsampled_size(7, upsampling="transposed", kernel_size=4, padding="valid")
    16
    """
    if padding == "same":
        return 2 * size
    if upsampling == "transposed":
        return 2 * (size - 1) + max(kernel_size, 2)
    return 2 * size - kernel_size + 1


def downsample(
    x: keras.KerasTensor,
    filters: int,
    *,
    activation: str = "leaky_relu",
    normalization: str = "none",
    downsampling: str = "stride",
    kernel_size: int = 4,
    padding: str = "same",
    spectral_norm: bool = False,
) -> keras.KerasTensor:
    """Halves height and width: downsampling, normalisation, activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Integer. Channels of the result.
        activation: One of `ACTIVATIONS`.
        normalization: One of `NORMALIZATIONS`.
        downsampling: `"stride"` for a convolution of stride 2, or
            `"average_pool"` or `"max_pool"` for a convolution and pooling.
        kernel_size: Integer. Side of the convolution's kernel.
        padding: `"same"` halves, rounding up; `"valid"` also loses the border
            that the kernel does not fit over.
        spectral_norm: Boolean: normalise the kernel spectrally.
    """
    check_choice("downsampling", downsampling, DOWNSAMPLINGS)
    options = convolution_options(padding, normalization)
    if downsampling == "stride":
        layer = Conv2D(filters, kernel_size, strides=2, **options)
        x = spectral(layer, spectral_norm)(x)
    else:
        layer = Conv2D(filters, kernel_size, **options)
        x = spectral(layer, spectral_norm)(x)
        pool = (
            layers.AveragePooling2D
            if downsampling == "average_pool"
            else layers.MaxPooling2D
        )
        x = pool(2, padding="same")(x)
    return activate(normalize(x, normalization), activation)


def downsample_fully(
    x: keras.KerasTensor,
    image_size: ImageSize,
    base_filters: int,
    *,
    normalization: str = "none",
    **options: Any,
) -> keras.KerasTensor:
    """Halves images until the map is small, with twice the channels each time.

    Args:
        x: Keras tensor of images.
        image_size: Their size.
        base_filters: Integer. Channels of the first map; the last has at most
            `MAX_GROWTH` times as many.
        normalization: See `downsample`; the first block has none.
        **options: See there.
    """
    for stage in range(num_stages(image_size)):
        x = downsample(
            x,
            base_filters * min(2**stage, MAX_GROWTH),
            normalization=normalization if stage else "none",
            **options,
        )
    return x


def latent_inputs(
    latent_dim: int, num_classes: int | None, conditioning: str
) -> tuple[Any, keras.KerasTensor, dict[str, Any]]:
    """A generator's inputs, and the input of its first layer.

    Args:
        latent_dim: Integer. Size of the noise vector.
        num_classes: Integer, or `None` for noise alone.
        conditioning: `"concat"` embeds the class and joins it to the noise;
            `"batch_norm"` leaves it to conditional batch normalisation.

    Returns:
        The inputs, the Keras tensor for the first layer, and the options
        `labels` and `num_classes` of `normalize`.

    Reference:
        [Mirza & Osindero, 2014](https://arxiv.org/abs/1411.1784)
    """
    check_choice("conditioning", conditioning, GENERATOR_CONDITIONINGS)
    latents = keras.Input((latent_dim,), name="latents")
    if num_classes is None:
        return latents, latents, {}
    labels = keras.Input((), dtype="int32", name="labels")
    if conditioning == "batch_norm":
        options = {"labels": labels, "num_classes": num_classes}
        return [latents, labels], latents, options
    embedded = layers.Embedding(
        num_classes, min(num_classes, latent_dim), name="class"
    )(labels)
    return [latents, labels], layers.Concatenate()([latents, embedded]), {}


def image_inputs(
    image_size: ImageSize, channels: int, packing: int
) -> keras.KerasTensor:
    """A discriminator's image input: `packing` images concatenated along channels."""
    height, width = check_image(image_size, channels)
    return keras.Input((height, width, packing * channels), name="images")


def discriminator_head(
    images: keras.KerasTensor,
    features: keras.KerasTensor,
    num_classes: int | None,
    *,
    conditioning: str,
    kernel_initializer: Initializer,
    spectral_norm: bool,
    san: bool,
    name: str,
) -> keras.Model:
    """Ends a discriminator: from features `(batch, size)` to logits.

    With classes, `"projection"` adds the inner product with the class's
    embedding,

        D(x, y) = w . f(x) + b + embedding(y) . f(x)

    (the products of all classes are computed and one is selected, which is faster
    than an embedding lookup). `"auxiliary"` adds a second output, the logits of the
    classes. All layers here are float32.

    With `san` the last layer is a `ganlab.networks.SlicingNormalization`; in the
    place of a projection, each class has a direction of its own:

        D(x, y) = s_y <w_y, f(x)> + b_y

    Reference:
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637), equation 3;
        [Odena et al., 2016](https://arxiv.org/abs/1610.09585), section 3;
        [Takida et al., 2024 (SAN)](https://arxiv.org/abs/2301.12811), section 5
    """
    check_choice("conditioning", conditioning, DISCRIMINATOR_CONDITIONINGS)
    features = layers.Activation("linear", dtype="float32", name="features")(features)

    def dense(units: int, name: str, **options: Any) -> layers.Layer:
        options = {"kernel_initializer": kernel_initializer, **options}
        layer = layers.Dense(units, dtype="float32", name=name, **options)
        if san and name == "logits":
            return sliced(layer)
        return spectral(layer, spectral_norm)

    by_class = san and num_classes is not None and conditioning == "projection"
    logits = dense((num_classes if by_class else None) or 1, "logits")(features)
    if num_classes is None:
        return keras.Model(images, logits, name=name)
    if conditioning == "auxiliary":
        classes = dense(num_classes, "class_logits")(features)
        return keras.Model(images, [logits, classes], name=name)
    labels = keras.Input((), dtype="int32", name="labels")
    if by_class:
        logits = ChosenClass(dtype="float32", name="conditional_logits")(
            [logits, labels]
        )
        return keras.Model([images, labels], logits, name=name)
    embedding = dense(
        num_classes, "class", use_bias=False, kernel_initializer=initializer()
    )
    projection = ChosenClass(dtype="float32", name="projection")(
        [embedding(features), labels]
    )
    logits = layers.Add(dtype="float32", name="conditional_logits")(
        [logits, projection]
    )
    return keras.Model([images, labels], logits, name=name)
