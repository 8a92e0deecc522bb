"""Densities that sum or integrate to 1, and equal what is written by hand."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives import likelihoods


def normalizer_by_hand(p):
    """`2 atanh(1 - 2 p) / (1 - 2 p)`, as in the paper."""
    return math.log(2.0 * math.atanh(1.0 - 2.0 * p) / (1.0 - 2.0 * p))


def logit(p):
    return math.log(p) - math.log1p(-p)


@pytest.mark.parametrize("p", [1e-6, 0.03, 0.2, 0.45, 0.47, 0.4999, 0.501, 0.8, 0.9999])
def test_the_log_normaliser_is_the_papers(p):
    logits = keras.ops.convert_to_tensor(np.float64(logit(p)))
    expected = pytest.approx(normalizer_by_hand(p), abs=1e-9)
    assert float(likelihoods.log_normalizer(logits)) == expected


def test_the_log_normaliser_is_log_2_at_one_half_and_smooth():
    logits = tf.constant([-1e-3, 0.0, 1e-3, 0.0999, 0.1001], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = likelihoods.log_normalizer(logits)
    assert float(values[1]) == math.log(2.0)
    slopes = tape.gradient(values, logits).numpy()
    np.testing.assert_allclose(slopes, logits.numpy() / 6, atol=3e-5)
    slope = (values[4] - values[3]) / 2e-4
    assert float(slope) == pytest.approx(0.1 / 6, abs=3e-5)


def test_the_log_normaliser_is_finite_far_out():
    values = likelihoods.log_normalizer(tf.constant([-80.0, 80.0]))
    np.testing.assert_allclose(values, math.log(80.0), rtol=1e-6)


@pytest.mark.parametrize("value", [-6.0, -0.3, 0.0, 0.05, 2.0])
def test_the_continuous_bernoulli_integrates_to_1(value):
    points = (np.arange(20_000) + 0.5) / 20_000
    outputs = keras.ops.full((20_000,), value, "float64")
    density = likelihoods.ContinuousBernoulli().log_density(points, outputs)
    assert float(np.exp(density).mean()) == pytest.approx(1.0, abs=1e-6)


def test_the_bernoulli_by_hand():
    outputs = keras.ops.convert_to_tensor([logit(0.25), logit(0.25)])
    density = likelihoods.Bernoulli().log_density(np.float32([0.0, 1.0]), outputs)
    np.testing.assert_allclose(density, np.log([0.75, 0.25]), rtol=1e-6)


def test_grey_pixels_are_drawn_or_cut_at_one_half():
    images = tf.fill((1, 4000), 0.3)
    drawn = likelihoods.Bernoulli().prepare(images, tf.constant([1, 2]))
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert float(np.mean(drawn)) == pytest.approx(0.3, abs=0.03)
    for likelihood in (likelihoods.Bernoulli(), likelihoods.Bernoulli("threshold")):
        assert not np.any(likelihood.prepare(images))
    binary = tf.constant([[0.0, 1.0]])
    again = likelihoods.Bernoulli().prepare(binary, tf.constant([1, 2]))
    np.testing.assert_array_equal(again, binary)


def test_the_gaussian_by_hand_and_its_best_variance():
    likelihood = likelihoods.Gaussian(0.25)
    assert float(likelihood.log_variance) == pytest.approx(math.log(0.25), abs=1e-5)
    density = likelihood.log_density(tf.constant([1.0]), tf.constant([0.0]))
    expected = -0.5 * (1.0 / 0.25 + math.log(2 * math.pi * 0.25))
    assert float(density[0]) == pytest.approx(expected, abs=1e-4)
    images = tf.constant([1.0, -1.0, 3.0, -3.0])  # whose mean square is 5
    best = likelihoods.Gaussian(5.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(best.log_density(images, tf.zeros(4)))
    assert float(tape.gradient(total, best.raw.value)) == pytest.approx(0.0, abs=1e-4)


def test_a_variance_that_is_not_learned_has_no_gradient():
    assert likelihoods.Gaussian(0.1, learned=False).trainable_variables == []
    assert len(likelihoods.Gaussian().trainable_variables) == 1


def test_get_takes_names_and_objects():
    assert isinstance(likelihoods.get("continuous-bernoulli"), likelihoods.Likelihood)
    own = likelihoods.Gaussian()
    assert likelihoods.get(own) is own
    for wrong in ("poisson", 3, None):
        with pytest.raises(UserError, match="likelihood"):
            likelihoods.get(wrong)
    with pytest.raises(UserError, match="binarize"):
        likelihoods.Bernoulli("halve")
    for variance in (0.0, math.inf, "1"):
        with pytest.raises(UserError, match="variance"):
            likelihoods.Gaussian(variance)
    with pytest.raises(UserError, match="learned"):
        likelihoods.Gaussian(learned="no")
