"""Casts outputs and rebuilds models in float32."""

from typing import Any

import keras
from keras import layers, ops


def as_float32(logits: Any) -> Any:
    """Casts half-precision logits to float32, where every loss is computed."""
    wide = keras.backend.standardize_dtype(logits.dtype) in ("float32", "float64")
    return ops.convert_to_tensor(logits) if wide else ops.cast(logits, "float32")


def in_float32(model: keras.Model) -> keras.Model:
    """Rebuilds a functional model in float32, trainable, with equal weights.

    Layers of `ganlab.networks.convolution` become Keras's own.

    Args:
        model: A functional `keras.Model` under any dtype policy.

    Returns:
        A new `keras.Model`.
    """

    def widened(layer: layers.Layer) -> dict[str, Any]:
        config = {**layer.get_config(), "trainable": True}
        if keras.backend.is_float_dtype(layer.compute_dtype):
            config["dtype"] = "float32"
        if isinstance(layer, layers.Wrapper):
            config["layer"] = keras.saving.serialize_keras_object(clone(layer.layer))
        return config

    def clone(layer: layers.Layer) -> layers.Layer:
        return getattr(layer, "stock", type(layer)).from_config(widened(layer))

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights([ops.convert_to_numpy(weight) for weight in model.weights])
    return copy
