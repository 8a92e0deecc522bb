"""Inception score, label accuracy and diversity within classes, by hand."""

import numpy as np
import pytest

from ganlab import metrics
from ganlab.errors import UserError


def test_inception_score_by_hand():
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


def test_label_accuracy_by_hand():
    score = metrics.label_accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))
    assert score.value == 0.75
    assert score.low < 0.75 < score.high
