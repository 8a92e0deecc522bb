"""Rewrites a generator's ONNX graph into one that runs faster.

Scales and offsets, such as those of batch normalisation, are folded into the weights
before them; the projection of the latents is laid out as convolutions take it;
transposed convolutions become plain ones (`onnx_upsampling`).
"""

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from ganlab.artifacts.onnx_graph import ACTIVATIONS, Graph, attribute
from ganlab.artifacts.onnx_upsampling import split_transposed_convolutions

LINEAR = ("MatMul", "Gemm", "Conv", "ConvTranspose")
ELEMENTWISE = (*ACTIVATIONS, "Tanh", "Sigmoid")
LABELS = "labels"
INDEX_ARITHMETIC = ("Add", "Cast", "Less", "Mul", "Not", "Where")
CHANNELS_FIRST = [0, 3, 1, 2]


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrites a generator's graph into a faster one with the same images.

    Nodes of an unknown kind stay as they are.

    Args:
        model: A model from `latents`, and perhaps `labels` of 0 or more, to `images`.

    Returns:
        A new `onnx.ModelProto` with the same inputs and outputs.
    """
    graph = Graph(model)
    take_labels_directly(graph)
    while fold_one(graph):
        pass
    lay_out_channels_first(graph)
    split_transposed_convolutions(graph)
    return graph.model()


def take_labels_directly(graph: Graph) -> None:
    """Drops arithmetic of labels that changes none of them from 0 on."""
    for node in graph.of_type("Gather"):
        table, index = node.input
        if table not in graph.constants or attribute(node, "axis", 0):
            continue
        chain = _index_arithmetic(graph, index)
        if chain and _changes_nothing(graph, chain, index, len(graph.constants[table])):
            node.input[1] = LABELS


def _index_arithmetic(graph: Graph, name: str) -> list[onnx.NodeProto] | None:
    """The nodes that compute a tensor from the labels alone, or `None`."""
    if name == LABELS or (name in graph.constants and not graph.constants[name].ndim):
        return []
    node = graph.producer(name)
    if node is None or node.op_type not in INDEX_ARITHMETIC:
        return None
    chain = [node]
    for value in node.input:
        before = _index_arithmetic(graph, value)
        if before is None:
            return None
        chain = [*before, *(other for other in chain if other not in before)]
    return chain


def _changes_nothing(
    graph: Graph, chain: list[onnx.NodeProto], index: str, count: int
) -> bool:
    """Whether nodes map labels from 0 to `count - 1` to themselves."""
    labels = np.arange(count, dtype=np.int32)
    values = {**graph.constants, LABELS: labels}
    for node in chain:
        feeds = {name: values[name] for name in node.input}
        (values[node.output[0]],) = list(ReferenceEvaluator(node).run(None, feeds))
    return np.array_equal(values[index], labels)


def fold_one(graph: Graph) -> bool:
    """Folds one scale or offset into the weights before it, if there is any."""
    return any(_fold_into(graph, node) for node in graph.of_type(*LINEAR))


def _fold_into(graph: Graph, linear: onnx.NodeProto) -> bool:
    """Folds the scale or offset after a linear map into its weights, if it can."""
    if not graph.has_constants(linear) or not _is_plain(graph, linear):
        return False
    weights = graph.constants[linear.input[1]]
    after, reshape = graph.only_consumer(linear), None
    if after is not None and after.op_type == "Reshape":
        reshape, after = after, graph.only_consumer(after)
    if after is None or after.op_type not in ("Mul", "Add"):
        return False
    before = (reshape or linear).output[0]
    other = next((name for name in after.input if name != before), before)
    factors = _factors(graph, linear, weights, reshape, graph.constants.get(other))
    if factors is None:
        return False
    bias = np.zeros(len(factors), weights.dtype)
    if len(linear.input) > 2:
        bias = graph.constants[linear.input[2]]
    if after.op_type == "Mul":
        shape = [1] * weights.ndim
        shape[_output_axis(linear)] = -1
        weights, bias = weights * factors.reshape(shape), bias * factors
    else:
        bias = bias + factors
    folded = helper.make_node(
        "Gemm" if linear.op_type == "MatMul" else linear.op_type,
        [linear.input[0], graph.constant(weights), graph.constant(bias)],
        linear.output if reshape else after.output,
    )
    folded.attribute.extend(linear.attribute)
    graph.remove(linear, after)
    graph.nodes.append(folded)
    if reshape is not None:
        reshape.output[0] = after.output[0]
    return True


def _is_plain(graph: Graph, linear: onnx.NodeProto) -> bool:
    """Whether one axis of a linear map's outputs is its channels."""
    if linear.op_type in ("MatMul", "Gemm"):
        shape = graph.shape(linear.input[0])
        defaults = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
        return (
            shape is not None
            and len(shape) == 2
            and all(
                attribute(linear, name, default) == default
                for name, default in defaults.items()
            )
        )
    return bool(attribute(linear, "group", 1) == 1)


