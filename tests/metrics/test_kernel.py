"""KID: by hand, and unbiased."""

import numpy as np
import pytest

from ganlab import metrics


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


def test_kid_by_hand():
    real, fake = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]]), np.ones((6, 1))
    values = np.arange(6.0)
    outer = (np.outer(values, values) + 1) ** 3
    within = (outer.sum() - np.trace(outer)) / 30
    expected = within + 8.0 - 2 * ((values + 1) ** 3).mean()
    assert metrics.kid(real, fake).value == pytest.approx(expected)


@pytest.mark.e2e
def test_kid_is_unbiased():
    values = [
        metrics.kid(normal(40, 4, seed=k), normal(40, 4, seed=k + 500)).value
        for k in range(200)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
