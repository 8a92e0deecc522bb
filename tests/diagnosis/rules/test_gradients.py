"""Rules of gradients and of units that let none pass."""

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
