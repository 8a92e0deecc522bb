"""Editing a graph and sorting its nodes."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ganlab.artifacts.onnx_graph import Graph, all_nodes, attribute, in_order, uses


def test_nodes_are_sorted_by_what_they_take():
    first = helper.make_node("Relu", ["latents"], ["a"])
    second = helper.make_node("Relu", ["a"], ["images"])
    latents = helper.make_tensor_value_info("latents", 1, [1])
    assert in_order([second, first], [latents], []) == [first, second]


def test_a_graph_with_a_gap_is_refused():
    nodes = [helper.make_node("Relu", ["nothing"], ["images"])]
    with pytest.raises(ValueError, match="without gaps"):
        in_order(nodes, [], [])


def test_a_graph_knows_producers_consumers_and_shapes(make_model):
    nodes = [
        helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
        helper.make_node("LeakyRelu", ["flat"], ["images"], alpha=0.5),
    ]
    graph = Graph(make_model(nodes, {"weights": np.ones((4, 6), "float32")}, 4, [6]))
    linear, activation = graph.nodes
    assert graph.producer("images") == activation
    assert graph.producer("latents") is None
    assert graph.only_consumer(linear) == activation
    assert graph.only_consumer(activation) is None
    assert graph.has_constants(linear)
    assert graph.shape("flat") == (None, 6)
    assert graph.shape("weights") == (4, 6)
    assert graph.shape("nothing") is None
    assert attribute(activation, "alpha", 0.0) == 0.5
    assert attribute(activation, "beta", 1.0) == 1.0


def test_the_edited_model_has_nothing_unused(make_model):
    weights = np.ones((4, 6), "float32")
    nodes = [helper.make_node("MatMul", ["latents", "weights"], ["images"])]
    graph = Graph(make_model(nodes, {"weights": weights}, 4, [6]))
    graph.add("Relu", "latents")
    graph.constant(weights)
    model = graph.model()
    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    assert [initializer.name for initializer in model.graph.initializer] == ["weights"]
    graph.remove(*graph.nodes)
    assert graph.nodes == []


def branching(captured):
    """A condition on the latents' sum whose branches take a tensor from outside."""
    branches = {}
    for name in ("then_branch", "else_branch"):
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4])
        node = helper.make_node("Neg", [captured], [name])
        branches[name] = helper.make_graph([node], name, [], [output])
    return helper.make_node("If", ["condition"], ["images"], **branches)


def test_what_a_graph_within_takes_counts_as_taken(make_model):
    nodes = [
        helper.make_node("Relu", ["latents"], ["outside"]),
        helper.make_node("ReduceSum", ["latents"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["condition"]),
        branching("outside"),
    ]
    model = make_model(nodes, {"zero": np.float32(0.0)}, 4, [4])
    assert uses(nodes[-1]) >= {"condition", "outside"}
    graph = Graph(model)
    assert graph.only_consumer(graph.nodes[0]) is None  # it cannot be merged with
    assert [node.op_type for node in all_nodes(graph.nodes)].count("Neg") == 2
    graph.nodes.reverse()
    edited = graph.model()
    onnx.checker.check_model(edited, full_check=True)
    operators = [node.op_type for node in edited.graph.node]
    assert sorted(operators) == ["Greater", "If", "ReduceSum", "Relu"]
    assert operators[-1] == "If"


def test_scalars_stay_scalars_and_new_names_are_new(make_model):
    nodes = [helper.make_node("Mul", ["latents", "half"], ["images"])]
    graph = Graph(make_model(nodes, {"half": np.float32(0.5)}, 4, [4]))
    graph.nodes[0].input[1] = first = graph.constant(np.float32(2.0))
    model = graph.model(names={"images": "doubled"})
    assert list(model.graph.initializer[0].dims) == []
    assert model.graph.node[0].name == "doubled"
    assert Graph(model).constant(1.0) != first
