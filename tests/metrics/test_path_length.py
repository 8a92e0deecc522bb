"""Path length, by hand."""

import numpy as np
import pytest

from ganlab import metrics


def test_path_length_by_hand():
    before, after = np.zeros((100, 3)), np.tile([0.03, 0.04, 0.0], (100, 1))
    score = metrics.path_lengths(before, after, epsilon=0.1)
    assert score.value == pytest.approx(0.25)  # (0.05 / 0.1)²
