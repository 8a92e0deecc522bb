"""Does a simplified graph draw what it drew before, with less work?"""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ganlab.artifacts.onnx_graph import in_order, simplify


def make_model(nodes, constants, latent_dim, image_shape):
    """A model from `latents` to `images`, checked."""
    graph = helper.make_graph(
        nodes,
        "generator",
        [
            helper.make_tensor_value_info(
                "latents", TensorProto.FLOAT, [None, latent_dim]
            )
        ],
        [
            helper.make_tensor_value_info(
                "images", TensorProto.FLOAT, [None, *image_shape]
            )
        ],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def draw(model, latents):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(["images"], {"latents": latents})[0]


def count_kinds(model):
    return Counter(node.op_type for node in model.graph.node)


def check_same(model, latent_dim):
    """Simplifies; returns how often each operation is left."""
    simple = simplify(model)
    onnx.checker.check_model(simple, full_check=True)
    latents = np.random.default_rng(1).standard_normal((3, latent_dim), np.float32)
    expected = draw(model, latents)
    np.testing.assert_allclose(draw(simple, latents), expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0
    return count_kinds(simple)


@st.composite
def transposed_convolutions(draw):
    """Attributes of a transposed convolution that leaves something of its map."""
    kernel, sizes, pads, lengths = [], [], [[], []], []
    for _ in range(2):
        kernel.append(draw(st.integers(1, 6)))
        sizes.append(draw(st.integers(1, 6)))
        whole = 2 * (sizes[-1] - 1) + kernel[-1]
        before = draw(st.integers(0, min(kernel[-1], whole - 1)))
        after = draw(st.integers(0, min(kernel[-1], whole - 1 - before)))
        pads[0].append(before)
        pads[1].append(after)
        lengths.append(whole - before - after)
    filters = draw(st.sampled_from([1, 3, 16, 20]))
    after = draw(st.sampled_from([None, "Relu", "LeakyRelu", "Tanh"]))
    return kernel, sizes, pads[0] + pads[1], lengths, filters, after


@settings(deadline=None, max_examples=60, derandomize=True)
@given(transposed_convolutions(), st.booleans())
def test_any_transposed_convolution_of_stride_2_becomes_convolutions(what, biased):
    kernel, sizes, pads, lengths, filters, after = what
    random, channels = np.random.default_rng(0), 2
    latent_dim = channels * sizes[0] * sizes[1]
    constants = {
        "shape": np.array([-1, channels, *sizes]),
        "weights": random.standard_normal((channels, filters, *kernel), np.float32),
        "bias": random.standard_normal(filters, np.float32),
    }
    taken = ["maps", "weights", "bias"][: 3 if biased else 2]
    drawn = "images" if after is None else "drawn"
    nodes = [
        helper.make_node("Reshape", ["latents", "shape"], ["maps"]),
        helper.make_node("ConvTranspose", taken, [drawn], strides=[2, 2], pads=pads),
    ]
    if after is not None:
        nodes.append(helper.make_node(after, ["drawn"], ["images"]))
    if not biased:
        del constants["bias"]
    model = make_model(nodes, constants, latent_dim, [filters, *lengths])
    assert "ConvTranspose" not in check_same(model, latent_dim)


@pytest.mark.parametrize(
    "attributes", [{"group": 2}, {"strides": [1, 1]}, {"output_padding": [1, 1]}]
)
def test_other_transposed_convolutions_are_left_alone(attributes):
    attributes = {"strides": [2, 2], "pads": [1, 1, 1, 1], **attributes}
    filters = 4 // attributes.get("group", 1)
    weights = np.random.default_rng(0).standard_normal((4, filters, 4, 4), np.float32)
    nodes = [
        helper.make_node("Reshape", ["latents", "shape"], ["maps"]),
        helper.make_node(
            "ConvTranspose", ["maps", "weights"], ["images"], **attributes
        ),
    ]
    constants = {"shape": np.array([-1, 4, 3, 3]), "weights": weights}
    model = make_model(nodes, constants, 36, [None, None, None])
    assert "ConvTranspose" in check_same(model, 36)


def test_scales_and_offsets_fold_into_the_layers_before_them():
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
    left = check_same(make_model(nodes, constants, 5, [2, 4, 4]), 5)
    assert left == {"Gemm": 1, "Reshape": 1, "Relu": 1, "Conv": 1}


def test_what_is_needed_twice_or_is_no_scale_stays():
    random = np.random.default_rng(0)
    constants = {
        "weights": random.standard_normal((4, 6), np.float32),
        "scale": random.standard_normal(6).astype("float32"),
        "each": random.standard_normal((3, 6)).astype("float32"),
    }
    nodes = [
        helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
        helper.make_node("Mul", ["flat", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "flat"], ["sum"]),
        helper.make_node("MatMul", ["latents", "weights"], ["again"]),
        helper.make_node("Add", ["again", "each"], ["moved"]),
        helper.make_node("Add", ["sum", "moved"], ["images"]),
    ]
    left = check_same(make_model(nodes, constants, 4, [6]), 4)
    assert left["Mul"] == 1
    assert left["Add"] == 3


def test_a_graph_with_a_gap_is_refused():
    nodes = [helper.make_node("Relu", ["nothing"], ["images"])]
    with pytest.raises(ValueError, match="without gaps"):
        in_order(nodes, [], [])
