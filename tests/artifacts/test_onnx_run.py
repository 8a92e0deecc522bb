"""Sessions and the inputs that a model is run on."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from ganlab import sampling
from ganlab.artifacts.onnx_run import draw_inputs, open_session


def open_identity(**shapes):
    """A session with inputs of some shapes; labels are integers."""
    values = [
        helper.make_tensor_value_info(
            name,
            TensorProto.INT32 if name == "labels" else TensorProto.FLOAT,
            ["batch", *shape],
        )
        for name, shape in shapes.items()
    ]
    name = next(iter(shapes))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, None])
    node = helper.make_node("Identity", [name], ["images"])
    graph = helper.make_graph([node], "identity", values, [images])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )
    onnx.checker.check_model(model)
    return open_session(model.SerializeToString(), optimized=True)


def test_one_input_gets_the_latents_of_the_seed_and_each_class_in_turn():
    inputs = draw_inputs(open_identity(latents=[5], labels=[]), 4, 7, 3)
    np.testing.assert_array_equal(inputs["latents"], sampling.draw_latents(4, 5, 7))
    np.testing.assert_array_equal(inputs["labels"], [0, 1, 2, 0])
    assert inputs["labels"].dtype == np.int32


def test_several_inputs_get_parts_of_one_draw_in_their_shapes():
    session = open_identity(first=[2], second=[2, 3])
    inputs = draw_inputs(session, 4, 7, 0)
    flat = sampling.draw_latents(4, 8, 7)
    np.testing.assert_array_equal(inputs["first"], flat[:, :2])
    np.testing.assert_array_equal(inputs["second"], flat[:, 2:].reshape(4, 2, 3))
    np.testing.assert_array_equal(session.run(None, inputs)[0], flat[:, :2])
