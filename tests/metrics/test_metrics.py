"""Are the scores those of the papers, and what they say of wild input?"""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import metrics
from ganlab.errors import UserError
from ganlab.metrics import frechet, pairs


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


@pytest.fixture(scope="module")
def sets():
    """Two sets of correlated features that differ in mean and covariance."""
    mix = normal(24, 24, seed=9) * 0.3 + np.eye(24)
    return normal(1100, 24, seed=1) @ mix + 3.0, normal(
        1300, 24, seed=2
    ) @ mix * 0.9 + 3.1


@pytest.fixture(scope="module")
def found(sets):
    return metrics.compare(*sets)


def test_equal_torch_fidelity(sets, found, torch_fidelity):
    import torch
    from torch_fidelity.metric_fid import (
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = (torch.from_numpy(each) for each in sets)
    theirs = fid_statistics_to_metric(
        *(fid_features_to_statistics(each) for each in (real, fake)), False
    )
    assert metrics.frechet_distance(*sets) == pytest.approx(
        theirs["frechet_inception_distance"], rel=1e-6
    )

    draws = np.random.RandomState(2020)
    subsets = [
        [draws.choice(len(each), 300, replace=False) for each in (fake, real)]
        for _ in range(20)
    ]
    theirs = kid_features_to_metric(
        fake, real, kid_subsets=20, kid_subset_size=300, rng_seed=2020, verbose=False
    )
    ours = metrics.compare(
        *sets, subsets=tuple(np.array([pair[k] for pair in subsets]) for k in (1, 0))
    )
    assert ours.kid.value == pytest.approx(
        theirs["kernel_inception_distance_mean"], rel=1e-6
    )
    assert ours.kid_subsets.std() == pytest.approx(
        theirs["kernel_inception_distance_std"], rel=1e-6
    )

    theirs = prc_features_to_metric(
        fake, real, prc_neighborhood=3, prc_batch_size=10_000, verbose=False
    )
    scores = metrics.manifold_scores(found)
    for name in ("precision", "recall"):
        assert scores[name].value == pytest.approx(theirs[name], rel=1e-6)
        assert 0.05 < theirs[name] < 0.95

    logits = torch.from_numpy(sets[0])
    shares = logits.softmax(dim=1).numpy()
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    order = np.argsort(np.random.default_rng(0).permutation(len(shares)))
    ours = metrics.inception_score(shares[order], seed=0)
    assert ours.value == pytest.approx(theirs["inception_score_mean"], rel=1e-6)


def test_equal_prdc(sets, found):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prdc import compute_prdc

    theirs = compute_prdc(*sets, nearest_k=pairs.DENSITY_NEIGHBORS)
    scores = metrics.manifold_scores(found)
    for name in ("density", "coverage"):
        assert scores[name].value == pytest.approx(theirs[name], rel=1e-6)
        assert 0.05 < theirs[name] < 2.0


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
    ours = metrics.frechet_distance(*few)
    # Of 40 and 50 vectors the covariances have rank 39 and 49: an exact value by
    # the singular values of the centred data themselves.
    centred = [(each - each.mean(0)) / np.sqrt(len(each) - 1) for each in few]
    cross = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(np.square(each).sum() for each in centred)
    gap = np.square(few[0].mean(0) - few[1].mean(0)).sum()
    assert ours == pytest.approx(gap + spread - 2 * cross, rel=1e-9)
    constant = np.full((10, 3), 2.0)
    assert metrics.frechet_distance(constant, constant) == 0.0
    moved = metrics.frechet_distance(constant, constant + np.array([1.0, 2.0, 2.0]))
    assert moved == pytest.approx(9.0)
    assert metrics.frechet_score(constant, normal(10, 3)).value > 0


def test_moments_are_those_of_all_at_once():
    features = normal(900, 7, shift=1e6)
    found = frechet.Moments(7)
    for part in np.array_split(features, 11):
        found.update(part.astype(np.float64))
    np.testing.assert_allclose(found.mean, features.mean(0), rtol=1e-13)
    np.testing.assert_allclose(
        found.covariance, np.cov(features, rowvar=False), rtol=1e-7, atol=1e-9
    )
    assert found.count == 900


def test_frechet_infinity_takes_the_bias_away():
    # True distance: 0.2² x 32 of the means, (1 - 0.9)² x 32 of the deviations.
    truth = (0.2**2 + 0.1**2) * 32
    draws = [
        (normal(600, 32, seed=2 * k), normal(600, 32, 2 * k + 1, 0.9, 0.2))
        for k in range(20)
    ]
    limits = [metrics.frechet_infinity(*each) for each in draws]
    plain = [metrics.frechet_distance(*each) for each in draws]
    error = np.std(limits) / np.sqrt(len(limits))
    assert abs(np.mean(limits) - truth) < 4 * error + 0.02 * truth
    assert np.mean(plain) > 1.3 * truth
    assert metrics.frechet_infinity(normal(50, 32), normal(50, 32)) is None


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_intervals_are_as_wide_as_fresh_draws_spread(shift):
    """Scores of 40 fresh draws spread as the bootstrap of one says."""

    def scores(seed):
        real = normal(300, 8, seed=1000 + 2 * seed)
        fake = normal(300, 8, seed=1001 + 2 * seed, shift=shift)
        found = metrics.compare(real, fake, seed=seed)
        return metrics.manifold_scores(found) | {
            "frechet": metrics.frechet_score(real, fake),
            "kernel": found.kid,
        }

    drawn = [scores(seed) for seed in range(40)]
    for name in drawn[0]:
        spread = np.std([each[name].value for each in drawn], ddof=1)
        claimed = np.median([each[name].standard_error for each in drawn])
        # The balls of a manifold are not drawn anew; equal distributions leave the
        # kernel distance without a linear part, which the bootstrap then doubles.
        widest = 2.5 if name == "kernel" and not shift else 2.0
        assert 0.5 < claimed / spread < widest, name


def test_kernel_distance_by_hand():
    real, fake = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]]), np.ones((6, 1))
    values = np.arange(6.0)
    outer = (np.outer(values, values) + 1) ** 3
    within = (outer.sum() - np.trace(outer)) / 30
    expected = within + 8.0 - 2 * ((values + 1) ** 3).mean()
    assert metrics.kid(real, fake).value == pytest.approx(expected)


