"""What is a generator or a discriminator made of?

Each block is a function from a Keras tensor to a Keras tensor, made of stock
Keras layers, so that a model built from them is an ordinary functional model:
`summary()` lists every layer, and a saved file loads without ganlab.

All feature maps are NHWC.
"""

import math

import keras
from keras import layers

from ganlab.errors import UserError, unknown_name

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")
NORMALIZATIONS = ("batch", "layer", "none")
UPSAMPLINGS = ("transposed", "nearest", "bilinear")
DOWNSAMPLINGS = ("stride", "average_pool", "max_pool")
PADDINGS = ("same", "valid")

LEAKY_RELU_SLOPE = 0.2
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 16, 128
BASE_SIZE = 4


def initializer():
    """The DCGAN paper's weights: Gaussian, mean 0, standard deviation 0.02."""
    return keras.initializers.RandomNormal(stddev=0.02)


def check_choice(name, value, choices):
    """Raises `UserError` unless `value` is one of `choices`."""
    if value not in choices:
        raise unknown_name(name, value, choices)


def check_image(image_size, channels):
    """Raises `UserError` for an image shape outside what the players draw."""
    if not MIN_IMAGE_SIZE <= image_size <= MAX_IMAGE_SIZE:
        raise UserError(
            f"Expected an image size of {MIN_IMAGE_SIZE} to {MAX_IMAGE_SIZE} "
            f"pixels. Received: {image_size}; choose another image size"
        )
    if channels not in (1, 3):
        raise UserError(
            f"Expected 1 (grey) or 3 (colour) channels. Received: channels={channels}"
        )


def num_stages(image_size):
    """How often an image is halved until its side is under 8 pixels.

    >>> [num_stages(size) for size in (28, 32, 64, 128)]
    [2, 3, 4, 5]
    """
    return int(math.log2(image_size / BASE_SIZE))


def activate(x, activation):
    """Applies an activation of `ACTIVATIONS`; LeakyReLU has slope 0.2."""
    check_choice("activation", activation, ACTIVATIONS)
    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE)(x)
    return layers.Activation(activation)(x)


def normalize(x, normalization):
    """Applies a normalisation of `NORMALIZATIONS`.

    `"batch"` uses momentum 0.9: GAN runs are short, and Keras's 0.99 leaves
    the moving statistics hundreds of steps behind the weights. `"layer"`
    normalises each sample over height, width and channels with one scale and
    offset per channel, which is group normalisation with a single group.
    """
    check_choice("normalization", normalization, NORMALIZATIONS)
    if normalization == "batch":
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    if normalization == "layer":
        return layers.GroupNormalization(groups=1, epsilon=1e-5)(x)
    return x


def convolution_options(padding, normalization):
    """What every convolution is built with; batch norm makes a bias idle."""
    check_choice("padding", padding, PADDINGS)
    return {
        "padding": padding,
        "use_bias": normalization != "batch",
        "kernel_initializer": initializer(),
    }


def upsample(
    x,
    filters,
    *,
    activation="relu",
    normalization="batch",
    upsampling="transposed",
    kernel_size=4,
    padding="same",
):
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

    Reference:
        [Deconvolution and Checkerboard Artifacts](https://distill.pub/2016/deconv-checkerboard)
    """
    check_choice("upsampling", upsampling, UPSAMPLINGS)
    options = convolution_options(padding, normalization)
    if upsampling == "transposed":
        x = layers.Conv2DTranspose(filters, kernel_size, strides=2, **options)(x)
    else:
        x = layers.UpSampling2D(2, interpolation=upsampling)(x)
        x = layers.Conv2D(filters, kernel_size, **options)(x)
    x = normalize(x, normalization)
    return x if activation is None else activate(x, activation)


def upsampled_size(size, *, upsampling, kernel_size, padding):
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
    x,
    filters,
    *,
    activation="leaky_relu",
    normalization="none",
    downsampling="stride",
    kernel_size=4,
    padding="same",
):
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
    """
    check_choice("downsampling", downsampling, DOWNSAMPLINGS)
    options = convolution_options(padding, normalization)
    if downsampling == "stride":
        x = layers.Conv2D(filters, kernel_size, strides=2, **options)(x)
    else:
        x = layers.Conv2D(filters, kernel_size, **options)(x)
        pool = (
            layers.AveragePooling2D
            if downsampling == "average_pool"
            else layers.MaxPooling2D
        )
        x = pool(2, padding="same")(x)
    return activate(normalize(x, normalization), activation)
