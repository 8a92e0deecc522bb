"""Rules of how a run is put together."""

import numpy as np
import pytest

LATE = np.where(np.arange(40) < 3, 0.001, 0.3)
CASES = [
    ("frozen_network", {"g_update_ratio": 0.0}),
    ("frozen_network", {"d_update_ratio": 1e-6}),
    (
        "frozen_network",
        {"g_update_ratio": np.where(np.arange(40) < 20, 1e-3, 1e-7)},
    ),
    ("ignored_latents", {"latent_effect": 0.0}),
    ("inverted_objective", {"d_logit_direction": -1.0}),
    ("inverted_objective", {"g_step_gain": -4.0, "logit_separation": 0.95}),
    (
        "inverted_objective",
        {"d_loss": np.geomspace(1, 1e-2, 40), "g_loss": np.geomspace(0.7, 1e-3, 40)},
    ),
]
HEALTHY = {
    "g_update_ratio": 1e-3,
    "latent_effect": LATE,
    "g_logit_direction": 1.0,
    "g_step_gain": np.where(np.arange(40) % 5 == 0, -2.0, 40.0),
}


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_each_failure_is_named(make_log, find, name, changes):
    find(make_log(changes), name)


def test_what_moves_is_no_failure(make_log, names_of):
    assert names_of(make_log(HEALTHY)) == []


def test_steps_that_end_with_their_gradient_or_by_a_decay_are_not_frozen(
    make_log, names_of
):
    ended = np.where(np.arange(40) < 20, 1e-3, 1e-7)
    gone = {"g_gradient_norm": np.where(np.arange(40) < 20, 5.0, 5e-4)}
    assert names_of(make_log({"g_update_ratio": ended} | gone)) == []
    decayed = 1e-3 * np.linspace(1.0, 0.0, 41)[:-1]
    assert names_of(make_log({"g_update_ratio": decayed})) == []


def test_steps_that_lead_astray_late_are_not_a_reversed_loss(make_log, names_of):
    late = np.where(np.arange(40) < 25, 30.0, -30.0)
    told = {"logit_separation": 0.95}
    assert names_of(make_log({"g_step_gain": late} | told)) == []


def test_steps_lead_nowhere_where_sides_are_not_told_apart(make_log, names_of):
    changes = {"g_step_gain": -4.0, "logit_separation": 0.55}
    assert names_of(make_log(changes)) == []


@pytest.mark.parametrize("name", ["d_loss", "g_loss"])
def test_one_network_may_win(make_log, names_of, name):
    won = {name: np.geomspace(1, 1e-2, 40)}
    assert "inverted_objective" not in names_of(make_log(won))


def test_what_a_dead_layer_stops_is_not_frozen_by_itself(make_log, names_of):
    dead = {"d_dead_share": 1.0, "g_gradient_norm": 0.0}
    assert names_of(make_log(dead))[0] == "dying_relu"
    assert names_of(make_log({"g_learning_rate": 0.0} | dead))[0] == "frozen_network"


def test_latents_move_images_by_the_range_that_these_have(make_log, names_of):
    narrow = {"real_high": 255.0, "fake_high": 1.0, "latent_effect": 1e-3}
    assert names_of(make_log(narrow)) == ["data_range_mismatch"]


def test_latents_are_ignored_though_the_first_images_are_of_one_grey(make_log, find):
    grey = {"fake_low": np.where(np.arange(40) < 2, 0.0, -1.0)}
    widths = {"fake_high": np.where(np.arange(40) < 2, 1e-6, 1.0)}
    faint = {"latent_effect": 5e-5}
    find(make_log(grey | widths | faint), "ignored_latents")
