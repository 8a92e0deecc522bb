"""Pairs of images: blocks, memory, wild input."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import metrics
from ganlab.errors import UserError
from ganlab.metrics import blocks, frechet


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


def test_blocks_change_nothing(monkeypatch):
    real, fake = normal(130, 4, seed=1), normal(111, 4, seed=2, shift=0.3)
    whole = metrics.pair_statistics(real, fake)
    monkeypatch.setattr(blocks, "BLOCK", 32)
    monkeypatch.setattr(frechet, "CHUNK", 32)
    progress = []
    cut = metrics.pair_statistics(
        real, fake, progress=lambda *done: progress.append(done)
    )
    for name in vars(whole):
        actual, expected = getattr(cut, name), getattr(whole, name)
        if name == "kid":
            actual, expected = actual.value, expected.value
        np.testing.assert_allclose(
            actual, expected, rtol=1e-9, atol=1e-12, err_msg=name
        )
    assert progress[-1] == (15 + 10 + 20, 15 + 10 + 20)
    assert metrics.frechet_score(real, fake).value == pytest.approx(
        metrics.frechet_distance(real, fake)
    )


@pytest.mark.e2e
def test_pairs_take_little_memory():
    real, fake = (normal(6000, 64, seed=k).astype(np.float32) for k in range(2))
    tracemalloc.start()
    metrics.pair_statistics(real, fake)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 8 / 2  # half of one matrix of all pairs


def test_too_few_for_neighbours():
    with pytest.raises(UserError, match="6 images or more in fake features"):
        metrics.pair_statistics(normal(9, 3), normal(5, 3))


@pytest.mark.e2e
@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(6, 30),
    dim=st.integers(1, 5),
    scale=st.floats(1e-4, 1e4),
    shift=st.floats(-1e5, 1e5),
    levels=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_scores_of_anything_finite_are_in_range(count, dim, scale, shift, levels, seed):
    generator = np.random.default_rng(seed)
    real, fake = (
        (generator.integers(levels, size=(count, dim)) * scale + shift).astype(
            np.float32
        )
        for _ in range(2)
    )
    pairs = metrics.pair_statistics(real, fake)
    for name, score in metrics.manifold_scores(pairs).items():
        assert score.low <= score.value <= score.high
        assert 0 <= score.value <= (count if name == "density" else 1)
    distance = metrics.frechet_score(real, fake)
    rounding = 1e-6 * (abs(shift) + scale * levels) ** 2 * 1e-6 + 1e-9 * scale**2
    assert distance.value >= -rounding
    assert np.isfinite([distance.low, distance.high]).all()
    assert metrics.frechet_distance(real, real) == pytest.approx(0.0, abs=rounding)
    same = metrics.manifold_scores(metrics.pair_statistics(real, real))
    assert same["precision"].value == same["recall"].value == 1.0


@pytest.mark.e2e
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), dim=st.integers(1, 6))
def test_scores_do_not_depend_on_order_or_place(seed, dim):
    real, fake = normal(40, dim, seed), normal(40, dim, seed + 1, 1.2)
    turn = np.linalg.qr(normal(dim, dim, seed + 2))[0]
    plain = metrics.manifold_scores(metrics.pair_statistics(real, fake))
    moved = metrics.manifold_scores(
        metrics.pair_statistics(real[::-1] @ turn + 5, fake[::-1] @ turn + 5)
    )
    for name in plain:
        assert moved[name].value == pytest.approx(plain[name].value)
    assert metrics.frechet_distance(real @ turn + 5, fake @ turn + 5) == pytest.approx(
        metrics.frechet_distance(real, fake), rel=1e-9, abs=1e-12
    )
