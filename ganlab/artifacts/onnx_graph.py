"""An ONNX graph that can be edited: nodes, constants, shapes, order."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

ACTIVATIONS = ("Relu", "LeakyRelu")


class Graph:
    """The graph of a model; every change keeps it valid.

    Args:
        model: An `onnx.ModelProto`, which stays as it is.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = shape_inference.infer_shapes(model)
        self.nodes: list[onnx.NodeProto] = list(self._model.graph.node)
        self.constants: dict[str, np.ndarray] = {
            initializer.name: numpy_helper.to_array(initializer)
            for initializer in self._model.graph.initializer
        }
        taken = {name for node in self.nodes for name in node.output}
        self._names = (
            name
            for k in itertools.count()
            if (name := f"ganlab_{k}") not in taken.union(self.constants)
        )

    def model(self, names: Mapping[str, str] | None = None) -> onnx.ModelProto:
        """The edited model, without nodes and constants that nothing uses.

        Args:
            names: Names for the nodes of some outputs, by output.
        """
        outputs = {output.name for output in self._model.graph.output}
        while True:
            used = outputs | {name for node in self.nodes for name in uses(node)}
            kept = [node for node in self.nodes if used & set(node.output)]
            if len(kept) == len(self.nodes):
                break
            self.nodes = kept
        initializers = [
            numpy_helper.from_array(np.asarray(value, order="C"), name)
            for name, value in self.constants.items()
            if name in used
        ]
        nodes = in_order(self.nodes, self._model.graph.input, self.constants)
        for index, node in enumerate(nodes):
            node.name = (names or {}).get(node.output[0], f"{node.op_type}_{index}")
        graph = helper.make_graph(
            nodes,
            "generator",
            self._model.graph.input,
            self._model.graph.output,
            initializers,
        )
        domains = {"", *(node.domain for node in all_nodes(nodes))}
        return helper.make_model(
            graph,
            opset_imports=[o for o in self._model.opset_import if o.domain in domains],
            ir_version=self._model.ir_version,
            producer_name="ganlab",
        )

    def of_type(self, *op_types: str) -> list[onnx.NodeProto]:
        """The nodes of some operators, in a list that edits leave alone."""
        return [node for node in self.nodes if node.op_type in op_types]

    def producer(self, name: str) -> onnx.NodeProto | None:
        """The node whose output a tensor is, or `None`."""
        return next((node for node in self.nodes if name in node.output), None)

    def only_consumer(self, node: onnx.NodeProto) -> onnx.NodeProto | None:
        """The one node that takes a node's output, or `None`."""
        name = node.output[0]
        if any(output.name == name for output in self._model.graph.output):
            return None
        consumers = [other for other in self.nodes if name in uses(other)]
        one = len(consumers) == 1 and name in consumers[0].input
        return consumers[0] if one else None

    def has_constants(self, node: onnx.NodeProto) -> bool:
        """Whether all inputs of a node but the first are constants."""
        return all(name in self.constants for name in node.input[1:])

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """Sizes of a tensor, `None` where unknown; `None` of an unknown rank."""
        if name in self.constants:
            return self.constants[name].shape
        graph = self._model.graph
        for value in (*graph.value_info, *graph.input, *graph.output):
            if value.name == name and value.type.tensor_type.HasField("shape"):
                sizes = value.type.tensor_type.shape.dim
                return tuple(
                    size.dim_value if size.HasField("dim_value") else None
                    for size in sizes
                )
        return None

    def constant(self, value: Any) -> str:
        """Adds a constant; returns its name."""
        name = next(self._names)
        self.constants[name] = np.asarray(value)
        return name

    def add(
        self, op_type: str, *inputs: str, output: str | None = None, **attributes: Any
    ) -> str:
        """Adds a node; returns the name of its output."""
        output = output or next(self._names)
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    def remove(self, *removed: onnx.NodeProto) -> None:
        """Removes nodes."""
        identities = {id(node) for node in removed}
        self.nodes = [node for node in self.nodes if id(node) not in identities]


def graphs_within(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs that a loop or a condition holds."""
    graphs: list[onnx.GraphProto] = []
    for candidate in node.attribute:
        graphs += [candidate.g] if candidate.HasField("g") else candidate.graphs
    return graphs


def all_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Nodes, and those of the graphs within them."""
    for node in nodes:
        yield node
        for graph in graphs_within(node):
            yield from all_nodes(graph.node)


def uses(node: onnx.NodeProto) -> set[str]:
    """Names of the tensors that a node takes, those of graphs within it included."""
    names = set(node.input)
    for graph in graphs_within(node):
        names |= {output.name for output in graph.output}
        names = names.union(*map(uses, graph.node))
    return names


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """The value of a node's attribute, or the default."""
    for candidate in node.attribute:
        if candidate.name == name:
            return helper.get_attribute_value(candidate)
    return default


def in_order(
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    constants: Iterable[str],
) -> Sequence[onnx.NodeProto]:
    """Sorts nodes so that each stands after those whose outputs it takes.

    Args:
        nodes: The nodes.
        inputs: The graph's inputs.
        constants: Names of its initializers.

    Raises:
        ValueError: if a node takes an input that nothing produces.
    """
    known = {"", *constants, *(value.name for value in inputs)}
    left, ordered = list(nodes), []
    made = {name for node in left for name in node.output}
    while left:
        ready = [
            node
            for node in left
            if known.issuperset(node.input) and known.issuperset(uses(node) & made)
        ]
        if not ready:
            raise ValueError(f"Expected a graph without gaps. Received: {left[0]}")
        ordered += ready
        known.update(name for node in ready for name in node.output)
        left = [node for node in left if not known.issuperset(node.output)]
    return ordered
