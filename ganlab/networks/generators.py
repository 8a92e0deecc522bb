"""The DCGAN generator."""

from typing import Any

import keras
from keras import layers

from ganlab.data.sizes import ImageSize, sides
from ganlab.errors import UserError
from ganlab.networks import blocks
from ganlab.networks.langevin import Langevin

OUTPUT_ACTIVATIONS = ("tanh", "sigmoid", "langevin")


def dcgan_generator(
    image_size: ImageSize = 28,
    channels: int = 1,
    *,
    latent_dim: int = 100,
    num_classes: int | None = None,
    base_filters: int = 64,
    activation: str = "relu",
    output_activation: str = "tanh",
    normalization: str = "batch",
    upsampling: str = "transposed",
    kernel_size: int = 4,
    padding: str = "same",
    conditioning: str = "concat",
    name: str = "generator",
) -> keras.Model:
    """The DCGAN generator: projects, reshapes, then doubles up to the image.

    The last hidden feature map has `base_filters` channels, the one before it
    twice as many, and so on up to 16 times as many. Where doubling does not end on
    `image_size`, the last feature map is cropped to its centre.

    Args:
        image_size: Integer in [16, 512], the side of a square in pixels, or height and
            width, as `(48, 96)` or `"48x96"`.
        channels: 1 grey, 2 grey and opacity, 3 colour, 4 colour and opacity.
        latent_dim: Integer. Size of the noise vector.
        num_classes: Integer, or `None` for noise alone.
        base_filters: Integer. Channels of the last hidden feature map.
        activation: `"relu"`, `"leaky_relu"`, `"tanh"` or `"sigmoid"`.
        output_activation: `"tanh"` for images in [-1, 1], as
            `ganlab.data` yields, `"sigmoid"` for [0, 1], or `"langevin"` for the
            means of continuous Bernoullis: see `ganlab.networks.Langevin`.
        normalization: `"batch"`, `"layer"` or `"none"`. The output layer has
            none, as in the paper.
        upsampling: `"transposed"`, `"nearest"` or `"bilinear"`.
        kernel_size: Integer. Side of every kernel.
        padding: `"same"` or `"valid"`.
        conditioning: With classes, `"concat"` embeds the class and joins it to
            the noise; `"batch_norm"` gives each class its own scale and offset
            in every batch normalisation.
        name: String.

    Returns:
        A functional `keras.Model` from latents `(batch, latent_dim)`, or from
        `[latents, labels]` with labels an int32 tensor `(batch,)`, to images
        `(batch, height, width, channels)` in float32.

    Reference:
        [Radford et al., 2015](https://arxiv.org/abs/1511.06434), figure 1
    """
    height, width = blocks.check_image(image_size, channels)
    blocks.check_choice("output activation", output_activation, OUTPUT_ACTIVATIONS)
    if conditioning == "batch_norm" and normalization != "batch":
        raise UserError(
            "Expected batch normalisation with conditioning='batch_norm'. Received: "
            f"normalization={normalization!r}; use conditioning='concat'"
        )
    growth: dict[str, Any] = {
        "upsampling": upsampling,
        "kernel_size": kernel_size,
        "padding": padding,
    }
    stages = blocks.num_stages(image_size)
    rows, columns = (_start_size(side, stages, growth) for side in (height, width))
    growths = [min(2**k, blocks.MAX_GROWTH) for k in reversed(range(stages))]
    filters = [base_filters * growth for growth in growths]

    inputs, x, classes = blocks.latent_inputs(latent_dim, num_classes, conditioning)
    x = layers.Dense(
        rows * columns * filters[0],
        use_bias=normalization != "batch",
        kernel_initializer=blocks.initializer(),
        name="project",
    )(x)
    x = layers.Reshape((rows, columns, filters[0]))(x)
    x = blocks.activate(blocks.normalize(x, normalization, **classes), activation)
    for count in [*filters[1:], None]:
        x = blocks.upsample(
            x,
            count or channels,
            activation=activation if count else None,
            normalization=normalization if count else "none",
            **growth,
            **classes,
        )
    return generator_head(inputs, x, (height, width), output_activation, name)


def generator_head(
    inputs: Any,
    x: keras.KerasTensor,
    image_size: ImageSize,
    output_activation: str,
    name: str,
) -> keras.Model:
    """Ends a generator: crops the last feature map to its centre and bounds it."""
    height, width = sides(image_size)
    extra = x.shape[1] - height, x.shape[2] - width
    if any(extra):
        borders = tuple((count // 2, count - count // 2) for count in extra)
        x = layers.Cropping2D(borders)(x)
    if output_activation == "langevin":
        last: layers.Layer = Langevin(dtype="float32", name="images")
    else:
        last = layers.Activation(output_activation, dtype="float32", name="images")
    images = last(x)
    return keras.Model(inputs, images, name=name)


def _start_size(side: int, stages: int, growth: dict[str, Any]) -> int:
    """Side of the smallest first feature map that grows to `image_size` or more."""
    start = 1
    while True:
        size = start
        for _ in range(stages):
            size = blocks.upsampled_size(size, **growth)
        if size >= side:
            return start
        start += 1
