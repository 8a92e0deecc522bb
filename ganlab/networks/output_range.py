"""Which range of values does a network give?

The answer is read from its last activation, through the layers that only move
values. What is not understood has no answer.
"""

import math
import operator
from typing import Any

import keras
from keras import layers, tree

from ganlab.errors import UserError

Range = tuple[float, float]

ACTIVATIONS: dict[str, Range] = {
    **dict.fromkeys(("tanh", "softsign", "hard_tanh", "sin", "cos"), (-1.0, 1.0)),
    **dict.fromkeys(("sigmoid", "hard_sigmoid", "sparse_sigmoid"), (0.0, 1.0)),
    **dict.fromkeys(("softmax", "softmax_v2", "sparsemax"), (0.0, 1.0)),
    "langevin": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
}
OPERATIONS = {name.title().replace("_", ""): name for name in ACTIVATIONS}
LINEAR = ("Activation", "Identity", "ActivityRegularization", "Cast", "Masking")
MOVING = (
    *("Reshape", "Flatten", "Permute", "Transpose", "Squeeze", "ExpandDims"),
    *("Cropping1D", "Cropping2D", "Cropping3D", "CenterCrop", "GetItem"),
    *("UpSampling1D", "UpSampling2D", "UpSampling3D", "Resizing", "RepeatVector"),
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Flip", "Roll", "Repeat"),
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    *("GaussianNoise", "GaussianDropout"),  # as dropout, nothing at inference
)
ARITHMETIC = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "TrueDivide": operator.truediv,
    "Divide": operator.truediv,
}


def stated(output_range: tuple[float, float]) -> tuple[float, float]:
    """Checks a range that is stated.

    Raises:
        UserError: for anything but two finite numbers, the lower one first.
    """
    try:
        low, high = (float(end) for end in output_range)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not -math.inf < low < high < math.inf:
        raise UserError(
            "Expected an output range (low, high) with low < high. "
            f"Received: output_range={output_range!r}; such as (0, 255)"
        )
    return low, high


def output_range(network: keras.Model, index: int = 0) -> Range | None:
    """Range of what a network gives at inference.

    Args:
        network: A `keras.Model`.
        index: Integer: which of its outputs.

    Returns:
        The lowest and the highest value of an output, or `None` where there
        is no bound, or none that can be read: after a linear layer, in free-form code.

    >>> network = keras.Sequential(
    ...     [keras.Input((2,)), layers.Dense(3, "tanh"), layers.Rescaling(0.5, 0.5)])
    >>> output_range(network)
    (0.0, 1.0)
    """
    return _of_model(network, index, {})


def ends_on_softmax(network: keras.Model, index: int = 0) -> bool:
    """Whether an output of a network is a softmax's, whose values sum to 1.

    Args:
        network: A `keras.Model`.
        index: Integer: which of its outputs.
    """
    graph = getattr(network, "_functional", network)
    outputs = getattr(graph, "outputs", None)
    while outputs:
        operation, node_index, index = outputs[index]._keras_history
        if isinstance(operation, keras.Model):
            outputs = getattr(
                getattr(operation, "_functional", operation), "outputs", None
            )
            continue
        name = getattr(getattr(operation, "activation", None), "__name__", "")
        if "softmax" in (name, type(operation).__name__.lower()):
            return True
        moves = type(operation).__name__ in (*LINEAR, *MOVING)
        if not moves or name not in ("", "linear"):
            return False
        outputs, index = operation._inbound_nodes[node_index].input_tensors, 0
    return False


def _of_model(model: Any, index: int, ranges: dict[int, Range | None]) -> Range | None:
    """Range of a model's output, given the ranges of tensors by their `id`."""
    graph = getattr(model, "_functional", model)  # a Sequential model's
    outputs = getattr(graph, "outputs", None)
    if not outputs or not _is_understood(model):
        return None
    return _of_tensor(outputs[index], ranges)


def _is_understood(operation: Any) -> bool:
    """Whether Keras's or ganlab's code computes it, not a subclass's."""
    return type(operation).call.__module__.split(".")[0] in ("keras", "ganlab")


