"""Scores equal those of torch-fidelity and prdc."""

import warnings

import numpy as np
import pytest

from ganlab import metrics
from ganlab.metrics import pairs


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
def statistics(sets):
    return metrics.pair_statistics(*sets)


@pytest.mark.e2e
def test_equal_torch_fidelity(sets, statistics, torch_fidelity):
    import torch
    from torch_fidelity.metric_fid import (
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = (torch.from_numpy(features) for features in sets)
    expected = fid_statistics_to_metric(
        *(fid_features_to_statistics(features) for features in (real, fake)), False
    )
    assert metrics.frechet_distance(*sets) == pytest.approx(
        expected["frechet_inception_distance"], rel=1e-6
    )

    draws = np.random.RandomState(2020)
    subsets = [
        [draws.choice(len(features), 300, replace=False) for features in (fake, real)]
        for _ in range(20)
    ]
    expected = kid_features_to_metric(
        fake, real, kid_subsets=20, kid_subset_size=300, rng_seed=2020, verbose=False
    )
    of_subsets = metrics.pair_statistics(
        *sets, subsets=tuple(np.array([pair[k] for pair in subsets]) for k in (1, 0))
    )
    assert of_subsets.kid.value == pytest.approx(
        expected["kernel_inception_distance_mean"], rel=1e-6
    )
    assert of_subsets.kid_subsets.std() == pytest.approx(
        expected["kernel_inception_distance_std"], rel=1e-6
    )

    expected = prc_features_to_metric(
        fake, real, prc_neighborhood=3, prc_batch_size=10_000, verbose=False
    )
    scores = metrics.manifold_scores(statistics)
    for name in ("precision", "recall"):
        assert scores[name].value == pytest.approx(expected[name], rel=1e-6)
        assert 0.05 < expected[name] < 0.95

    logits = torch.from_numpy(sets[0])
    probabilities = logits.softmax(dim=1).numpy()
    expected = isc_features_to_metric(logits, splits=10, shuffle=False)
    order = np.argsort(np.random.default_rng(0).permutation(len(probabilities)))
    score = metrics.inception_score(probabilities[order], seed=0)
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-6)


def test_equal_prdc(sets, statistics):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prdc import compute_prdc

    expected = compute_prdc(*sets, nearest_k=pairs.DENSITY_NEIGHBORS)
    scores = metrics.manifold_scores(statistics)
    for name in ("density", "coverage"):
        assert scores[name].value == pytest.approx(expected[name], rel=1e-6)
        assert 0.05 < expected[name] < 2.0
