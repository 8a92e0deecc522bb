"""The parts of the bound, by hand and in float64."""

import math

import keras
import numpy as np
import pytest

from ganlab.objectives import bound


def array(values):
    return keras.ops.convert_to_tensor(np.asarray(values, np.float64))


def test_kl_of_gaussians_by_hand():
    divergences = bound.gaussian_kl(array([[0.0, 1.0]]), array([[0.0, math.log(4.0)]]))
    expected = [[0.0, 0.5 * (1.0 + 4.0 - math.log(4.0) - 1.0)]]
    np.testing.assert_allclose(divergences, expected, atol=1e-15)


def test_kl_is_the_mean_of_log_ratios():
    means, log_variances = array([[0.7]]), array([[-0.8]])
    noise = np.random.default_rng(0).standard_normal((400_000, 1))
    codes = 0.7 + math.exp(-0.4) * noise
    ratios = bound.log_normal(codes, means, log_variances)
    ratios -= bound.log_normal(codes, array([[0.0]]), array([[0.0]]))
    expected = float(bound.gaussian_kl(means, log_variances)[0, 0])
    assert float(np.mean(ratios)) == pytest.approx(expected, abs=5e-3)


def test_log_normal_by_hand():
    value = bound.log_normal(array([1.0, 0.0]), array([0.0, 0.0]), array([0.0, 2.0]))
    assert float(value) == pytest.approx(-math.log(2 * math.pi) - 0.5 - 1.0)


def test_free_bits_are_a_floor_under_each_components_mean():
    divergences = array([[0.0, 2.0], [0.4, 4.0]])  # means 0.2 and 3
    assert float(bound.floored(divergences, 0.5)) == pytest.approx(0.5 + 3.0)
    assert float(bound.floored(divergences, 0.0)) == pytest.approx(3.2)


def test_one_sample_is_the_elbo_exactly():
    weights = np.random.default_rng(0).normal(-500.0, 30.0, (1, 9))
    np.testing.assert_array_equal(bound.importance_weighted(array(weights)), weights[0])


def test_the_bound_rises_with_its_samples_by_hand():
    weights = array(np.log([[1.0], [3.0]]))
    assert float(bound.importance_weighted(weights)[0]) == pytest.approx(math.log(2.0))
    assert math.log(2.0) > np.log([1.0, 3.0]).mean()
