"""Replaces transposed convolutions of stride 2 by plain convolutions.

Runtimes have faster kernels for plain convolutions, and 8-bit kernels for them alone.

Of stride 2 with padding `p`, `y[o] = sum_i x[i] w[o + p - 2 i]`: the pixels whose
`o + p` is `2 g + phase` are a convolution of `x` with every second weight,
`w[phase], w[phase + 2], ...`, as long as there are such pixels.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from ganlab.artifacts.onnx_graph import ACTIVATIONS, Graph, attribute

# Feature maps with fewer channels are padded to this many by the runtime.
FULL_CHANNELS = 16
CHANNELS_FIRST, CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def split_transposed_convolutions(graph: Graph) -> None:
    """Computes each phase of a transposed convolution by a convolution.

    With few filters one convolution computes all four phases: an image of `2 g`
    pixels, which is cut to size.
    """
    for node in graph.of_type("ConvTranspose"):
        sizes = _sizes(graph, node)
        if sizes is not None:
            _split(graph, node, sizes)


def _sizes(graph: Graph, node: onnx.NodeProto) -> list[int] | None:
    """Height and width of the inputs of a node that can be split, or `None`."""
    weights = graph.constants.get(node.input[1])
    shape = graph.shape(node.input[0])
    if weights is None or weights.ndim != 4 or shape is None:
        return None
    sizes = [size for size in shape[2:] if size is not None]
    plain = (
        graph.has_constants(node)
        and len(sizes) == 2
        and attribute(node, "group", 1) == 1
        and list(attribute(node, "strides", ())) == [2, 2]
        and set(attribute(node, "dilations", [1])) == {1}
        and attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"
        and not attribute(node, "output_shape", ())
        and not any(attribute(node, "output_padding", ()))
    )
    return sizes if plain else None


@dataclass(frozen=True)
class _Phase:
    """Every second pixel along one axis of a transposed convolution.

    Args:
        index: 0 or 1: which of the weights.
        first: The first pixel.
        count: Number of pixels.
        grid: Number of pixels before the image is cut to size.
        before: Padding before the inputs.
        after: Padding after them.
    """

    index: int
    first: int
    count: int
    grid: int
    before: int
    after: int

    @classmethod
    def of(cls, index: int, taps: int, size: int, length: int, pad: int) -> "_Phase":
        """Phase `index` of `taps` weights on `size` pixels, cut to `length`."""
        lowest = (pad - index + 1) // 2
        first = 2 * lowest + index - pad
        count = (length - first + 1) // 2
        before = taps - 1 - lowest
        after = count + taps - 1 - size - before
        return cls(index, first, count, size + taps - 1, before, after)


@dataclass(frozen=True)
class _Upsampling:
    """A transposed convolution, and the activation after it, that are split.

    Args:
        source: Name of its input.
        output: Name of its output.
        weights: Array `(channels, filters, height, width)`, of even sizes.
        bias: Array `(filters,)`.
        pads: Padding that its attribute states.
        lengths: Height and width of the outputs.
        phases: The two phases along each axis.
        activation: The node after it, or `None`.
    """

    source: str
    output: str
    weights: np.ndarray
    bias: np.ndarray
    pads: list[int]
    lengths: list[int]
    phases: list[list[_Phase]]
    activation: onnx.NodeProto | None

    @property
    def is_exact(self) -> bool:
        """Whether each phase has half of the pixels, and needs no cut."""
        return all(
            phase.before >= 0 and phase.after >= 0 and 2 * phase.count == length
            for phases, length in zip(self.phases, self.lengths, strict=True)
            for phase in phases
        )

    def kernel(self, row: int, column: int) -> np.ndarray:
        """Weights of one phase as a convolution's: turned about, filters first."""
        phase = self.weights[:, :, row::2, column::2]
        return phase[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)


