"""Measures of samples by hand."""

import numpy as np
import pytest

from ganlab.callbacks.probe_samples import (
    data_measures,
    effect,
    learned_lead,
    logit_distance,
    num_probed,
    num_samples,
    paired_lead,
)


def test_repeated_constant_and_broken_samples():
    real = np.zeros((4, 2, 2, 1))
    real[3] = np.arange(4).reshape(2, 2, 1)
    measures = data_measures(real, None, pictorial=True)
    assert measures["real_distinct_share"] == 0.5
    assert measures["real_constant_share"] == 0.75
    real[0, 0, 0, 0] = np.nan
    broken = data_measures(real, None, pictorial=True)
    assert broken["real_nonfinite_share"] == pytest.approx(1 / 16)


def test_labels_by_nearest_neighbours():
    draws = np.random.default_rng(0).normal(0, 0.1, (100, 2))
    labels = np.arange(100) % 2
    draws[:, 0] += labels
    known = data_measures(draws, labels, pictorial=False)["label_information"]
    assert known == pytest.approx(10.0)  # all right, where chance is 0.5 +- 0.05
    shuffled = np.random.default_rng(1).permutation(labels)
    blind = data_measures(draws, shuffled, pictorial=False)["label_information"]
    assert abs(blind) < 3


def test_effect_and_lead():
    real = np.linspace(0, 1, 101)
    assert effect(np.full(3, 0.98), np.zeros(3), real) == pytest.approx(1.0)
    assert effect(np.ones(3), np.zeros(3), np.zeros(5)) == np.inf
    assert paired_lead(np.ones((4, 1)), np.ones((4, 1))) == 0.0
    assert paired_lead(np.array([[1.0], [3.0]]), np.zeros((2, 1))) == pytest.approx(
        2 * np.sqrt(2)
    )


def test_what_is_learned_is_a_lead_in_standard_deviations():
    spread = np.array([[-1.0], [1.0]])
    logits = {"real": spread + 3.0, "fake": spread, "was_real": 10 * spread + 10.0}
    logits["was_fake"] = 10 * spread
    assert logit_distance(logits["real"], logits["fake"]) == pytest.approx(3.0)
    assert learned_lead(logits) == pytest.approx(2.0)
    assert logit_distance(np.ones((2, 1)), np.ones((2, 1))) == 0.0


def test_fewer_of_large_samples_are_looked_at():
    assert [num_samples(shape) for shape in ((2,), (64, 64, 3))] == [512, 512]
    assert num_samples((256, 256, 3)) == 512 // 4
    assert num_samples((512, 512, 4)) == 64
    assert [num_probed(shape) for shape in ((2,), (128, 128, 3))] == [64, 64]
    assert num_probed((192, 192, 3)) == 64 * 4 // 9