def test_kernel_distance_is_unbiased():
    values = [
        metrics.kid(normal(40, 4, seed=k), normal(40, 4, seed=k + 500)).value
        for k in range(200)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


def test_manifold_scores_by_hand():
    # On a line; real at 0, 1, ... 9, so the 3rd neighbour of an inner point is 2
    # away, and the 5th 3 away.
    real = np.arange(10.0)[:, None]
    fake = np.array([[4.5], [4.6], [4.7], [4.8], [4.9], [30.0]])
    found = metrics.compare(real, fake)
    assert found.precise.tolist() == [True] * 5 + [False]
    np.testing.assert_allclose(
        np.sqrt(found.real_radii[5]), [1.0, 1.0, 2.0, 2.0, 3.0], rtol=1e-9
    )
    # The ball of 4.8 reaches 0.2 either way; that of 30 reaches to 4.7.
    balls = np.sqrt(found.fake_radii[:, 2])
    near = np.abs(real - fake.T) <= balls
    assert found.recalled.tolist() == near.any(axis=1).tolist()
    assert found.recalled.tolist() == [False] * 5 + [True] * 5
    fifth = np.sqrt(found.real_radii[:, 4])
    inside = np.abs(real - fake.T) < fifth[:, None] - 1e-9
    np.testing.assert_allclose(found.density, inside.sum(0) / 5)
    assert found.covered.tolist() == inside.any(axis=1).tolist()
    assert found.nearest_real.tolist() == [4, 5, 5, 5, 5, 9]
    assert found.nearest_fake[:4].tolist() == [0, 0, 0, 0]


def test_a_collapsed_set_has_precision_and_no_recall():
    real = normal(500, 6)
    collapsed = np.repeat(real[:2], 250, axis=0)
    scores = metrics.manifold_scores(metrics.compare(real, collapsed))
    assert scores["precision"].value == 1.0
    assert scores["recall"].value < 0.02
    assert scores["coverage"].value < 0.1
    scores = metrics.manifold_scores(metrics.compare(collapsed, real))
    assert scores["precision"].value < 0.02
    assert scores["recall"].value == 1.0


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_equal_sets_tie_exactly(shift):
    real = normal(400, 5).astype(np.float32) + np.float32(shift)
    found = metrics.compare(real, real)
    scores = metrics.manifold_scores(found)
    assert [score.value for score in scores.values()] == [1.0] * 4
    assert found.nearest_real.tolist() == list(range(400))
    assert metrics.repetition_scores(found)["copied_share"].value == 1.0


def test_equal_distributions_cover_as_the_paper_says():
    found = metrics.compare(normal(2000, 4, seed=1), normal(2000, 4, seed=2))
    scores = metrics.manifold_scores(found)
    assert scores["coverage"].value == pytest.approx(1 - 2**-5, abs=0.015)
    assert scores["density"].value == pytest.approx(1.0, abs=0.06)
    repeats = metrics.repetition_scores(found)
    assert repeats["duplicate_share"].value == pytest.approx(0.01, abs=0.01)
    assert repeats["copied_share"].value == pytest.approx(0.01, abs=0.01)


def test_birthday_counts_a_generator_of_few_images():
    real, few = normal(1000, 10, seed=1), normal(400, 10, seed=2)
    drawn = few[np.random.default_rng(3).integers(400, size=1000)]
    found = metrics.compare(real, drawn)
    assert metrics.birthday_support(found) == pytest.approx(400, rel=0.15)
    counts = np.bincount(np.unique(drawn, axis=0, return_inverse=True)[1].ravel())
    assert found.same_pairs == pytest.approx(sum(counts * (counts - 1) // 2), rel=0.02)
    assert metrics.birthday_support(metrics.compare(real, real + 9)) > 1e4


def test_blocks_change_nothing(monkeypatch):
    real, fake = normal(130, 4, seed=1), normal(111, 4, seed=2, shift=0.3)
    whole = metrics.compare(real, fake)
    monkeypatch.setattr(pairs, "BLOCK", 32)
    monkeypatch.setattr(frechet, "CHUNK", 32)
    blocks = []
    cut = metrics.compare(real, fake, progress=lambda *done: blocks.append(done))
    for name in vars(whole):
        ours, theirs = getattr(cut, name), getattr(whole, name)
        if name == "kid":
            ours, theirs = ours.value, theirs.value
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12, err_msg=name)
    assert blocks[-1] == (15 + 10 + 20, 15 + 10 + 20)
    assert metrics.frechet_score(real, fake).value == pytest.approx(
        metrics.frechet_distance(real, fake)
    )


def test_pairs_take_little_memory():
    real, fake = (normal(6000, 64, seed=k).astype(np.float32) for k in range(2))
    tracemalloc.start()
    metrics.compare(real, fake)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 8 / 2  # half of one matrix of all pairs


def test_class_score_by_hand():
    sure = np.repeat(np.eye(4), 25, axis=0)
    assert metrics.inception_score(sure, splits=1).value == pytest.approx(4.0)
    assert metrics.inception_score(sure[:25], splits=1).value == pytest.approx(1.0)
    unsure = np.full((40, 4), 0.25)
    assert metrics.inception_score(unsure).value == pytest.approx(1.0)
    with pytest.raises(UserError, match="apply softmax"):
        metrics.inception_score(unsure * 3)


def test_class_diversity_by_hand():
    classes = np.array([0, 0, 0, 1, 1, 1])
    real = np.array([[0.0], [1.0], [2.0], [10.0], [12.0], [14.0]])
    fake = np.array([[5.0], [5.0], [5.0], [0.0], [1.0], [2.0]])
    score, by_class = metrics.class_diversity(real, fake, classes, classes)
    # Variances 1 and 4 against 0 and 1.
    assert by_class == {0: 0.0, 1: 0.25}
    assert score.value == pytest.approx(0.125)
    none, empty = metrics.class_diversity(real, fake, classes, classes + 5)
    assert (none, empty) == (None, {})


def test_bins_tell_a_lost_mode():
    real, same = normal(3000, 2, seed=1), normal(3000, 2, seed=2)
    assert metrics.ndb_scores(real, same).value < 0.12
    lost = same[same[:, 0] > 0]
    assert metrics.ndb_scores(real, lost[:1400]).value > 0.7


def test_bins_by_hand():
    from ganlab.metrics.classes import _differing

    # z of 50/100 against 64/100 is 2.0, of 50 against 63 is 1.86.
    real, fake = np.array([50, 50]), np.array([64, 36])
    assert _differing(real, fake, 0.05).tolist() == [True, True]
    assert _differing(real, np.array([63, 37]), 0.05).tolist() == [False, False]


def test_path_length_by_hand():
    before, after = np.zeros((100, 3)), np.tile([0.03, 0.04, 0.0], (100, 1))
    score = metrics.path_lengths(before, after, epsilon=0.1)
    assert score.value == pytest.approx(0.25)  # (0.05 / 0.1)²


def test_label_fidelity_by_hand():
    score = metrics.label_accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))
    assert score.value == 0.75
    assert score.low < 0.75 < score.high


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (normal(1, 3), normal(9, 3), "2 images or more in real features. Received: 1"),
        (
            normal(9, 3),
            normal(9, 4),
            "one width, from one extractor. Received: 3 and 4",
        ),
        (normal(9, 3), np.full((9, 3), np.nan), "NaN or infinity for image 0"),
        (normal(9, 3), np.full((9, 3), np.inf), "finite fake features"),
        (normal(9, 3)[0], normal(9, 3), r"shape \(n, d\)"),
        (normal(9, 3).astype(complex), normal(9, 3), "complex128"),
    ],
)
def test_a_mistake_in_features_is_one_line(real, fake, message):
    for function in (metrics.frechet_distance, metrics.frechet_score):
        with pytest.raises(UserError, match=message) as caught:
            function(real, fake)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError):
        metrics.compare(real, fake)


