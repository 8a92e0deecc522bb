"""Blocks of all pairs are walked once, in order, and counted."""

import numpy as np
import pytest

from ganlab.metrics import blocks


@pytest.fixture
def feature_sets(monkeypatch):
    """Two sets of 10 and 7 features, in blocks of 4, and the features themselves."""
    monkeypatch.setattr(blocks, "BLOCK", 4)
    draws = np.random.default_rng(0)
    real, fake = draws.normal(3.0, 1.0, (10, 3)), draws.normal(3.0, 1.0, (7, 3))
    center = real.mean(axis=0)
    return (
        blocks.FeatureSet(real, center),
        blocks.FeatureSet(fake, center),
        real,
        fake,
    )


def test_every_pair_is_walked_once(feature_sets):
    left, right, real, fake = feature_sets
    counter = blocks.BlockCounter(left, right, None)
    distances = np.full((10, 7), np.nan)

    def measure(rows, columns, products):
        return blocks.squared_distances(left, right, rows, columns, products)

    for rows, columns, squared in blocks.walk(left, right, measure, counter):
        assert np.isnan(distances[rows, columns]).all()
        distances[rows, columns] = squared
    expected = np.square(real[:, None] - fake).sum(axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-10)
    assert counter.done == 3 * 2


def test_a_set_with_itself_is_half_of_the_blocks(feature_sets):
    left, right, real, _ = feature_sets
    done = []
    counter = blocks.BlockCounter(left, right, lambda *count: done.append(count))

    def measure(rows, columns, products):
        return blocks.kernel_block(left, left, rows, columns, products)

    walked = list(blocks.walk(left, left, measure, counter))
    assert [(rows.start, columns.start) for rows, columns, _ in walked] == [
        (0, 0),
        (0, 4),
        (0, 8),
        (4, 4),
        (4, 8),
        (8, 8),
    ]
    assert done == [(k + 1, 6 + 3 + 6) for k in range(6)]
    kernel = (real @ real.T / 3 + 1) ** 3
    for rows, columns, block in walked:
        np.testing.assert_allclose(block, kernel[rows, columns], rtol=1e-10)
    np.testing.assert_allclose(left.kernel_with_itself, np.diag(kernel), rtol=1e-10)
