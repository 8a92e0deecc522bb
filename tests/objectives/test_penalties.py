"""Gradient norms of critics of any shape."""

import numpy as np
import pytest
import tensorflow as tf

from ganlab.objectives import penalties
from ganlab.objectives.penalties import DiscriminatorOutput

IMAGES = tf.reshape(tf.range(16.0), (2, 2, 2, 2))


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 2, 2, 1), (2, 2, 2, 2)])
def test_the_gradient_is_that_of_the_sum_of_a_samples_logits(shape):
    def critic(images):  # 8 numbers a sample become as many logits as the shape has
        scale = 8 * 2 // int(np.prod(shape))
        parts = tf.reshape(3.0 * images, (2, -1, scale))
        return tf.reshape(tf.reduce_sum(parts, axis=-1), shape)

    norms = penalties.squared_gradient_norms(critic, DiscriminatorOutput(IMAGES, None))
    np.testing.assert_array_equal(norms, [72.0, 72.0])  # 8 · 3²
    np.testing.assert_allclose(penalties.gradient_norms(critic, IMAGES), 72.0**0.5)


def test_the_norm_has_a_gradient_at_0():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        norm = tf.reduce_sum(penalties.gradient_norms(lambda x: weight * x, IMAGES))
    assert float(tape.gradient(norm, weight)) == 0.0


def test_gradients_that_are_known_are_used():
    output = DiscriminatorOutput(None, None, tf.constant([[3.0, 4.0]]))
    assert float(penalties.squared_gradient_norms(None, output)[0]) == 25.0


def test_one_number_a_sample_broadcasts():
    shape = penalties.per_sample_shape(IMAGES)
    assert [int(size) for size in shape] == [2, 1, 1, 1]
