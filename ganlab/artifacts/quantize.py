"""Converts an exported generator to float16 and to 8 bits.

float16 halves the file and computes in float16 where the hardware does. int8 computes
in 8 bits, which CPUs do fast: weights by channel, feature maps by the range that they
had on sampled latents.
"""

import contextlib
import functools
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, version_converter
from onnxruntime import quantization
from onnxruntime.transformers.float16 import convert_float_to_float16

from ganlab.artifacts.onnx_graph import graphs_within, in_order
from ganlab.artifacts.onnx_run import draw_inputs, largest_batch, open_session
from ganlab.errors import UserError

CALIBRATION_BATCHES = 8
CALIBRATION_SEED = 1_000_000  # away from the seeds of the parity certificate
WARNINGS, ERRORS = 2, 3  # severities of onnxruntime; the first is its default
INT8_OPSET, INT8_IR_VERSION = 21, 10
OTHER_FLOATS = (
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
)
TYPE_ATTRIBUTES = ("to", "dtype")
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def in_every_format(
    model: onnx.ModelProto, num_classes: int
) -> dict[str, onnx.ModelProto]:
    """A float32 generator, and the same in float16 and in 8 bits.

    A format that a generator's operators do not allow is left out, with a warning.

    Args:
        model: `onnx.ModelProto` of float32.
        num_classes: Integer, 0 without classes.

    Raises:
        UserError: if onnxruntime cannot run the float32 model.
    """
    try:
        check(model)
    except Exception as error:
        raise UserError(
            "Expected a generator of operators that onnxruntime runs. "
            f"Received: {first_line(error)}; build it of Keras's layers and keras.ops"
        ) from error
    models = {"float32": model}
    narrow: dict[str, Callable[[onnx.ModelProto], onnx.ModelProto]] = {
        "float16": to_float16,
        "int8": functools.partial(to_int8, num_classes=num_classes),
    }
    for name, convert in narrow.items():
        try:
            converted = convert(model)
            check(converted)
        except Exception as error:
            logging.getLogger("ganlab").warning(
                "Expected a generator of operators that can be converted to %s. "
                "Received: %s; that format is left out",
                *(name, first_line(error)),
            )
            continue
        models[name] = converted
    return models


def check(model: onnx.ModelProto) -> None:
    """Raises whatever onnx or onnxruntime has against a model."""
    onnx.checker.check_model(model, full_check=True)
    open_session(model.SerializeToString(), optimized=True)


def first_line(error: Exception) -> str:
    """The first line of what an error says, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def to_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """Makes every tensor of float64, float16 or bfloat16 one of float32.

    Args:
        model: `onnx.ModelProto`, as it came from a generator of any precision.

    Returns:
        A new `onnx.ModelProto`.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _retype(copy.graph)
    return copy


def _retype(graph: onnx.GraphProto) -> None:
    """Retypes the tensors of a graph and of the graphs within it."""
    del graph.value_info[:]
    tensors = list(graph.initializer)
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in OTHER_FLOATS:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in TYPE_ATTRIBUTES and attribute.i in OTHER_FLOATS:
                attribute.i = onnx.TensorProto.FLOAT
            if attribute.HasField("t"):
                tensors.append(attribute.t)
        for inner in graphs_within(node):
            _retype(inner)
    for tensor in tensors:
        if tensor.data_type in OTHER_FLOATS:
            array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Converts a float32 generator to float16; inputs and outputs stay float32."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    converted: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True)
    graph = converted.graph
    constants = [initializer.name for initializer in graph.initializer]
    nodes = in_order(graph.node, graph.input, constants)
    del graph.node[:]
    graph.node.extend(nodes)
    return converted


def to_int8(model: onnx.ModelProto, num_classes: int) -> onnx.ModelProto:
    """Quantizes a float32 generator to 8 bits; inputs and outputs stay float32.

    Each weight `w` of a channel becomes `round(w / s)` with `s = max|w| / 64`, each
    feature map `x` becomes `round(x / s) + z` with the range that it had on 512
    latents. The last layer with weights stays in float32: before its tanh values
    range so widely that 8 bits would be seen.

    Weights have 7 of the 8 bits, so that no CPU saturates. CPUs without VNNI multiply
    by `vpmaddubsw`, which adds two products of an unsigned and a signed byte in a
    signed 16-bit integer, of 32,767 at most. With weights of up to 127 the sum may be
    `2 * 255 * 127 = 64,770` and is cut; with weights of up to 64 it is
    `2 * 255 * 64 = 32,640` at most and fits.

    Args:
        model: `onnx.ModelProto`.
        num_classes: Integer, 0 without classes.

    Returns:
        A new `onnx.ModelProto` of opset 21, the first in which scales by channel have
        a reference implementation.

    Reference:
        [Jacob et al., 2017](https://arxiv.org/abs/1712.05877)
    """
    current = version_converter.convert_version(model, INT8_OPSET)
    current.ir_version = INT8_IR_VERSION
    with tempfile.TemporaryDirectory() as folder, _without_advice():
        source, path = (Path(folder) / name for name in ("float32.onnx", "int8.onnx"))
        onnx.save(current, source)  # quantize_static would change the model itself
        quantization.quantize_static(
            source,
            path,
            _Calibration(model, num_classes),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=_last_layer(model),
        )
        return onnx.load(path)


def _last_layer(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes with weights that no other such node comes after."""
    nodes, names, visited = list(model.graph.node), [], set()
    tensors = [output.name for output in model.graph.output]
    while tensors:
        tensor = tensors.pop()
        for node in nodes:
            if tensor in node.output and node.name not in visited:
                visited.add(node.name)
                if node.op_type in WEIGHTED:
                    names.append(node.name)
                else:
                    tensors += node.input
    return names


class _Calibration(quantization.CalibrationDataReader):
    """Batches of latents, and of each class in turn."""

    def __init__(self, model: onnx.ModelProto, num_classes: int) -> None:
        session = open_session(model.SerializeToString(), optimized=False)
        size = largest_batch(session)
        self._batches = (
            draw_inputs(session, size, CALIBRATION_SEED + k, num_classes)
            for k in range(CALIBRATION_BATCHES)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, or `None` after the last."""
        return next(self._batches, None)


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Silences the advice to run onnxruntime's own rewriting of the graph first.

    And what its sessions, which this module does not open, print of such a graph.
    """
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    onnxruntime.set_default_logger_severity(ERRORS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
        onnxruntime.set_default_logger_severity(WARNINGS)
