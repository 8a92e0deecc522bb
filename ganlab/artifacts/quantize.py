"""Converts an exported generator to float16 and to 8 bits.

float16 halves the file and computes in float16 where the hardware does. int8 computes
in 8 bits, which CPUs do fast: weights by channel, feature maps by the range that they
had on sampled latents.
"""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.transformers.float16 import convert_float_to_float16

from ganlab import sampling
from ganlab.artifacts.onnx_graph import in_order

CALIBRATION_BATCHES = 8
CALIBRATION_SIZE = 64
CALIBRATION_SEED = 1_000_000  # away from the seeds of the parity certificate
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


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

    Each weight `w` of a channel becomes `round(w / s)` with `s = max|w| / 127`, each
    feature map `x` becomes `round(x / s) + z` with the range that it had on 512
    latents. The last layer with weights stays in float32: before its tanh values
    range so widely that 8 bits would be seen.

    Args:
        model: `onnx.ModelProto`.
        num_classes: Integer, 0 without classes.

    Returns:
        A new `onnx.ModelProto`.

    Reference:
        [Jacob et al., 2017](https://arxiv.org/abs/1712.05877)
    """
    with tempfile.TemporaryDirectory() as folder, _without_advice():
        source, path = (Path(folder) / name for name in ("float32.onnx", "int8.onnx"))
        onnx.save(model, source)  # quantize_static would change the model itself
        quantization.quantize_static(
            source,
            path,
            _Calibration(model, num_classes),
            per_channel=True,
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
        latent_dim = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        self._batches = iter(
            [
                self._feeds(latent_dim, num_classes, CALIBRATION_SEED + index)
                for index in range(CALIBRATION_BATCHES)
            ]
        )

    def _feeds(
        self, latent_dim: int, num_classes: int, seed: int
    ) -> dict[str, np.ndarray]:
        latents = sampling.draw_latents(CALIBRATION_SIZE, latent_dim, seed)
        feeds = {"latents": latents}
        if num_classes:
            feeds["labels"] = sampling.class_labels(CALIBRATION_SIZE, num_classes)
        return feeds

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, or `None` after the last."""
        return next(self._batches, None)


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Silences the advice to run onnxruntime's own rewriting of the graph first."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
