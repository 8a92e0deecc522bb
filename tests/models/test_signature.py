"""What networks of any form are called on."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab.errors import UserError
from ganlab.models import signature

LATENTS = np.arange(12, dtype=np.float32).reshape(2, 6)
LABELS = np.array([2, 0])


def network(*inputs):
    return keras.Model(list(inputs), layers.Dense(1)(layers.Flatten()(inputs[0])))


def test_one_flat_input_is_passed_as_it_is():
    arguments = signature.arguments(network(keras.Input((6,))), LATENTS, None)
    np.testing.assert_array_equal(arguments[0], LATENTS)


def test_flat_latents_are_cut_and_shaped_in_the_order_of_the_inputs():
    model = network(keras.Input((2,)), keras.Input((2, 2)))
    first, second = signature.arguments(model, tf.constant(LATENTS), None)
    np.testing.assert_array_equal(first, [[0, 1], [6, 7]])
    np.testing.assert_array_equal(second, [[[2, 3], [4, 5]], [[8, 9], [10, 11]]])


@pytest.mark.parametrize(
    ("inputs", "label"),
    [
        ([keras.Input((6,)), keras.Input((), dtype="int32")], 1),
        ([keras.Input((), dtype="int32"), keras.Input((6,))], 0),
        ([keras.Input((3,), name="class_vector"), keras.Input((6,))], 0),
        ([keras.Input((6,)), keras.Input((3,))], 1),
        ([keras.Input((6,)), keras.Input((1,), name="condition")], 1),
    ],
)
def test_the_class_is_named_so_or_of_integers_or_last(inputs, label):
    model = network(*inputs)
    assert signature.class_input(signature.input_specs(model)) == label
    arguments = signature.arguments(model, tf.constant(LATENTS), LABELS)
    shape = inputs[label].shape[1:]
    expected = {
        (): LABELS,
        (1,): LABELS[:, None],
        (3,): [[0, 0, 1], [1, 0, 0]],
    }[tuple(shape)]
    np.testing.assert_array_equal(arguments[label], expected)
    np.testing.assert_array_equal(arguments[1 - label], LATENTS)


@pytest.mark.parametrize(
    ("shapes", "num_classes", "sample_shape", "label"),
    [
        ([(1,), (6,)], None, None, 0),
        ([(3,), (6,)], 3, None, 0),
        ([(3,), (6,)], None, (6,), 0),
        ([(3,), (2,), (2, 2)], None, (6,), 0),
        ([(2,), (3,), (2, 2)], 3, None, 1),
        ([(3,), (4, 4, 1)], None, (4, 4, 1), 0),
        ([(3,), (4, 4, 1)], None, (None, None, 1), 0),
        ([(None, None, 1), (1,)], 1, (4, 4, 1), 1),
        ([(6,), (6,)], 6, (6,), 1),
        ([(6,), (2, 2, 3)], 3, (6,), 1),
    ],
)
def test_the_class_is_what_is_no_sample(shapes, num_classes, sample_shape, label):
    specs = [keras.KerasTensor((None, *shape), name="unnamed") for shape in shapes]
    assert signature.class_input(specs, num_classes, sample_shape) == label


def test_a_class_map_is_one_hot_at_every_place():
    model = network(keras.Input((6,)), keras.Input((2, 2, 3), name="label_map"))
    _, maps = signature.arguments(model, tf.constant(LATENTS), LABELS)
    assert maps.shape == (2, 2, 2, 3)
    np.testing.assert_array_equal(maps[0], np.broadcast_to([0, 0, 1], (2, 2, 3)))


def test_named_inputs_get_a_dict():
    inputs = {
        "z": keras.Input((6,), name="z"),
        "digit": keras.Input((), dtype="int32", name="digit"),
    }
    model = keras.Model(inputs, layers.Dense(1)(inputs["z"]))
    arguments = signature.arguments(model, tf.constant(LATENTS), LABELS)
    np.testing.assert_array_equal(arguments["digit"], LABELS)
    assert model(arguments).shape == (2, 1)


def test_a_subclassed_network_tells_what_it_was_called_on():
    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.embedding = layers.Dense(4), layers.Embedding(3, 4)

        def call(self, inputs):
            latents, labels = inputs
            return self.dense(latents) + self.embedding(labels)

    model = Pair()
    with pytest.raises(UserError, match="never called; start it with a keras.Input"):
        signature.input_specs(model)
    model([LATENTS, LABELS])
    assert signature.output_specs(model)[0].shape == (None, 4)
    arguments = signature.arguments(model, tf.constant(LATENTS), LABELS)
    assert model(arguments).shape == (2, 4)
