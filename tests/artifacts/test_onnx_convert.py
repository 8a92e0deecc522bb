"""From a TensorFlow function to ONNX: what it keeps, what it refuses, what it says."""

import json

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers, ops

from ganlab.artifacts import onnx_convert
from ganlab.artifacts.card import FORMATS, hash_description
from ganlab.artifacts.onnx_run import draw_inputs, open_session
from ganlab.errors import UserError

LABELS = tf.TensorSpec((None,), tf.int32, name="labels")


def latents(*shape, name="latents"):
    return tf.TensorSpec((None, *shape), tf.float32, name=name)


def model_of(*stack, shape=(4,)):
    inputs = keras.Input(shape)
    outputs = inputs
    for layer in stack:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def as_function(network):
    def generate(*inputs):
        arguments = inputs[0] if len(inputs) == 1 else list(inputs)
        images = network(arguments, training=False)
        return {"images": tf.cast(images, tf.float32)}

    return generate


def check_equal(generate, signature, num_classes=0, tolerance=1e-6):
    """Converts a function, and compares images; returns the model."""
    model = onnx_convert.convert(generate, signature, num_classes)
    onnx.checker.check_model(model, full_check=True)
    session = open_session(model.SerializeToString(), optimized=True)
    for count in (1, 5):
        inputs = draw_inputs(session, count, 0, num_classes)
        expected = generate(*(tf.constant(inputs[spec.name]) for spec in signature))
        received = session.run(["images"], inputs)[0]
        np.testing.assert_allclose(received, expected["images"], atol=tolerance)
    return model


class Calling(layers.Layer):
    """A layer of a function."""

    def __init__(self, function, **options):
        super().__init__(**options)
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


