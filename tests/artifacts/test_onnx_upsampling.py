"""Transposed convolutions as plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper


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
    activation = draw(st.sampled_from([None, "Relu", "LeakyRelu", "Tanh"]))
    return kernel, sizes, pads[0] + pads[1], lengths, filters, activation


@pytest.mark.e2e
@settings(deadline=None, max_examples=60, derandomize=True)
@given(transposed_convolutions(), st.booleans())
def test_any_transposed_convolution_of_stride_2_becomes_convolutions(
    make_model, simplified_operators, convolution, biased
):
    kernel, sizes, pads, lengths, filters, activation = convolution
    random, channels = np.random.default_rng(0), 2
    latent_dim = channels * sizes[0] * sizes[1]
    constants = {
        "shape": np.array([-1, channels, *sizes]),
        "weights": random.standard_normal((channels, filters, *kernel), np.float32),
        "bias": random.standard_normal(filters, np.float32),
    }
    inputs = ["maps", "weights", "bias"][: 3 if biased else 2]
    output = "images" if activation is None else "upsampled"
    nodes = [
        helper.make_node("Reshape", ["latents", "shape"], ["maps"]),
        helper.make_node("ConvTranspose", inputs, [output], strides=[2, 2], pads=pads),
    ]
    if activation is not None:
        nodes.append(helper.make_node(activation, ["upsampled"], ["images"]))
    if not biased:
        del constants["bias"]
    model = make_model(nodes, constants, latent_dim, [filters, *lengths])
    assert "ConvTranspose" not in simplified_operators(model, latent_dim)


@pytest.mark.parametrize(
    "attributes", [{"group": 2}, {"strides": [1, 1]}, {"output_padding": [1, 1]}]
)
def test_other_transposed_convolutions_are_left_alone(
    make_model, simplified_operators, attributes
):
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
    assert "ConvTranspose" in simplified_operators(model, 36)
