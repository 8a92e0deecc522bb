"""The directions are the eigenvectors of the first dense layer, wherever it is."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.principal_directions import principal_directions

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
# Of the rows, the second moves the output most, then the third, then the first.
WEIGHTS = np.float32([[1, 0, 0, 0], [0, -9, 0, 0], [0, 0, 4, 0]])
BY_HAND = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def model_of(nodes, weights, dtype=np.float32, name="weights"):
    """The bytes of a model of nodes that come to `hidden`."""
    inputs = [helper.make_tensor_value_info("latents", TensorProto.FLOAT, [None, 3])]
    outputs = [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [None, 4])]
    tensor = numpy_helper.from_array(weights.astype(dtype), name)
    graph = helper.make_graph(nodes, "graph", inputs, outputs, [tensor])
    return helper.make_model(graph).SerializeToString()


def dense(source="latents", operator="MatMul", **attributes):
    return helper.make_node(operator, [source, "weights"], ["hidden"], **attributes)


def join(*parts):
    return helper.make_node("Concat", parts, ["joined"], axis=1)


OTHER = np.full((2, 4), 100, np.float32)  # rows of what is joined to the latents
GRAPHS = {
    "alone": ([dense()], WEIGHTS),
    "transposed": ([dense(operator="Gemm", transB=1)], WEIGHTS.T),
    "joined first": (
        [join("latents", "other"), dense("joined")],
        np.concatenate([WEIGHTS, OTHER]),
    ),
    "joined last": (
        [join("other", "latents"), dense("joined")],
        np.concatenate([OTHER, WEIGHTS]),
    ),
    "reshaped": (
        [helper.make_node("Reshape", ["latents", "shape"], ["flat"]), dense("flat")],
        WEIGHTS,
    ),
}


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_directions_by_hand(graph):
    directions = principal_directions(model_of(*GRAPHS[graph]), "latents", 3, 8)
    assert directions.dtype == np.float32
    np.testing.assert_allclose(directions, BY_HAND, atol=1e-6)


def test_fewer_are_the_first():
    content = model_of([dense()], WEIGHTS)
    np.testing.assert_allclose(
        principal_directions(content, "latents", 3, 1), BY_HAND[:1], atol=1e-6
    )


@pytest.mark.parametrize(
    "content",
    [
        model_of([helper.make_node("Relu", ["latents"], ["hidden"])], WEIGHTS),
        model_of([dense("classes")], WEIGHTS),
        model_of(
            [join("a", "latents", "b"), dense("joined")], np.tile(WEIGHTS, (3, 1))
        ),
        model_of([dense(operator="Gemm", transA=1)], WEIGHTS),
        model_of([dense()], WEIGHTS[:2]),
        model_of([dense()], WEIGHTS, np.float16),
        model_of([dense()], WEIGHTS, name="others"),
        model_of([dense()], WEIGHTS * np.nan),
    ],
    ids=["none", "classes", "within", "transA", "few", "float16", "unnamed", "nan"],
)
def test_where_no_dense_layer_takes_the_latents_there_are_none(content):
    assert principal_directions(content, "latents", 3, 8).shape == (0, 3)


def test_weights_that_are_cut_off_give_none():
    model = onnx.load_from_string(model_of([dense()], WEIGHTS))
    model.graph.initializer[0].raw_data = b"1234"
    content = model.SerializeToString()
    assert principal_directions(content, "latents", 3, 8).shape == (0, 3)


def test_damaged_files_give_directions_or_none():
    content = np.frombuffer(model_of(*GRAPHS["joined last"]), np.uint8)
    random = np.random.default_rng(0)
    shapes = set()
    for _ in range(300):
        damaged = content.copy()
        places = random.integers(len(content), size=3)
        damaged[places] = random.integers(256, size=3)
        shapes.add(principal_directions(damaged.tobytes(), "latents", 3, 8).shape)
    assert shapes == {(0, 3), (3, 3)}
    assert principal_directions(b"", "latents", 3, 8).shape == (0, 3)


def test_too_many_latents_are_not_decomposed():
    content = model_of([dense()], WEIGHTS)
    assert principal_directions(content, "latents", 1025, 8).shape == (0, 1025)


@pytest.mark.parametrize("format", ["float32", "int8"])
def test_the_shipped_generators_are_those_of_its_weights(format):
    directions = Artifact(FASHION, format).principal_directions(8)
    graph = onnx.load(FASHION / "generator.onnx").graph
    (weights,) = (
        numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tuple(tensor.dims) == (74, 3136)
    )
    vectors = np.linalg.svd(weights[:64], full_matrices=False)[0].T[:8]
    np.testing.assert_allclose(np.abs((vectors * directions).sum(1)), 1, atol=1e-4)
    np.testing.assert_allclose(directions @ directions.T, np.eye(8), atol=1e-5)
    assert (directions.max(axis=1) > -directions.min(axis=1)).all()