class KerasNoise(layers.Layer):
    """Adds noise of a seed generator, in inference too."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs):
        noise = keras.random.normal(ops.shape(inputs), seed=self.seed_generator)
        return inputs + noise


def looped_noise(inputs):
    return tf.while_loop(
        lambda step, _: step < 2,
        lambda step, value: (step + 1, value + tf.random.normal(tf.shape(value))),
        [0, inputs],
    )[1]


def sometimes_noise(inputs):
    return tf.cond(
        tf.reduce_sum(inputs) > 0,
        lambda: inputs + tf.random.stateless_uniform(tf.shape(inputs), [1, 2]),
        lambda: inputs,
    )


@pytest.mark.parametrize(
    "layer",
    [
        KerasNoise(name="noisy"),
        Calling(lambda x: x + tf.random.normal(tf.shape(x)), name="noisy"),
        Calling(looped_noise, name="noisy"),
        Calling(sometimes_noise, name="noisy"),
        Calling(tf.function(looped_noise), name="noisy"),
    ],
    ids=["keras", "tensorflow", "loop", "condition", "function"],
)
def test_random_numbers_at_inference_are_refused_by_name(layer):
    network = model_of(layer, layers.Dense(2))
    with pytest.raises(UserError, match=r"(Random|Uniform|Normal).* at .*noisy"):
        onnx_convert.convert(as_function(network), [latents(4)])


def test_noise_in_training_alone_is_no_obstacle():
    network = model_of(layers.GaussianNoise(1.0), layers.Dropout(0.5), layers.Dense(2))
    check_equal(as_function(network), [latents(4)])


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        (tf.math.lgamma, "Lgamma"),
        (
            lambda x: tf.ensure_shape(tf.numpy_function(np.sin, [x], x.dtype), x.shape),
            "PyFunc",
        ),
        (lambda x: ops.fft((x, x))[0], "Complex"),
    ],
)
def test_an_operator_that_onnx_lacks_is_refused_by_name(function, operator):
    network = model_of(Calling(function, name="special"))
    with pytest.raises(UserError, match=f"Received: {operator} at .*special"):
        onnx_convert.convert(as_function(network), [latents(4)])


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_another_precision_becomes_float32(dtype):
    keras.config.set_dtype_policy(dtype)
    network = model_of(
        layers.Dense(8),
        layers.Reshape((2, 2, 2)),
        layers.Conv2DTranspose(3, 3, strides=2, activation="tanh"),
    )
    tolerance = {"float64": 1e-6}.get(dtype, 2e-2)  # Keras's own in half precision
    model = check_equal(as_function(network), [latents(4)], tolerance=tolerance)
    wide = {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.INT32}
    assert {value.data_type for value in model.graph.initializer} <= wide


@pytest.mark.e2e
@pytest.mark.parametrize(
    "network",
    [
        lambda: model_of(layers.Dense(8, activation="gelu"), layers.Dense(2)),
        lambda: model_of(layers.GRU(3, return_sequences=True), shape=(4, 3)),
        lambda: model_of(layers.LSTM(3, return_sequences=True), shape=(4, 3)),
        lambda: model_of(
            layers.Reshape((2, 2)),
            layers.Conv1DTranspose(3, 4, strides=2, padding="same"),
        ),
        lambda: model_of(
            layers.Reshape((2, 2, 1, 1)), layers.Conv3DTranspose(2, 3, strides=2)
        ),
    ],
    ids=["gelu", "gru", "lstm", "series", "volume"],
)
def test_other_layers_convert(network):
    network = network()
    model = check_equal(as_function(network), [latents(*network.inputs[0].shape[1:])])
    (images,) = model.graph.output
    sizes = images.type.tensor_type.shape.dim
    assert sizes[0].dim_param == "batch"
    assert [size.dim_value for size in sizes[1:]] == list(network.output_shape[1:])


def test_several_latents_of_any_shape():
    first, second = keras.Input((3,)), keras.Input((2, 2))
    joined = layers.Concatenate()([first, layers.Flatten()(second)])
    network = keras.Model([first, second], layers.Dense(2)(joined))
    signature = [latents(3, name="latents_0"), latents(2, 2, name="latents_1")]
    model = check_equal(as_function(network), signature)
    names = [value.name for value in model.graph.input]
    assert names == ["latents_0", "latents_1"]


def embedded(index):
    return layers.Embedding(3, 2)(index)


def embedded_from_one(index):
    return layers.Embedding(4, 2)(index + 1)


def one_hot(index):
    return Calling(lambda value: ops.one_hot(value, 3))(index)


@pytest.mark.parametrize("vector", [embedded, embedded_from_one, one_hot])
def test_labels_out_of_range_are_refused_however_they_are_read(vector):
    noise, index = keras.Input((4,)), keras.Input((), dtype="int32")
    outputs = layers.Dense(2)(layers.Concatenate()([noise, vector(index)]))
    network = keras.Model([noise, index], outputs)
    model = check_equal(as_function(network), [latents(4), LABELS], num_classes=3)
    session = open_session(model.SerializeToString(), optimized=True)
    inputs = draw_inputs(session, 2, 0, 3)
    for label in (-1, -3, -4, 3, 4, -(2**31), 2**31 - 1):
        inputs["labels"] = np.array([0, label], np.int32)
        with pytest.raises(Exception, match="labels_from_0_to_2.*out of data bounds"):
            session.run(None, inputs)


def test_properties_say_whose_images_a_file_draws(exported):
    _, directory, card = exported
    for name, file_name in FORMATS.items():
        model = onnx.load(directory / file_name)
        assert model.producer_name == "ganlab"
        assert model.producer_version == card["ganlab"]
        assert "noise" in model.doc_string
        stated = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(stated["class_names"]) == ["a", "b", "c"]
        assert json.loads(stated["output_range"]) == [-1.0, 1.0]
        assert stated["card_sha256"] == hash_description(card)
        assert stated["format"] == name
        for value in (*model.graph.input, *model.graph.output):
            assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_licence_is_stated_where_the_card_has_one(exported):
    _, _, card = exported
    assert "license" not in onnx_convert.properties(card)
    stated = onnx_convert.properties(card | {"license": "MIT"})
    assert stated["license"] == "MIT"
    assert stated["card_sha256"] != hash_description(card)


@pytest.mark.parametrize("size", [4, 200])  # TensorFlow captures them in two ways
def test_adapted_statistics_are_part_of_the_model(size):
    layer = layers.Normalization(invert=True)
    layer.adapt(np.random.default_rng(0).normal(5.0, 3.0, (50, size)))
    network = model_of(layer, shape=(size,))
    model = check_equal(as_function(network), [latents(size)], tolerance=1e-4)
    assert [value.name for value in model.graph.input] == ["latents"]