def _of_tensor(tensor: Any, ranges: dict[int, Range | None]) -> Range | None:
    if id(tensor) not in ranges:
        operation, node_index, index = tensor._keras_history
        arguments = operation._inbound_nodes[node_index].arguments
        ranges[id(tensor)] = _of_operation(operation, arguments, index, ranges)
    return ranges[id(tensor)]


def _of_operation(
    operation: Any, arguments: Any, index: int, ranges: dict[int, Range | None]
) -> Range | None:
    if not _is_understood(operation):
        return None
    bound = _of_activation(operation)
    if bound is not None:
        return bound
    name = type(operation).__name__
    values = tree.flatten(list(arguments.args))
    tensors = [value for value in values if isinstance(value, keras.KerasTensor)]
    if isinstance(operation, keras.Model):
        graph = getattr(operation, "_functional", operation)
        inputs = getattr(graph, "inputs", None) or []
        outer = {}
        if len(inputs) == len(tensors) == 1:
            outer = {id(inputs[0]): _of_tensor(tensors[0], ranges)}
        return _of_model(operation, index, outer)
    if name == "Concatenate":
        joined = {_of_tensor(tensor, ranges) for tensor in tensors}
        return joined.pop() if len(joined) == 1 else None
    if len(tensors) != 1:
        return None
    if name == "Clip":
        low, high = operation.x_min, operation.x_max
        return (float(low), float(high)) if _are_numbers(low, high) else None
    if _keeps_values(operation, name):
        return _of_tensor(tensors[0], ranges)
    if name == "Rescaling" and _are_numbers(operation.scale, operation.offset):
        scaled = _applied(operator.mul, _of_tensor(tensors[0], ranges), operation.scale)
        return _applied(operator.add, scaled, operation.offset)
    if name == "Negative":
        return _applied(operator.mul, _of_tensor(tensors[0], ranges), -1.0)
    if name in ARITHMETIC and len(values) == 2:
        first, second = (
            _of_tensor(value, ranges) if value is tensors[0] else value
            for value in values
        )
        return _applied(ARITHMETIC[name], first, second)
    return None


def _of_activation(operation: Any) -> Range | None:
    """Range of a layer that ends on a bounded activation, whatever its inputs."""
    name = type(operation).__name__
    if name in OPERATIONS:
        return ACTIVATIONS[OPERATIONS[name]]
    if isinstance(operation, layers.Wrapper):
        layer = operation.layer
        if isinstance(layer, keras.Model):
            return _of_model(layer, 0, {})
        return _of_activation(layer) if _is_understood(layer) else None
    if isinstance(operation, layers.ReLU):
        bounded = operation.max_value is not None and operation.negative_slope == 0
        return (0.0, float(operation.max_value)) if bounded else None
    activation = getattr(operation, "activation", None)
    if isinstance(activation, layers.Layer):
        return _of_activation(activation) if _is_understood(activation) else None
    module = str(getattr(activation, "__module__", None))
    if module.split(".")[0] not in ("keras", "tensorflow"):
        return None
    bound = ACTIVATIONS.get(getattr(activation, "__name__", ""))
    recurrent = getattr(operation, "recurrent_activation", None)
    gated = recurrent is None or bound == (-1.0, 1.0)  # a gate may shrink to 0
    return bound if gated else None


def _keeps_values(operation: Any, name: str) -> bool:
    """Whether it gives its input's values, moved, chosen or averaged."""
    if name == "Activation":
        return operation.activation is keras.activations.linear
    smooth = getattr(operation, "interpolation", "nearest") in ("nearest", "bilinear")
    return name in LINEAR or (name in MOVING and smooth)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def _applied(function: Any, first: Any, second: Any) -> Range | None:
    """Range of a function of a range and a number, in either order."""
    ones, others = (v if isinstance(v, tuple) else (v,) for v in (first, second))
    if not _are_numbers(*ones, *others):
        return None
    if function is operator.truediv and (len(others) > 1 or others[0] == 0):
        return None
    ends = [function(one, other) for one in ones for other in others]
    return float(min(ends)), float(max(ends))
