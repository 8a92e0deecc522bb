"""Distances and spectra of pixels, by hand."""

import numpy as np
import pytest

from ganlab import metrics


def test_pairwise_ratios_by_hand():
    real = np.array([[0.0], [2.0], [4.0], [6.0]])
    ratios = metrics.pairwise_ratios(real, real / 2, np.array([0, 0, 1, 1]))
    assert ratios["pairwise_ratio"] == pytest.approx(0.5)
    assert ratios["class_pairwise_ratio"] == pytest.approx(0.5)
    assert ratios["nearest_ratio"] == pytest.approx(0.5)
    assert metrics.pairwise_ratios(real, np.ones_like(real))["pairwise_ratio"] == 0.0
    assert "pairwise_ratio" not in metrics.pairwise_ratios(np.ones_like(real), real)


def test_a_checkerboard_is_seen_and_smooth_noise_is_not():
    draws = np.random.default_rng(0)
    real = draws.normal(size=(64, 16, 16, 1)).cumsum(axis=1).cumsum(axis=2) / 16
    other = draws.normal(size=(64, 16, 16, 1)).cumsum(axis=1).cumsum(axis=2) / 16
    rows, columns = np.indices((16, 16))
    board = 0.5 * (-1.0) ** (rows + columns)
    clean = metrics.spectrum_gaps(real, other)
    marked = metrics.spectrum_gaps(real, other + board[..., None])
    assert abs(clean["checkerboard_share"]) < 0.05
    assert abs(clean["nyquist_excess"]) < 0.2
    assert marked["checkerboard_share"] > 0.5
    assert marked["nyquist_excess"] > 0.5
    assert metrics.spectrum_gaps(real[:, :15, :15], other[:, :15, :15]) is not None


def test_an_odd_or_constant_image_has_a_spectrum():
    flat = np.zeros((4, 17, 17, 3))
    gaps = metrics.spectrum_gaps(flat, flat)
    assert all(value == pytest.approx(0.0, abs=1e-6) for value in gaps.values())


def test_distinct_samples_are_those_of_numpy():
    samples = np.random.default_rng(0).integers(0, 2, (200, 2, 3)).astype(np.float32)
    samples[::2] *= -1.0  # with zeros of both signs
    flat = samples.reshape(200, -1)
    assert metrics.num_distinct(samples) == len(np.unique(flat, axis=0))
