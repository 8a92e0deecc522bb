"""Precision, recall, density, coverage and repeats."""

import numpy as np
import pytest

from ganlab import metrics


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


def test_manifold_scores_by_hand():
    # On a line; real at 0, 1, ... 9, so the 3rd neighbour of an inner point is 2
    # away, and the 5th 3 away.
    real = np.arange(10.0)[:, None]
    fake = np.array([[4.5], [4.6], [4.7], [4.8], [4.9], [30.0]])
    pairs = metrics.pair_statistics(real, fake)
    assert pairs.precise.tolist() == [True] * 5 + [False]
    np.testing.assert_allclose(
        np.sqrt(pairs.real_radii[5]), [1.0, 1.0, 2.0, 2.0, 3.0], rtol=1e-9
    )
    # The ball of 4.8 reaches 0.2 either way; that of 30 reaches to 4.7.
    balls = np.sqrt(pairs.fake_radii[:, 2])
    near = np.abs(real - fake.T) <= balls
    assert pairs.recalled.tolist() == near.any(axis=1).tolist()
    assert pairs.recalled.tolist() == [False] * 5 + [True] * 5
    fifth = np.sqrt(pairs.real_radii[:, 4])
    inside = np.abs(real - fake.T) < fifth[:, None] - 1e-9
    np.testing.assert_allclose(pairs.density, inside.sum(0) / 5)
    assert pairs.covered.tolist() == inside.any(axis=1).tolist()
    assert pairs.nearest_real.tolist() == [4, 5, 5, 5, 5, 9]
    assert pairs.nearest_fake[:4].tolist() == [0, 0, 0, 0]


def test_a_collapsed_set_has_precision_and_no_recall():
    real = normal(500, 6)
    collapsed = np.repeat(real[:2], 250, axis=0)
    scores = metrics.manifold_scores(metrics.pair_statistics(real, collapsed))
    assert scores["precision"].value == 1.0
    assert scores["recall"].value < 0.02
    assert scores["coverage"].value < 0.1
    scores = metrics.manifold_scores(metrics.pair_statistics(collapsed, real))
    assert scores["precision"].value < 0.02
    assert scores["recall"].value == 1.0


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_equal_sets_tie_exactly(shift):
    real = normal(400, 5).astype(np.float32) + np.float32(shift)
    pairs = metrics.pair_statistics(real, real)
    scores = metrics.manifold_scores(pairs)
    assert [score.value for score in scores.values()] == [1.0] * 4
    assert pairs.nearest_real.tolist() == list(range(400))
    assert metrics.repetition_scores(pairs)["copied_share"].value == 1.0


@pytest.mark.e2e
def test_equal_distributions_cover_as_the_paper_says():
    pairs = metrics.pair_statistics(normal(2000, 4, seed=1), normal(2000, 4, seed=2))
    scores = metrics.manifold_scores(pairs)
    assert scores["coverage"].value == pytest.approx(1 - 2**-5, abs=0.015)
    assert scores["density"].value == pytest.approx(1.0, abs=0.06)
    repeats = metrics.repetition_scores(pairs)
    assert repeats["duplicate_share"].value == pytest.approx(0.01, abs=0.01)
    assert repeats["copied_share"].value == pytest.approx(0.01, abs=0.01)


def test_birthday_counts_a_generator_of_few_images():
    real, few = normal(1000, 10, seed=1), normal(400, 10, seed=2)
    drawn = few[np.random.default_rng(3).integers(400, size=1000)]
    pairs = metrics.pair_statistics(real, drawn)
    assert metrics.birthday_support(pairs) == pytest.approx(400, rel=0.15)
    counts = np.bincount(np.unique(drawn, axis=0, return_inverse=True)[1].ravel())
    assert pairs.same_pairs == pytest.approx(sum(counts * (counts - 1) // 2), rel=0.02)
    assert metrics.birthday_support(metrics.pair_statistics(real, real + 9)) > 1e4
