"""Folding of scales and offsets."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganlab.artifacts.onnx_simplify import simplify


def test_scales_and_offsets_fold_into_the_layers_before_them(
    make_model, simplified_operators
):
    random = np.random.default_rng(0)
    constants = {
        "project": random.standard_normal((5, 4 * 4 * 6), np.float32),
        "shape": np.array([-1, 4, 4, 6]),
        "scale": random.standard_normal(6).astype("float32"),
        "offset": random.standard_normal((1, 1, 1, 6)).astype("float32"),
        "kernel": random.standard_normal((2, 6, 3, 3), np.float32),
        "half": np.float32(0.5),
        "second": random.standard_normal((2, 1, 1)).astype("float32"),
    }
    nodes = [
        helper.make_node("MatMul", ["latents", "project"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["maps"]),
        helper.make_node("Mul", ["maps", "scale"], ["scaled"]),
        helper.make_node("Add", ["offset", "scaled"], ["moved"]),
        helper.make_node("Relu", ["moved"], ["active"]),
        helper.make_node("Transpose", ["active"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["drawn"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["drawn", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "second"], ["images"]),
    ]
    model = make_model(nodes, constants, 5, [2, 4, 4])
    operators = simplified_operators(model, 5)
    assert operators == {"Gemm": 1, "Reshape": 1, "Relu": 1, "Conv": 1}


def test_a_shared_tensor_and_a_full_offset_stay(make_model, simplified_operators):
    random = np.random.default_rng(0)
    constants = {
        "weights": random.standard_normal((4, 6), np.float32),
        "scale": random.standard_normal(6).astype("float32"),
        "full": random.standard_normal((3, 6)).astype("float32"),
    }
    nodes = [
        helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
        helper.make_node("Mul", ["flat", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "flat"], ["sum"]),
        helper.make_node("MatMul", ["latents", "weights"], ["again"]),
        helper.make_node("Add", ["again", "full"], ["moved"]),
        helper.make_node("Add", ["sum", "moved"], ["images"]),
    ]
    operators = simplified_operators(make_model(nodes, constants, 4, [6]), 4)
    assert operators["Mul"] == 1
    assert operators["Add"] == 3


def test_a_scale_that_adds_a_dimension_stays(make_model, simplified_operators):
    random = np.random.default_rng(0)
    constants = {
        "weights": random.standard_normal((4, 6), np.float32),
        "scale": np.full((1, 1, 1), 3.0, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
        helper.make_node("Mul", ["flat", "scale"], ["images"]),
    ]
    operators = simplified_operators(make_model(nodes, constants, 4, [None, 6]), 4)
    assert operators == {"MatMul": 1, "Mul": 1}


def test_a_reshape_that_infers_its_last_size_stays(make_model, simplified_operators):
    random = np.random.default_rng(0)
    constants = {
        "weights": random.standard_normal((4, 6), np.float32),
        "shape": np.array([0, 2, -1]),
        "offset": np.arange(3, dtype=np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["rows"]),
        helper.make_node("Add", ["rows", "offset"], ["images"]),
    ]
    operators = simplified_operators(make_model(nodes, constants, 4, [2, 3]), 4)
    assert operators == {"MatMul": 1, "Reshape": 1, "Add": 1}


@pytest.mark.parametrize(("offset", "kept"), [(3, False), (1, True)])
def test_only_arithmetic_that_changes_no_label_is_dropped(offset, kept):
    """Labels below `bound` have an offset added: `0` takes none, `2` takes all."""
    bound = 2 if kept else 0
    constants = {
        "table": np.arange(3, dtype=np.float32),
        "bound": np.int32(bound),
        "offset": np.int32(offset),
    }
    nodes = [
        helper.make_node("Less", ["labels", "bound"], ["low"]),
        helper.make_node("Add", ["labels", "offset"], ["moved"]),
        helper.make_node("Where", ["low", "moved", "labels"], ["index"]),
        helper.make_node("Gather", ["table", "index"], ["images"]),
    ]
    labels = helper.make_tensor_value_info("labels", TensorProto.INT32, [None])
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [None])
    initializers = [
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "classes", [labels], [images], initializers)
    opset = [helper.make_opsetid("", 18)]
    simple = simplify(helper.make_model(graph, opset_imports=opset, ir_version=8))
    operators = [node.op_type for node in simple.graph.node]
    assert operators == (["Less", "Add", "Where", "Gather"] if kept else ["Gather"])