def test_too_few_for_neighbours():
    with pytest.raises(UserError, match="6 images or more in fake features"):
        metrics.compare(normal(9, 3), normal(5, 3))


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
    draws = np.random.default_rng(seed)
    real, fake = (
        (draws.integers(levels, size=(count, dim)) * scale + shift).astype(np.float32)
        for _ in range(2)
    )
    found = metrics.compare(real, fake)
    for name, score in metrics.manifold_scores(found).items():
        assert score.low <= score.value <= score.high
        assert 0 <= score.value <= (count if name == "density" else 1)
    distance = metrics.frechet_score(real, fake)
    rounding = 1e-6 * (abs(shift) + scale * levels) ** 2 * 1e-6 + 1e-9 * scale**2
    assert distance.value >= -rounding
    assert np.isfinite([distance.low, distance.high]).all()
    assert metrics.frechet_distance(real, real) == pytest.approx(0.0, abs=rounding)
    same = metrics.manifold_scores(metrics.compare(real, real))
    assert same["precision"].value == same["recall"].value == 1.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), dim=st.integers(1, 6))
def test_scores_do_not_depend_on_order_or_place(seed, dim):
    real, fake = normal(40, dim, seed), normal(40, dim, seed + 1, 1.2)
    turn = np.linalg.qr(normal(dim, dim, seed + 2))[0]
    plain = metrics.manifold_scores(metrics.compare(real, fake))
    moved = metrics.manifold_scores(
        metrics.compare(real[::-1] @ turn + 5, fake[::-1] @ turn + 5)
    )
    for name in plain:
        assert moved[name].value == pytest.approx(plain[name].value)
    assert metrics.frechet_distance(real @ turn + 5, fake @ turn + 5) == pytest.approx(
        metrics.frechet_distance(real, fake), rel=1e-9, abs=1e-12
    )


