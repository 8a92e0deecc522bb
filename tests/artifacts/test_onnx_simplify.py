"""Folding of scales and offsets."""

import numpy as np
from onnx import helper


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