def _factors(
    graph: Graph,
    linear: onnx.NodeProto,
    weights: np.ndarray,
    reshape: onnx.NodeProto | None,
    factor: np.ndarray | None,
) -> np.ndarray | None:
    """One factor for each output of a linear map, or `None` if they differ within."""
    if factor is None:
        return None
    width, rank = weights.shape[_output_axis(linear)], weights.ndim
    axis = 1 if linear.op_type in ("Conv", "ConvTranspose") else -1
    repeats = 1
    if reshape is not None:
        target = graph.constants.get(reshape.input[1])
        if axis != -1 or target is None or target[-1] < 1 or width % target[-1]:
            return None
        repeats, width, rank = width // target[-1], target[-1], len(target)
    if factor.ndim > rank:
        return None
    if factor.size == 1:
        return np.full(repeats * width, factor.reshape(()), factor.dtype)
    channel_shape = [1] * rank
    channel_shape[axis] = width
    if [1] * (rank - factor.ndim) + list(factor.shape) != channel_shape:
        return None
    return np.tile(factor.reshape(-1), repeats)


def _output_axis(linear: onnx.NodeProto) -> int:
    """The axis of a linear map's weights that its outputs lie along."""
    return 0 if linear.op_type == "Conv" else 1


def lay_out_channels_first(graph: Graph) -> None:
    """Permutes a projection's columns where its feature maps are transposed anyway."""
    for transpose in graph.of_type("Transpose"):
        if list(attribute(transpose, "perm", ())) != CHANNELS_FIRST:
            continue
        activation = None
        reshape = graph.producer(transpose.input[0])
        if reshape is not None and reshape.op_type in ELEMENTWISE:
            activation, reshape = reshape, graph.producer(reshape.input[0])
        if reshape is None or reshape.op_type != "Reshape":
            continue
        linear = graph.producer(reshape.input[0])
        target = graph.constants.get(reshape.input[1])
        if (
            linear is None
            or linear.op_type != "Gemm"
            or len(linear.input) < 3
            or not graph.has_constants(linear)
            or target is None
            or len(target) != 4
            or min(target[1:]) < 1
            or np.prod(target[1:]) != graph.constants[linear.input[1]].shape[1]
        ):
            continue
        chain = [linear, reshape] + ([] if activation is None else [activation])
        if any(graph.only_consumer(node) is None for node in chain):
            continue
        height, width, channels = (int(size) for size in target[1:])
        order = np.arange(height * width * channels)
        order = order.reshape(height, width, channels).transpose(2, 0, 1).ravel()
        linear.input[1] = graph.constant(graph.constants[linear.input[1]][:, order])
        linear.input[2] = graph.constant(graph.constants[linear.input[2]][order])
        reshape.input[1] = graph.constant(np.array([-1, channels, height, width]))
        chain[-1].output[0] = transpose.output[0]
        graph.remove(transpose)
