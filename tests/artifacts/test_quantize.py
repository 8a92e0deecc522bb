"""float16 and int8 models."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ganlab.artifacts import parity, quantize
from ganlab.artifacts.card import FORMATS
from ganlab.artifacts.onnx_run import draw_inputs, open_session
from ganlab.errors import UserError


def test_float16_keeps_float32_at_its_ends_and_the_model_as_it_is(make_model):
    weights = np.random.default_rng(0).standard_normal((4, 6), np.float32)
    nodes = [helper.make_node("MatMul", ["latents", "weights"], ["images"])]
    model = make_model(nodes, {"weights": weights}, 4, [6])
    before = model.SerializeToString()
    half = quantize.to_float16(model)
    onnx.checker.check_model(half, full_check=True)
    assert model.SerializeToString() == before
    (initializer,) = half.graph.initializer
    assert initializer.data_type == TensorProto.FLOAT16
    for value in (*half.graph.input, *half.graph.output):
        assert value.type.tensor_type.elem_type == TensorProto.FLOAT


def test_int8_computes_in_8_bits_but_for_the_last_layer(exported):
    _, directory, _ = exported
    graph = onnx.load(directory / "generator.int8.onnx").graph
    producers = {name: node.op_type for node in graph.node for name in node.output}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    quantized = [producers.get(node.input[1]) == "DequantizeLinear" for node in layers]
    assert quantized.count(False) == 1
    assert not quantized[-1]


@pytest.fixture(scope="module")
def int8_weights(exported):
    """The weights of 8 bits of the exported generator's convolutions and projection."""
    _, directory, _ = exported
    graph = onnx.load(directory / "generator.int8.onnx").graph
    producers = {name: node for node in graph.node for name in node.output}
    constants = {value.name: value for value in graph.initializer}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    sources = [producers.get(node.input[1]) for node in layers]
    return [numpy_helper.to_array(constants[node.input[0]]) for node in sources if node]


def vpmaddubsw(unsigned, signed):
    """Sums of pairs of products in 16 bits, as CPUs without VNNI have them."""
    products = unsigned.astype(np.int64) * signed.astype(np.int64)
    return np.clip(products[..., ::2] + products[..., 1::2], -(2**15), 2**15 - 1)


def test_no_pair_of_weights_saturates_16_bits(int8_weights):
    brightest = np.full(2, 255, np.uint8)
    assert vpmaddubsw(brightest, np.full(2, 127, np.int8)) == 32_767 < 2 * 255 * 127
    assert len(int8_weights) >= 2
    for weights in int8_weights:
        assert weights.dtype == np.int8
        for extreme in (weights.max(), weights.min()):
            pair = np.full(2, extreme)
            assert vpmaddubsw(brightest, pair) == 2 * 255 * int(extreme)
        assert np.abs(weights).max() > 56  # 7 bits are used


def test_int8_draws_the_same_images_by_its_kernels_and_by_definition(exported):
    _, directory, card = exported
    path = directory / "generator.int8.onnx"
    exact = parity.draw_images(directory / "generator.onnx", 3, optimized=False)
    stated = card["formats"]["int8"]
    for optimized in (True, False):
        images = parity.draw_images(path, 3, optimized=optimized)
        difference = np.abs(images - exact)
        assert difference.mean() == pytest.approx(stated["mean_difference"], rel=0.05)
        assert difference.max() == pytest.approx(stated["max_difference"], rel=0.2)
    session = open_session(path, optimized=False)
    inputs = draw_inputs(session, 4, 0, 3)
    expected = session.run(None, inputs)[0]
    model = onnx.load(path)
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 21}
    (images,) = ReferenceEvaluator(model).run(None, inputs)
    assert np.abs(images - expected).mean() < 0.1 * stated["mean_difference"]


@pytest.mark.parametrize("format", ["float32", "float16", "int8"])
@pytest.mark.parametrize("optimized", [True, False])
def test_labels_out_of_range_are_refused_in_every_format(exported, format, optimized):
    _, directory, _ = exported
    session = open_session(directory / FORMATS[format], optimized=optimized)
    inputs = draw_inputs(session, 2, 0, 3)
    for label in (-1, -3, 3):
        inputs["labels"] = np.array([0, label], np.int32)
        with pytest.raises(Exception, match="labels_from_0_to_2.*out of data bounds"):
            session.run(None, inputs)


def test_a_format_that_cannot_be_made_is_left_out_and_said_so(
    make_model, monkeypatch, caplog
):
    def fail(*_, **__):
        raise RuntimeError("no such kernel\nat a place")

    monkeypatch.setattr(quantize.quantization, "quantize_static", fail)
    weights = np.ones((4, 6), np.float32)
    nodes = [helper.make_node("MatMul", ["latents", "weights"], ["images"])]
    models = quantize.in_every_format(
        make_model(nodes, {"weights": weights}, 4, [6]), 0
    )
    assert list(models) == ["float32", "float16"]
    assert "int8. Received: no such kernel; that format is left out" in caplog.text


def test_a_model_that_onnxruntime_cannot_run_is_refused(make_model):
    nodes = [helper.make_node("NoSuchOperator", ["latents"], ["images"])]
    model = make_model([helper.make_node("Relu", ["latents"], ["images"])], {}, 4, [4])
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    with pytest.raises(UserError, match="onnxruntime runs.*NoSuchOperator"):
        quantize.in_every_format(model, 0)


def test_conversion_prints_nothing(make_model, capfd):
    nodes = [helper.make_node("Identity", ["latents"], ["images"])]
    quantize.in_every_format(make_model(nodes, {}, 4, [4]), 0)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
