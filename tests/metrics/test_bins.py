"""NDB: by hand, and of a lost mode."""

import numpy as np
import pytest

from ganlab import metrics


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


@pytest.mark.e2e
def test_bins_tell_a_lost_mode():
    real, same = normal(3000, 2, seed=1), normal(3000, 2, seed=2)
    assert metrics.ndb(real, same).value < 0.12
    lost = same[same[:, 0] > 0]
    assert metrics.ndb(real, lost[:1400]).value > 0.7


def test_bins_by_hand():

    # z of 50/100 against 64/100 is 2.0, of 50 against 63 is 1.86.
    real, fake = np.array([50, 50]), np.array([64, 36])
    assert metrics.bins_differ(real, fake, 0.05).tolist() == [True, True]
    assert metrics.bins_differ(real, np.array([63, 37]), 0.05).tolist() == [
        False,
        False,
    ]