def _split(graph: Graph, node: onnx.NodeProto, sizes: Sequence[int]) -> None:
    weights = graph.constants[node.input[1]]
    pads = list(attribute(node, "pads", [0] * 4))
    lengths = [
        2 * (sizes[axis] - 1) + weights.shape[2 + axis] - pads[axis] - pads[2 + axis]
        for axis in range(2)
    ]
    odd = ((0, size % 2) for size in weights.shape[2:])
    weights = np.pad(weights, [(0, 0), (0, 0), *odd])
    bias = np.zeros(weights.shape[1], weights.dtype)
    if len(node.input) > 2:
        bias = graph.constants[node.input[2]]
    activation = graph.only_consumer(node)
    if activation is not None and activation.op_type not in ACTIVATIONS:
        activation = None
    upsampling = _Upsampling(
        source=node.input[0],
        output=(activation or node).output[0],
        weights=weights,
        bias=bias,
        pads=pads,
        lengths=lengths,
        phases=[
            [
                _Phase.of(index, size // 2, sizes[axis], lengths[axis], pads[axis])
                for index in range(2)
            ]
            for axis, size in enumerate(weights.shape[2:])
        ],
        activation=activation,
    )
    graph.remove(node)
    if activation is not None:
        graph.remove(activation)
    if upsampling.is_exact and len(bias) >= FULL_CHANNELS:
        _four_convolutions(graph, upsampling)
    else:
        _one_convolution(graph, upsampling)


def _convolve(
    graph: Graph,
    upsampling: _Upsampling,
    kernel: np.ndarray,
    bias: np.ndarray,
    pads: list[int],
) -> str:
    """Adds a convolution and the activation; returns the name of the output."""
    output = graph.add(
        "Conv",
        upsampling.source,
        graph.constant(kernel),
        graph.constant(bias),
        pads=pads,
    )
    if upsampling.activation is not None:
        output = graph.add(upsampling.activation.op_type, output)
        graph.nodes[-1].attribute.extend(upsampling.activation.attribute)
    return output


def _four_convolutions(graph: Graph, upsampling: _Upsampling) -> None:
    """A convolution for each phase; concatenation interleaves their pixels."""
    height, width = upsampling.lengths
    filters = len(upsampling.bias)
    row_phases, column_phases = (
        sorted(phases, key=lambda phase: phase.first) for phases in upsampling.phases
    )
    rows = []
    for row in row_phases:
        columns = []
        for column in column_phases:
            maps = _convolve(
                graph,
                upsampling,
                upsampling.kernel(row.index, column.index),
                upsampling.bias,
                [row.before, column.before, row.after, column.after],
            )
            columns.append(graph.add("Transpose", maps, perm=CHANNELS_LAST))
        joined = graph.add("Concat", *columns, axis=3)
        shape = graph.constant(np.array([-1, height // 2, width * filters]))
        rows.append(graph.add("Reshape", joined, shape))
    joined = graph.add("Concat", *rows, axis=2)
    shape = graph.constant(np.array([-1, height, width, filters]))
    image = graph.add("Reshape", joined, shape)
    graph.add("Transpose", image, perm=CHANNELS_FIRST, output=upsampling.output)


def _one_convolution(graph: Graph, upsampling: _Upsampling) -> None:
    """One convolution with four times the filters, whose maps are interleaved."""
    filters = len(upsampling.bias)
    down, right = (size // 2 - 1 for size in upsampling.weights.shape[2:])
    kernels = [
        upsampling.kernel(row, column)
        for row, column in itertools.product(range(2), range(2))
    ]
    maps = _convolve(
        graph,
        upsampling,
        np.concatenate(kernels),
        np.tile(upsampling.bias, 4),
        [down, right, down, right],
    )
    rows, columns = (phases[0].grid for phases in upsampling.phases)
    image = graph.add("Transpose", maps, perm=CHANNELS_LAST)
    shape = graph.constant(np.array([-1, rows, columns, 2, 2, filters]))
    image = graph.add("Reshape", image, shape)
    image = graph.add("Transpose", image, perm=[0, 1, 3, 2, 4, 5])
    shape = graph.constant(np.array([-1, 2 * rows, 2 * columns, filters]))
    image = graph.add("Reshape", image, shape)
    starts = np.array(upsampling.pads[:2])
    ends = starts + np.array(upsampling.lengths)
    edges = (graph.constant(value) for value in (starts, ends, [1, 2]))
    image = graph.add("Slice", image, *edges)
    graph.add("Transpose", image, perm=CHANNELS_FIRST, output=upsampling.output)
