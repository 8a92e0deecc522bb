"""Is Langevin's function the mean of a continuous Bernoulli?"""

import numpy as np
import tensorflow as tf

from ganlab.networks import Langevin


def means_by_hand(logits):
    """`p / (2 p - 1) + 1 / (2 atanh(1 - 2 p))`, the paper's equation 8."""
    p = 1.0 / (1.0 + np.exp(-logits))
    return p / (2.0 * p - 1.0) + 1.0 / (2.0 * np.arctanh(1.0 - 2.0 * p))


def test_it_is_the_mean_on_the_scale_of_images():
    logits = np.array([-9.0, -3.0, -1.01, -0.9, 0.4, 2.0, 7.0])
    images = Langevin(dtype="float64")(0.5 * logits)
    np.testing.assert_allclose(images, 2.0 * means_by_hand(logits) - 1.0, atol=1e-7)


def test_it_is_smooth_at_0_and_bounded():
    points = tf.constant([-1e4, -1e-4, 0.0, 1e-4, 0.4999, 0.5001, 1e4])
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = Langevin()(points)
    assert np.abs(values).max() <= 1.0
    assert float(values[2]) == 0.0
    slopes = tape.gradient(values, points).numpy()
    np.testing.assert_allclose(slopes[1:4], 1 / 3, atol=1e-6)
    np.testing.assert_allclose(slopes[4], slopes[5], atol=1e-3)
    assert np.isfinite(slopes).all()
