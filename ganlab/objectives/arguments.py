"""What objectives share: numbers, schedules, functions to be saved, and counters."""

import math
import numbers
import types
from typing import Any

import keras

from ganlab.errors import UserError, brief


def is_number(value: Any) -> bool:
    """Whether a value is a finite real number; `True` and `False` are none."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and math.isfinite(value)


def check_schedule(name: str, value: Any) -> None:
    """Raises `UserError` unless `value` is a number of 0 or more, or a schedule.

    Args:
        name: String: what is wanted, for the message.
        value: The argument. A schedule is a function of the step, such as those of
            `keras.optimizers.schedules`.
    """
    schedule = callable(value) and not isinstance(value, type)
    if not schedule and not (is_number(value) and value >= 0.0):
        raise UserError(
            f"Expected {name} of 0 or more, or a function of the step. "
            f"Received: {brief(value)}"
        )


def add_averages(layer: keras.Layer, *names: str) -> tuple[keras.Variable, ...]:
    """Adds float32 scalars of 0 to a layer, which are averaged over replicas."""
    return tuple(
        layer.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            aggregation="mean",
            name=name,
        )
        for name in names
    )


def serialize(function: Any) -> Any:
    """Returns the config of a Keras object or of a registered function.

    Raises:
        UserError: for a function that a saved file could not name.
    """
    if hasattr(function, "get_config"):
        return keras.saving.serialize_keras_object(function)
    name = getattr(function, "__name__", type(function).__name__)
    registered = (
        isinstance(function, types.FunctionType)
        and name != "<lambda>"
        and ">" in keras.saving.get_registered_name(function)
    )
    if not registered:
        raise UserError(
            "Expected a function that is registered with Keras, to save it. Received: "
            f"{name}; decorate it with @keras.saving.register_keras_serializable()"
        )
    return keras.saving.serialize_keras_object(function)
