"""Casts outputs to float32, and computes or rebuilds models in it."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

HALF_PRECISION = ("float16", "bfloat16")
GRAPHS = ("Functional", "Sequential")

# A layer of Keras's own in a layer's place, and the weights that it needs.
Values = Sequence[np.ndarray]
Replacement = tuple[layers.Layer, Callable[[Values], Values]]


def as_float32(logits: Any) -> Any:
    """Casts half-precision logits to float32, where every loss is computed."""
    wide = keras.backend.standardize_dtype(logits.dtype) in ("float32", "float64")
    return ops.convert_to_tensor(logits) if wide else ops.cast(logits, "float32")


@contextlib.contextmanager
def computing_in_float32(network: keras.Model) -> Iterator[None]:
    """Makes every layer of a network that computes in half precision use float32.

    It holds for calls within the context alone; weights are shared, not copied.
    """
    before = _widen(network)
    try:
        yield
    finally:
        for part, name, value in before:
            setattr(part, name, value)


def _widen(network: keras.Model) -> list[tuple[Any, str, Any]]:
    """Makes a network compute in float32 instead of half precision.

    A network inside casts what it takes to the dtype that its inputs were made for,
    which is that of its first layer where a Sequential model was built by a call.

    Returns:
        What was changed: objects, and names and former values of attributes.
    """
    before = []
    for layer in network._flatten_layers():
        if layer.compute_dtype in HALF_PRECISION:
            before.append((layer, "dtype_policy", layer.dtype_policy))
        inputs = getattr(getattr(layer, "_functional", layer), "inputs", None) or []
        parts = [layer, *inputs] if isinstance(layer, layers.InputLayer) else inputs
        before += [
            (part, "_dtype", part.dtype)
            for part in parts
            if part.dtype in HALF_PRECISION
        ]
    for part, name, _ in before:
        setattr(part, name, "float32")
    return before


def in_float32(model: keras.Model, values: Values | None = None) -> keras.Model:
    """Rebuilds a functional model in float32, trainable, with equal weights.

    Layers of `ganlab.networks.convolution` become Keras's own.

    Args:
        model: A functional or Sequential `keras.Model` under any dtype policy.
        values: Arrays to take in place of `model.weights`, or `None`.

    Returns:
        A new `keras.Model`.
    """
    return rebuilt(model, values, lambda layer: None)


def rebuilt(
    model: keras.Model,
    values: Values | None,
    replace: Callable[[layers.Layer], Replacement | None],
) -> keras.Model:
    """Rebuilds a model as `in_float32` does, with other layers in the place of some.

    Args:
        model: See `in_float32`.
        values: Likewise.
        replace: Function from a layer to its `Replacement`, or `None`.
    """
    if values is None:
        values = [ops.convert_to_numpy(weight) for weight in model.weights]
    value_of = {
        id(weight): value for weight, value in zip(model.weights, values, strict=True)
    }
    copied: list[tuple[layers.Layer, Values]] = []

    def clone(layer: layers.Layer) -> layers.Layer:
        if not isinstance(layer, layers.Layer):
            return layer  # an operation without weights
        own = [value_of[id(weight)] for weight in layer.weights]
        if is_graph(layer):
            return rebuilt(layer, own, replace)
        replacement = replace(layer)
        if replacement is None:
            replacement = in_stock(layer), lambda weights: weights
        copy, convert = replacement
        copied.append((copy, convert(own)))
        return copy

    copy = keras.models.clone_model(model, clone_function=clone)
    for layer, own in copied:
        layer.set_weights(own)
        for part in layer._flatten_layers():
            if hasattr(part, "finalize_state"):
                part.finalize_state()  # adapted statistics become what is computed with
    _widen(copy)
    return copy


def in_stock(layer: layers.Layer) -> layers.Layer:
    """An unbuilt float32 copy of a layer, of Keras's class where that computes as much.

    Args:
        layer: A `keras.Layer`; its class may name Keras's as `stock`.
    """
    config = {**_widened(layer.get_config()), "trainable": True}
    if isinstance(layer, layers.Wrapper):
        inner = in_stock(layer.layer)
        config["layer"] = keras.saving.serialize_keras_object(inner)
    copy: layers.Layer = getattr(layer, "stock", type(layer)).from_config(config)
    return copy


def is_graph(layer: layers.Layer) -> bool:
    """Whether it is a model made of layers, without code of its own."""
    return isinstance(layer, keras.Model) and type(layer).__name__ in GRAPHS


def _widened(config: Any) -> Any:
    """A config with the dtype policy float32 wherever it has one of floats."""
    if type(config) in (list, tuple):
        return type(config)(_widened(value) for value in config)
    if not isinstance(config, Mapping):
        return config
    if config.get("class_name") == "DTypePolicy":
        name = str(config["config"]["name"])
        if keras.backend.is_float_dtype(name.removeprefix("mixed_")):
            return {**config, "config": {"name": "float32"}}
    return {key: _widened(value) for key, value in config.items()}
