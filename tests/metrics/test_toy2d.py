"""Scores of toy 2-D mixtures, by hand and of a perfect generator."""

import numpy as np
import pytest

from ganlab import metrics
from ganlab.data.toy2d import MIXTURES


def test_mode_scores_by_hand():
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    samples = np.array([[0.02, 0.0], [0.0, 0.03], [0.97, 0.0], [0.5, 0.5]])
    scores = metrics.mode_scores(samples, centers, 0.011)
    assert scores == {"modes_hit": 2, "high_quality_share": 0.75}


@pytest.mark.parametrize("name", MIXTURES)
def test_a_perfect_generator_scores_what_the_docstring_says(name):
    mixture = MIXTURES[name]
    samples, _ = mixture.sample(20_000, seed=5)
    scores = metrics.mode_scores(samples, mixture.centers, mixture.deviation)
    assert scores["modes_hit"] == len(mixture.centers)
    assert scores["high_quality_share"] == pytest.approx(1 - np.exp(-4.5), abs=0.003)


def test_divergences_by_hand():
    real, fake = np.full((1000, 2), -0.5), np.full((1000, 2), 0.5)
    apart = metrics.grid_divergences(real, fake, 1.0, bins=2)
    # Each side has 1000.5 of 1002 in its own cell and 0.5 in the three others.
    own, other = 1000.5 / 1002, 0.5 / 1002
    assert apart["kl"] == pytest.approx((own - other) * np.log(own / other))
    assert apart["js"] == pytest.approx(np.log(2), abs=0.01)
    same = metrics.grid_divergences(real, real, 1.0)
    assert same == {"kl": 0.0, "js": 0.0}
    outside = metrics.grid_divergences(real, fake * 100, 1.0, bins=2)
    assert outside == apart


def test_reverse_kl_by_hand():
    assert metrics.reverse_kl(np.arange(1000), 1000) == pytest.approx(0.0, abs=1e-12)
    assert metrics.reverse_kl(np.zeros(9, int), 1000) == pytest.approx(np.log(1000))
    assert metrics.reverse_kl(np.array([0, 0, 1]), 2) == pytest.approx(
        2 / 3 * np.log(4 / 3) + 1 / 3 * np.log(2 / 3)
    )
    draws = np.random.default_rng(0).integers(1000, size=26_000)
    assert metrics.reverse_kl(draws, 1000) == pytest.approx(999 / 52_000, rel=0.1)
