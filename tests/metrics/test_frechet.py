"""Fréchet distance: by hand, singular, without bias at infinity."""

import numpy as np
import pytest

from ganlab import metrics
from ganlab.metrics import frechet


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


def test_frechet_distance_by_hand():
    base = normal(4000, 3)
    base = (base - base.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(base.T))).T
    scales = np.array([1.0, 2.0, 3.0])
    # Means 3 and 4 apart: 25. Deviations 1 against 1, 2, 3: 0 + 1 + 4.
    fake = base * scales + np.array([3.0, 4.0, 0.0])
    assert metrics.frechet_distance(base, fake) == pytest.approx(30.0)
    assert metrics.frechet_distance(base, base) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_of_singular_covariances():
    few = normal(40, 100, seed=1), normal(50, 100, seed=2)
    distance = metrics.frechet_distance(*few)
    # Of 40 and 50 vectors the covariances have rank 39 and 49: an exact value by
    # the singular values of the centred data themselves.
    centred = [
        (features - features.mean(0)) / np.sqrt(len(features) - 1) for features in few
    ]
    cross = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(np.square(features).sum() for features in centred)
    gap = np.square(few[0].mean(0) - few[1].mean(0)).sum()
    assert distance == pytest.approx(gap + spread - 2 * cross, rel=1e-9)
    constant = np.full((10, 3), 2.0)
    assert metrics.frechet_distance(constant, constant) == 0.0
    moved = metrics.frechet_distance(constant, constant + np.array([1.0, 2.0, 2.0]))
    assert moved == pytest.approx(9.0)
    assert metrics.frechet_score(constant, normal(10, 3)).value > 0


def test_moments_are_those_of_all_at_once():
    features = normal(900, 7, shift=1e6)
    moments = frechet.Moments(7)
    for part in np.array_split(features, 11):
        moments.update(part.astype(np.float64))
    np.testing.assert_allclose(moments.mean, features.mean(0), rtol=1e-13)
    np.testing.assert_allclose(
        moments.covariance, np.cov(features, rowvar=False), rtol=1e-7, atol=1e-9
    )
    assert moments.count == 900


def test_frechet_infinity_takes_the_bias_away():
    # True distance: 0.2² x 32 of the means, (1 - 0.9)² x 32 of the deviations.
    truth = (0.2**2 + 0.1**2) * 32
    draws = [
        (normal(600, 32, seed=2 * k), normal(600, 32, 2 * k + 1, 0.9, 0.2))
        for k in range(20)
    ]
    limits = [metrics.frechet_infinity(*pair) for pair in draws]
    plain = [metrics.frechet_distance(*pair) for pair in draws]
    error = np.std(limits) / np.sqrt(len(limits))
    assert abs(np.mean(limits) - truth) < 4 * error + 0.02 * truth
    assert np.mean(plain) > 1.3 * truth
    assert metrics.frechet_infinity(normal(50, 32), normal(50, 32)) is None


def test_frechet_distance_of_moved_and_scaled_sets():
    draws = np.random.default_rng(0)
    real = draws.normal(size=(4000, 3))
    assert metrics.frechet_distance(real, real) == pytest.approx(0.0, abs=1e-9)
    moved = real + np.array([3.0, 0.0, 4.0])
    assert metrics.frechet_distance(real, moved) == pytest.approx(25.0)
    # One dimension: (m - n)² + (s - t)².
    line = real[:, :1]
    assert metrics.frechet_distance(line, 2 * line) == pytest.approx(
        line.mean() ** 2 + line.var(ddof=1)
    )
    # Commuting covariances: the sum over axes.
    scales = np.array([1.0, 2.0, 0.0])
    whitened = real @ np.linalg.inv(np.linalg.cholesky(np.cov(real.T))).T
    whitened -= whitened.mean(axis=0)
    assert metrics.frechet_distance(whitened, whitened * scales) == pytest.approx(2.0)
