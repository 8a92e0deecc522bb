"""Rebuilds a network of Keras's own layers, whose files load without ganlab.

Each layer of ganlab that Keras's can equal at inference is replaced; their weights are
computed from its own.
"""

import keras
import numpy as np
from keras import layers

from ganlab.networks.convolution import NearestConv2D, window_sums
from ganlab.networks.layers import (
    Basis,
    GroupedConv2D,
    SelfAttention,
    SpectralNormalization,
)
from ganlab.networks.precision import Replacement, Values, in_stock, rebuilt


def of_stock_layers(
    network: keras.Model, values: Values | None = None, name: str | None = None
) -> keras.Model:
    """Rebuilds a network in float32 of Keras's own layers, where those suffice.

    Args:
        network: A functional or Sequential `keras.Model`.
        values: Arrays to take in place of `network.weights`, or `None`.
        name: Name of the new model, or `None` for that of the network.

    Returns:
        A new `keras.Model` with equal outputs at inference.
    """
    copy = rebuilt(network, values, _replacement)
    copy.name = name or network.name
    return copy


def of_enlarging_layers(network: keras.Model, values: Values) -> keras.Model:
    """Rebuilds a network in float32, its enlarged maps convolved by layers of Keras's.

    Args:
        network: See `of_stock_layers`.
        values: Likewise.
    """

    def replacement(layer: layers.Layer) -> Replacement | None:
        inner = getattr(layer, "layer", layer)
        return _replacement(layer) if isinstance(inner, NearestConv2D) else None

    return rebuilt(network, values, replacement)


def _replacement(layer: layers.Layer) -> Replacement | None:
    if isinstance(layer, Basis):
        shape = layer.basis.shape
        return layers.EinsumDense("bc,ijc->bijc", shape, name=layer.name), _unchanged
    if isinstance(layer, GroupedConv2D):
        convolution = layers.Conv2D(
            layer.filters,
            layer.kernel_size,
            padding="same",
            groups=layer.groups,
            name=layer.name,
        )
        return convolution, _unchanged
    if isinstance(layer, NearestConv2D):
        return _enlarging(layer)
    if isinstance(layer, SpectralNormalization):
        if isinstance(layer.layer, NearestConv2D):
            inner, convert = _enlarging(layer.layer)
        else:
            inner, convert = in_stock(layer.layer), _unchanged
        inner.name = layer.name
        names = [id(weight) for weight in layer.weights]

        def normalized(values: Values) -> Values:
            value_of = dict(zip(names, values, strict=True))
            u = value_of.pop(id(layer.u))
            kernel = value_of[id(layer.kernel)]
            value_of[id(layer.kernel)] = _normalized(kernel, u)
            return convert([value_of[id(weight)] for weight in layer.layer.weights])

        return inner, normalized
    if isinstance(layer, SelfAttention):
        return _attention(layer)
    return None


def _enlarging(layer: NearestConv2D) -> Replacement:
    """A transposed convolution of summed weights, or an enlargement and a plain one."""
    config = in_stock(layer).get_config()
    plain = layers.Conv2D.from_config(config)
    if layer.kernel_size != (3, 3) or not layer.keeps_size:
        model = keras.Sequential([layers.UpSampling2D(2), plain], name=layer.name)
        return model, _unchanged
    transposed = layers.Conv2DTranspose(
        layer.filters,
        4,
        strides=2,
        padding="same",
        activation=plain.activation,
        use_bias=layer.use_bias,
        name=layer.name,
    )

    def summed(values: Values) -> Values:
        kernel, *others = values
        sums = window_sums(3) @ kernel.reshape(9, -1)
        sums = sums.reshape(4, 4, *kernel.shape[2:]).transpose(0, 1, 3, 2)
        return [sums.astype(np.float32), *others]

    return transposed, summed


def _unchanged(values: Values) -> Values:
    return values


def _normalized(kernel: np.ndarray, u: np.ndarray) -> np.ndarray:
    """A kernel over its largest singular value, as at inference."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype(np.float32)
    left = _unit(matrix @ u)
    sigma = left @ matrix @ _unit(left @ matrix)
    return kernel / sigma if sigma > 0 else kernel


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / (np.linalg.norm(vector) + 1e-12)


def _attention(layer: SelfAttention) -> Replacement:
    """Keras's `Attention` between 1 by 1 convolutions; `gamma` scales the last."""
    height, width, channels = layer.input.shape[1:]
    inputs = keras.Input((height, width, channels))

    def project(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        return layers.Conv2D(filters, 1, use_bias=False, name=name)(x)

    def flat(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.Reshape((-1, x.shape[-1]))(x)

    query = flat(project(inputs, channels // 8, "f"))
    key, value = (
        flat(layers.MaxPooling2D(2, padding="same")(project(inputs, filters, name)))
        for name, filters in (("g", channels // 8), ("h", channels // 2))
    )
    out = layers.Attention()([query, value, key])
    out = layers.Reshape((height, width, channels // 2))(out)
    outputs = layers.Add()([inputs, project(out, channels, "v")])
    model = keras.Model(inputs, outputs, name=layer.name)
    names = [id(weight) for weight in layer.weights]

    def convert(values: Values) -> Values:
        value_of = dict(zip(names, values, strict=True))
        kernels = {}
        for name, projection in zip("fghv", layer.projections, strict=True):
            if isinstance(projection, SpectralNormalization):
                kernel, u = value_of[id(projection.kernel)], value_of[id(projection.u)]
                kernels[name] = _normalized(kernel, u)
            else:
                kernels[name] = value_of[id(projection.kernel)]
        kernels["v"] = kernels["v"] * value_of[id(layer.gamma)]
        return [kernels[part.name] for part in model.layers if part.weights]

    return model, convert
