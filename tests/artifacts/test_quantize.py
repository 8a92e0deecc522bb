"""float16 and int8 models."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from ganlab.artifacts import quantize


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
