"""The self-test passes, and catches a swap of two scores."""

import math

import numpy as np
import pytest

from ganlab import metrics
from ganlab.errors import UserError
from ganlab.evaluation import calibration


@pytest.mark.e2e
def test_self_test_passes_and_catches_a_swap(reference, monkeypatch):
    checks = calibration.self_test(reference)
    assert all(check.passed for check in checks), [
        str(check) for check in checks if not check.passed
    ]
    assert {check.name for check in checks} >= {"precision", "recall", "coverage"}
    honest = metrics.manifold_scores

    def swapped(pairs, seed=0):
        scores = honest(pairs, seed)
        swap = {"precision": scores["recall"], "recall": scores["precision"]}
        return scores | swap

    monkeypatch.setattr(metrics, "manifold_scores", swapped)
    failed = [check for check in calibration.self_test(reference) if not check.passed]
    assert {check.name for check in failed} == {"precision", "recall"}
    assert str(failed[0]).startswith("FAIL")


def test_a_check_says_its_range_in_displayed_units():
    check = calibration.Check("noisy", "kid", 0.25, 0.125, math.inf)
    assert check.passed
    assert str(check).startswith("ok    noisy ")
    assert str(check).endswith("250.000  expected 125.000 or more")
    assert check.as_dict()["high"] is None
    failed = calibration.Check("noisy", "recall", 0.25, 0.0, 0.05)
    assert str(failed).startswith("FAIL")
    assert str(failed).endswith("expected 0.000 to 0.050")


def test_too_few_images_test_nothing(reference):
    few = reference.take(np.arange(199))
    with pytest.raises(UserError, match="200 real images or more"):
        calibration.self_test(few)