def test_spread_by_hand():
    real = np.array([[0.0], [2.0], [4.0], [6.0]])
    found = metrics.spread(real, real / 2, np.array([0, 0, 1, 1]))
    assert found["pairwise_ratio"] == pytest.approx(0.5)
    assert found["class_pairwise_ratio"] == pytest.approx(0.5)
    assert found["nearest_ratio"] == pytest.approx(0.5)
    assert metrics.spread(real, np.ones_like(real))["pairwise_ratio"] == 0.0
    assert "pairwise_ratio" not in metrics.spread(np.ones_like(real), real)


def test_a_checkerboard_is_seen_and_smooth_noise_is_not():
    draws = np.random.default_rng(0)
    real = draws.normal(size=(64, 16, 16, 1)).cumsum(axis=1).cumsum(axis=2) / 16
    other = draws.normal(size=(64, 16, 16, 1)).cumsum(axis=1).cumsum(axis=2) / 16
    rows, columns = np.indices((16, 16))
    board = 0.5 * (-1.0) ** (rows + columns)
    clean = metrics.spectra(real, other)
    marked = metrics.spectra(real, other + board[..., None])
    assert abs(clean["checkerboard_share"]) < 0.05
    assert abs(clean["nyquist_excess"]) < 0.2
    assert marked["checkerboard_share"] > 0.5
    assert marked["nyquist_excess"] > 0.5
    assert metrics.spectra(real[:, :15, :15], other[:, :15, :15]) is not None


def test_an_odd_or_constant_image_has_a_spectrum():
    flat = np.zeros((4, 17, 17, 3))
    found = metrics.spectra(flat, flat)
    assert all(value == pytest.approx(0.0, abs=1e-6) for value in found.values())
