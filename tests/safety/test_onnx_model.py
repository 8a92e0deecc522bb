"""ONNX of a stranger is looked through, and bounded in operators, memory and time."""

import contextlib
import importlib
import random
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganlab.errors import UserError
from ganlab.safety import onnx_model
from ganlab.safety.onnx_model import MAX_NESTING, OPERATORS, OnnxModel, check_graph

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
LATENTS = {"latents": np.ones((6, 4), np.float32)}


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(*nodes, **constants):
    """A model from `latents` to `images`, both `(batch, 4)`."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [value("latents", [None, 4])],
        [value("images", [None, 4])],
        [numpy_helper.from_array(np.array(v), k) for k, v in constants.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def doubled():
    return model_of(helper.make_node("Add", ["latents", "latents"], ["images"]))


def opened(model):
    content = model if isinstance(model, bytes) else model.SerializeToString()
    return OnnxModel(content, "some.onnx", "get another")


def external(model):
    weights = numpy_helper.from_array(np.ones(4, np.float32), "weights")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="secret")
    model.graph.initializer.append(weights)
    model.graph.node[0].input[1] = "weights"


def external_in_a_node(model):
    external(model)
    weights = model.graph.initializer.pop()
    constant = helper.make_node("Constant", [], ["weights"], value=weights)
    model.graph.node.insert(0, constant)


def sparse(model):
    model.graph.sparse_initializer.add().dims.append(1 << 40)


def function(model):
    model.functions.add(name="Add", domain="")


def domain(model):
    model.graph.node[0].domain = "com.microsoft"


def operator(model):
    model.graph.node[0].op_type = "NoSuch\x1b[2J"


def random_numbers(model):
    model.graph.node[0].op_type = "RandomNormalLike"


def operator_within(model):
    body = helper.make_graph([helper.make_node("Bernoulli", ["x"], ["y"])], "b", [], [])
    node = helper.make_node("If", ["c"], ["z"], then_branch=body, else_branch=body)
    model.graph.node.append(node)


def nested(model):
    for _ in range(2 * MAX_NESTING):
        body = helper.make_graph(model.graph.node, "body", [], [])
        del model.graph.node[:]
        model.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=body))


def test_a_model_gives_what_it_computes():
    (images,) = opened(doubled()).run(["images"], LATENTS)
    np.testing.assert_array_equal(images, 2 * LATENTS["latents"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external, "external data"),
        (external_in_a_node, "external data"),
        (sparse, "sparse tensor"),
        (function, "function"),
        (domain, "domain com.microsoft"),
        (operator, r"the operator NoSuch\\u001b\[2J"),
        (random_numbers, "the operator RandomNormalLike"),
        (operator_within, "the operator Bernoulli"),
        (nested, "too deep"),
    ],
)
def test_what_no_generator_needs_is_refused(change, message, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"secret" * 4)
    monkeypatch.chdir(tmp_path)
    model = doubled()
    change(model)
    with pytest.raises(UserError, match=rf"{message}.*; get another"):
        opened(model)


def test_every_operator_is_one_of_onnx():
    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history()}
    assert known >= OPERATORS
    assert not [name for name in OPERATORS if "Random" in name or "String" in name]


def zeros_added(*nodes, **constants):
    """A model that adds a sum of zeros, as many as the tensor `shape` says."""
    return model_of(
        *nodes,
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["latents", "sum"], ["images"]),
        **constants,
    )


def zeros_by_batch(*sizes):
    return zeros_added(
        helper.make_node("Shape", ["latents"], ["sizes"]),
        helper.make_node("Mul", ["sizes", "many"], ["shape"]),
        many=list(sizes),
    )


@pytest.mark.parametrize(
    "model", [zeros_added(shape=[1 << 20, 1 << 12]), zeros_by_batch(1 << 20, 1 << 10)]
)
def test_memory_is_bounded(model):
    with pytest.raises(UserError, match=r"some.onnx.*; get another"):
        opened(model).run(["images"], LATENTS)


@pytest.mark.e2e
def test_a_batch_too_large_for_the_memory_is_cut():
    model = opened(zeros_by_batch(1 << 20, 12))  # 192 MiB a sample
    for _ in range(2):
        (images,) = model.run(["images"], LATENTS)
        np.testing.assert_array_equal(images, LATENTS["latents"])
    with pytest.raises(UserError, match="to give outputs of its inputs"):
        model.run(["images"], LATENTS, whole=True)


@pytest.fixture
def endless(monkeypatch):
    """A model that never gives images, of the benchmark of hostile inputs."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("hostile_cases.models").endless


def test_a_loop_without_end_is_left(monkeypatch, endless):
    monkeypatch.setattr(onnx_model, "SAMPLE_SECONDS", 0.02)
    model = opened(endless())
    message = "at most 0.02 seconds for a batch of 1. Received: more; get another"
    with pytest.raises(UserError, match=message):
        model.run(["images"], LATENTS)


def test_a_loop_without_end_is_left_on_a_machine_that_does_nothing(
    monkeypatch, endless
):
    monkeypatch.setattr(onnx_model, "SAMPLE_SECONDS", 0.02)
    monkeypatch.setattr(onnx_model.time, "clock_gettime", lambda clock: 0.0)
    with pytest.raises(UserError, match="Received: more; get another"):
        opened(endless()).run(["images"], LATENTS)


def test_a_loop_that_only_some_latents_begin_is_left(monkeypatch, endless):
    monkeypatch.setattr(onnx_model, "SAMPLE_SECONDS", 0.2)
    monkeypatch.setattr(onnx_model, "VARIATION", 0.0)
    model = opened(endless(always=False))
    below = -LATENTS["latents"]
    model.run(["images"], {"latents": below})
    mixed = np.concatenate([below, LATENTS["latents"]])
    with pytest.raises(UserError, match="a batch of 12. Received: more"):
        model.run(["images"], {"latents": mixed})


def test_what_does_not_open_in_time_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_model, "LOAD_SECONDS", -1.0)
    monkeypatch.setattr(onnx_model, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(onnx_model, "check_graph", lambda content: None)
    monkeypatch.setattr(
        onnx_model.onnxruntime, "InferenceSession", lambda *a, **k: time.sleep(0.2)
    )
    with pytest.raises(UserError, match="seconds; get another"):
        opened(doubled())


def test_a_large_file_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(onnx_model, "MAX_MODEL_BYTES", 10)
    with pytest.raises(UserError, match="more than 10 bytes"):
        opened(doubled())


def test_damaged_content_raises_nothing_else():
    content = doubled().SerializeToString()
    draws = random.Random(0)
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(draws.randint(1, 4)):
            damaged[draws.randrange(len(damaged))] = draws.randrange(256)
        with contextlib.suppress(ValueError):
            check_graph(bytes(damaged[: draws.randint(1, len(damaged))]))


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 20, b"\x3a\xff\xff\xff\x7f", b"text"]
)
def test_what_is_no_model_is_one_clear_error(content):
    with pytest.raises(UserError, match=r"ONNX model.*some.onnx.*; get another"):
        opened(content)


def test_names_that_are_no_text_are_refused_and_not_printed(capfd):
    content = doubled().SerializeToString().replace(b"images", b"ima\xffes")
    with pytest.raises(UserError, match=r"some\.onnx.*codec can't decode"):
        opened(content)
    assert "EP Error" not in "".join(capfd.readouterr())
