"""Rules of gradients and of units that let none pass."""

import dataclasses

import numpy as np
import pytest

CASES = [
    ("vanishing_generator_gradient", {"g_logit_gradient": 0.01}, {"loss": "minimax"}),
    ("vanishing_generator_gradient", {"g_gradient_norm": 1e-9}, {}),
    ("exploding_gradient", {"g_gradient_norm": np.geomspace(1, 1e6, 40)}, {}),
    ("exploding_gradient", {"d_gradient_norm": np.geomspace(1, 1e6, 40)}, {}),
    ("dying_relu", {"g_dead_share": 0.8}, {}),
    ("dying_relu", {"d_dead_share": 0.8}, {}),
    ("activation_saturation", {"d_activation_gradient": 0.02}, {}),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


def test_a_flat_logit_gradient_matters_to_the_minimax_loss_alone(make_log, names_of):
    changes = {"g_logit_gradient": 0.01}
    assert names_of(make_log(changes, {"loss": "non_saturating"})) == []


def test_dead_units_are_cured_in_their_own_network(make_log, find):
    finding = find(make_log({"d_dead_share": 0.8}), "dying_relu")
    assert finding.changes == {"discriminator_activation": "leaky_relu"}


def test_toy_2d_samples_light_few_units_up(make_log, names_of):
    assert names_of(make_log({"g_dead_share": 0.8}, {"data": "ring"})) == []


def test_both_networks_saturation_is_evidence(make_log, find):
    both = {"g_activation_gradient": 0.02, "d_activation_gradient": 0.03}
    finding = find(make_log(both), "activation_saturation")
    assert [evidence["signal"] for evidence in finding.evidence] == list(both)


def test_a_cross_entropy_that_the_generator_raises_is_minimax(make_log, find, names_of):
    raised = {"d_fake": 0.01, "g_loss": -0.01}
    log = make_log(raised)
    settings = {"loss": "cross_entropy"}
    named = dataclasses.replace(log, settings=settings)
    find(named, "vanishing_generator_gradient")
    lowered = dataclasses.replace(make_log({"d_fake": 0.01}), settings=settings)
    assert "vanishing_generator_gradient" not in names_of(lowered)


def test_weights_that_are_replaced_once_are_a_failure(make_log, find):
    once = np.where(np.arange(40) == 20, 0.6, 0.002)
    recipe = {"generator_learning_rate": 0.02, "discriminator_learning_rate": 0.04}
    finding = find(make_log({"d_drift": once}, recipe), "overlong_steps")
    assert finding.since_step == 1050
    assert finding.changes == {
        "generator_learning_rate": pytest.approx(0.002),
        "discriminator_learning_rate": pytest.approx(0.004),
    }


def test_a_loss_that_leaps_tells_of_long_steps(make_log, find, names_of):
    start = np.arange(40) == 0
    drift = {"d_drift": np.where(start, 0.06, 1e-3)}
    leap = {"d_loss": np.where(start, 2830.0, 0.9)}
    find(make_log(drift | leap), "overlong_steps")
    assert names_of(make_log(drift)) == names_of(make_log(leap)) == []
    critic = {"loss": "wasserstein"}
    assert "overlong_steps" not in names_of(make_log(drift | leap, critic))
