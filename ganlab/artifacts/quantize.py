"""How does a generator leave in fewer bits?

float16 halves the file and computes in float16 where the hardware does. int8 computes
in 8 bits, which CPUs do fast: weights by channel, maps by the range that they had on
drawn latents.
"""

import contextlib
import logging
import tempfile
import warnings
from pathlib import Path

import onnx
from onnxruntime import quantization
from onnxruntime.transformers.float16 import convert_float_to_float16

from ganlab import sampling
from ganlab.artifacts import onnx_graph

CALIBRATION_BATCHES = 8
CALIBRATION_SIZE = 64
CALIBRATION_SEED = 1_000_000  # away from the seeds that parity is told by
LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def to_float16(model):
    """A float32 generator in float16; inputs and outputs stay float32.

    Args:
        model: `onnx.ModelProto`.

    Returns:
        A new `onnx.ModelProto`.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy = convert_float_to_float16(copy, keep_io_types=True)
    graph = copy.graph
    constants = [each.name for each in graph.initializer]
    nodes = onnx_graph.in_order(graph.node, graph.input, constants)
    del graph.node[:]
    graph.node.extend(nodes)
    return copy


def to_int8(model, num_classes):
    """A float32 generator in 8 bits; inputs and outputs stay float32.

    Each weight `w` of a channel becomes `round(w / s)` with `s = max|w| / 127`, each
    map `x` becomes `round(x / s) + z` with the range that it had on 512 latents. The
    layer that draws the image stays in float32: before its tanh values range so
    widely that 8 bits would be seen.

    Args:
        model: `onnx.ModelProto`.
        num_classes: Integer, 0 without classes.

    Returns:
        A new `onnx.ModelProto`.

    Reference:
        [Jacob et al., 2017](https://arxiv.org/abs/1712.05877)
    """
    with tempfile.TemporaryDirectory() as folder, _quietly():
        source, path = (Path(folder) / name for name in ("float32.onnx", "int8.onnx"))
        onnx.save(model, source)  # given the model itself, it would be changed
        quantization.quantize_static(
            source,
            path,
            _Latents(model, num_classes),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=_last_layer(model),
        )
        return onnx.load(path)


def _last_layer(model):
    """Names of the nodes with weights that no other such node comes after."""
    nodes, names, seen = list(model.graph.node), [], set()
    wanted = [each.name for each in model.graph.output]
    while wanted:
        name = wanted.pop()
        for node in nodes:
            if name in node.output and node.name not in seen:
                seen.add(node.name)
                if node.op_type in LAYERS:
                    names.append(node.name)
                else:
                    wanted += node.input
    return names


class _Latents(quantization.CalibrationDataReader):
    """Batches of latents, and of each class in turn."""

    def __init__(self, model, num_classes):
        latent_dim = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        self.batches = iter(
            [
                self._feeds(latent_dim, num_classes, seed)
                for seed in range(CALIBRATION_BATCHES)
            ]
        )

    def _feeds(self, latent_dim, num_classes, seed):
        drawn = sampling.sample_latents(
            CALIBRATION_SIZE, latent_dim, CALIBRATION_SEED + seed
        )
        feeds = {"latents": drawn}
        if num_classes:
            feeds["labels"] = sampling.class_labels(CALIBRATION_SIZE, num_classes)
        return feeds

    def get_next(self):
        return next(self.batches, None)


@contextlib.contextmanager
def _quietly():
    """Without the advice to run onnxruntime's own rewriting of the graph first."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
