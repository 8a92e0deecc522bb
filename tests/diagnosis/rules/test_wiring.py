"""Rules of how a run is put together."""

import dataclasses

import numpy as np
import pytest

LATE = np.where(np.arange(40) < 3, 0.001, 0.3)
CASES = [
    ("frozen_network", {"g_update_ratio": 0.0}),
    ("frozen_network", {"d_update_ratio": 1e-6}),
    ("ignored_latents", {"latent_effect": 0.0}),
    ("inverted_objective", {"d_logit_direction": -1.0}),
    ("inverted_objective", {"g_step_gain": -4.0}),
    ("double_sigmoid", {"logit_lowest": 0.3, "logit_highest": 0.7}),
]
HEALTHY = {
    "g_update_ratio": 1e-3,
    "latent_effect": LATE,
    "g_logit_direction": 1.0,
    "g_step_gain": np.where(np.arange(40) % 5 == 0, -2.0, 40.0),
    "logit_lowest": -0.3,
    "logit_highest": 0.7,
}


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_each_failure_is_named(make_log, find, name, changes):
    find(make_log(changes), name)


def test_what_moves_is_no_failure(make_log, names_of):
    assert names_of(make_log(HEALTHY)) == []


def test_steps_that_lead_astray_late_are_not_a_reversed_loss(make_log, names_of):
    late = np.where(np.arange(40) < 25, 30.0, -30.0)
    assert names_of(make_log({"g_step_gain": late})) == []


@pytest.mark.parametrize(
    ("misread", "name"),
    [("probabilities", "double_sigmoid"), ("logits", "missing_sigmoid")],
)
def test_what_the_loss_takes_is_compared_with_what_it_is_given(
    make_log, find, misread, name
):
    log = make_log()
    find(dataclasses.replace(log, settings={"misread_answers": misread}), name)
