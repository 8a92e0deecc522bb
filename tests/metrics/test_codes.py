"""Active units, KL by component and the gap to the prior, by hand."""

import numpy as np
import pytest

from ganlab.metrics import codes


def test_kl_of_gaussians_by_hand():
    means = np.array([[0.0, 1.0], [0.0, 3.0]])
    log_variances = np.log([[1.0, 1.0], [4.0, 1.0]])
    # (0 + 4 - log 4 - 1) / 2 for one image of two; 1 / 2 and 9 / 2
    expected = [(3.0 - np.log(4.0)) / 4, (0.5 + 4.5) / 2]
    np.testing.assert_allclose(codes.kl_by_dimension(means, log_variances), expected)


def test_a_unit_is_active_over_a_variance_of_a_hundredth():
    # Variances 0.0081, 0.0121 and 0.
    means = np.array([[0.09, 0.11, 5.0], [-0.09, -0.11, 5.0]])
    assert codes.active_units(means).tolist() == [False, True, False]


def test_codes_of_the_prior_have_no_gap():
    means = np.random.default_rng(1).normal(0, np.sqrt(0.5), (4000, 3))
    gap = codes.prior_gap(means, np.full_like(means, np.log(0.5)))
    assert abs(gap) < 0.02


def test_a_narrow_aggregate_has_the_gap_of_its_kl():
    means = np.random.default_rng(1).normal(0, 0.3, (8000, 2))
    gap = codes.prior_gap(means, np.full_like(means, np.log(0.16)))
    kl = 2 * 0.5 * (0.25 - np.log(0.25) - 1.0)  # of N(0, 0.25), per component
    assert gap == pytest.approx(kl, abs=0.03)


def test_too_few_images_say_nothing():
    assert codes.prior_gap(np.zeros((7, 2)), np.zeros((7, 2))) is None
    assert codes.prior_gap(np.full((8, 2), np.nan), np.zeros((8, 2))) is None
