"""Editing a graph and sorting its nodes."""

import numpy as np
import pytest
from onnx import helper

from ganlab.artifacts.onnx_graph import Graph, attribute, in_order


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
