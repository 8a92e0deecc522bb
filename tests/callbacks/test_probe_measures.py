"""Measures of logits, ranges and kernels by hand."""

import numpy as np
import pytest

from ganlab.callbacks.probe_measures import (
    SingularValues,
    logit_measures,
    logit_slope,
    sample_measures,
    saturated_fraction,
    value_range,
)


def test_what_the_saturating_loss_throws_away():
    measures = logit_measures(
        {"real": np.full((4, 1), 3.0), "fake": np.full((4, 1), -2.0)}
    )
    # sigmoid(-2) / sigmoid(2) = exp(-2)
    assert measures["gradient_thrown_away"] == pytest.approx(1 - np.exp(-2.0))
    assert measures["real_sign"] == 1.0
    even = logit_measures({"real": np.ones((4, 1)), "fake": np.ones((4, 1))})
    assert even["gradient_thrown_away"] == 0.0


def test_overfitting_is_the_way_from_trained_to_fake():
    logits = {"real": np.full((4, 1), 2.0), "fake": np.full((4, 1), -2.0)}
    logits["held_out"] = np.full((4, 1), -1.0)
    assert logit_measures(logits)["overfit_gap"] == pytest.approx(0.75)
    logits["real"] = logits["fake"] + 1e-3 * np.arange(4)[:, None]
    logits["fake"] = logits["fake"] + np.arange(4)[:, None]
    assert "overfit_gap" not in logit_measures(logits)


def test_ranges_and_saturation():
    images = np.linspace(-1.0, 1.0, 201)
    assert value_range(images, "fake") == {
        "fake_low": pytest.approx(-0.98),
        "fake_high": pytest.approx(0.98),
    }
    assert saturated_fraction(images, (-1.0, 1.0)) == pytest.approx(2 / 201)
    assert saturated_fraction(images / 2 + 0.5, (0.0, 1.0)) == pytest.approx(2 / 201)


def test_singular_values_against_numpy():
    generator = np.random.default_rng(0)
    kernels = {
        "conv": generator.standard_normal((3, 3, 4, 8)),
        "dense": generator.standard_normal((8, 1)),
    }
    singular_values = SingularValues()
    for _ in range(20):
        values = singular_values.measure(kernels)
    for name, kernel in kernels.items():
        largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))[1][0]
        assert values[f"singular_value/{name}"] == pytest.approx(largest, rel=1e-3)
    assert values["d_singular_value"] == values["singular_value/conv"]
    assert singular_values.measure({}) == {}


def test_the_slope_is_a_difference_over_a_distance():
    samples = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert logit_slope(samples, np.array([[1.0], [11.0]])) == pytest.approx(2.0)
    assert logit_slope(np.ones((3, 2)), np.arange(3.0)[:, None]) == 0.0


def test_measures_of_samples_are_named_by_what_they_are():
    points = np.random.default_rng(0).normal(size=(20, 2))
    ranges = {"real_low", "real_high", "fake_low", "fake_high"}
    of_points = sample_measures(points, points, points, None, (-1.0, 1.0))
    assert ranges <= set(of_points)
    assert "output_saturated_gap" not in of_points
    pictures = np.sign(np.random.default_rng(0).normal(size=(6, 8, 8, 1)))
    grey = np.zeros_like(pictures)
    of_pictures = sample_measures(grey, pictures, grey, None, (-1.0, 1.0))
    assert of_pictures["output_saturated_gap"] == 1.0
