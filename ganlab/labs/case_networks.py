"""The two networks of a case, in layers of Keras alone."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    from ganlab.labs.cases import Case


def build_generator(
    case: "Case", shape: tuple[int, ...], classes: int = 0
) -> keras.Model:
    """A case's generator: a functional model from latents, and labels."""
    latents = keras.Input((case.latent_dim,), name="latents")
    inputs, x = [latents], latents
    if case.latent_gain != 1:
        x = layers.Rescaling(case.latent_gain)(x)
    if classes:
        label = keras.Input((), dtype="int32", name="labels")
        inputs.append(label)
        embedded = layers.Embedding(classes, 16)(label)
        if not case.labels_used:
            embedded = layers.Rescaling(0.0)(embedded)
        x = layers.Concatenate()([x, embedded])
    units = _Units(case, "generator")
    if case.generator == "dense":
        for _ in range(2):
            x = units(layers.Dense(8 * case.width, **units.options), x)
        x = layers.Dense(int(np.prod(shape)), **units.kernels)(x)
        x = layers.Reshape(shape)(x)
    else:
        x = units(layers.Dense(16 * 2 * case.width, **units.options), x)
        x = layers.Reshape((4, 4, 2 * case.width))(x)
        x = units(_upsampled(case, x, case.width, **units.options))
        x = _upsampled(case, x, shape[-1], **units.kernels)
    if case.output_gain != 1:
        x = layers.Rescaling(case.output_gain)(x)
    images = layers.Activation(case.output)(x)
    return keras.Model(inputs if classes else latents, images, name="generator")


def _upsampled(case: "Case", x: Any, filters: int, **options: Any) -> Any:
    if case.generator == "transposed":
        transposed = layers.Conv2DTranspose(
            filters, case.kernel_size, 2, padding="same", **options
        )
        return transposed(x)
    x = layers.UpSampling2D()(x)
    return layers.Conv2D(filters, 3, padding="same", **options)(x)


def build_discriminator(
    case: "Case", shape: tuple[int, ...], classes: int = 0
) -> keras.Model:
    """A case's discriminator: a functional model from images, and labels."""
    images = keras.Input(shape, name="images")
    inputs, x = [images], images
    pictorial = len(shape) == 3
    if case.noise:
        x = layers.Rescaling(1 / case.noise)(x)
        x = layers.GaussianNoise(1.0)(x)
    if case.cropped:  # to a corner, and back to the size that the layers want
        x = layers.Cropping2D(((0, shape[0] - 2), (0, shape[1] - 2)))(x)
        x = layers.UpSampling2D((shape[0] // 2, shape[1] // 2))(x)
    if case.blind:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.UpSampling2D(shape[:2])(x)
        x = layers.Rescaling(1e-2)(x)
    if classes:
        label = keras.Input((), dtype="int32", name="labels")
        inputs.append(label)
        cells = int(np.prod(shape[:2])) if pictorial else 16
        embedded = layers.Embedding(classes, cells)(label)
        if pictorial:
            embedded = layers.Reshape((*shape[:2], 1))(embedded)
        x = layers.Concatenate()([x, embedded])
    units = _Units(case, "discriminator")
    if case.discriminator == "dense":
        x = layers.Flatten()(x)
        for _ in range(2):
            x = units(layers.Dense(8 * case.width, **units.options), x)
    else:
        for filters in (case.width, 2 * case.width):
            if case.discriminator == "strided":
                convolution = layers.Conv2D(
                    filters, 4, 2, padding="same", **units.options
                )
                x = units(convolution, x)
            else:
                convolution = layers.Conv2D(filters, 3, padding="same", **units.options)
                x = layers.AveragePooling2D(2)(units(convolution, x))
        x = layers.Flatten()(x)
    x = layers.Dense(1, activation=case.end)(x)
    return keras.Model(inputs if classes else images, x, name="discriminator")


class _Units:
    """A layer with the normalisation and the activation of a network's hidden ones."""

    def __init__(self, case: "Case", role: str) -> None:
        self._activation = getattr(case, f"{role}_activation")
        self._normalization = getattr(case, f"{role}_normalization")
        self._momentum = case.momentum
        bias = keras.initializers.Constant(case.unit_bias)
        self._dropout = case.dropout
        zeros = case.zero_kernels and role == "generator"
        self.kernels = {"kernel_initializer": "zeros"} if zeros else {}
        self.options = {"bias_initializer": bias, **self.kernels}

    def __call__(self, layer: Any, x: Any = None) -> Any:
        x = layer if x is None else layer(x)
        if self._normalization == "batch":
            x = layers.BatchNormalization(momentum=self._momentum)(x)
        elif self._normalization == "layer":
            x = layers.LayerNormalization()(x)
        x = layers.Activation(self._activation)(x)
        if self._normalization == "dropout":
            x = layers.Dropout(self._dropout)(x)
        return x
