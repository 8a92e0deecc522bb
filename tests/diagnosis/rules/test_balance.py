"""Rules of the balance: domination, overfitting, oscillation."""

import numpy as np
import pytest

from ganlab import diagnosis

SURE = {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.99, "d_fake": 0.001}
ALIKE = {"pairwise_ratio": 0.05}
CASES = [
    ("discriminator_domination", SURE, {}),
    ("generator_domination", {"d_real": 0.5, "d_fake": 0.5, **ALIKE}, {}),
    ("discriminator_overfitting", {"overfit_gap": 0.95}, {}),
    ("drowned_discriminator", {"d_noise_share": 0.99}, {}),
    ("drowned_discriminator", {"d_dropout_rate": 0.95, "d_noise_share": 0.5}, {}),
    ("oscillation", {"d_fake": np.tile([0.1, 0.9], 20)}, {}),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


def test_rules_know_the_loss(make_log, names_of):
    assert names_of(make_log(SURE, {"loss": "wasserstein"})) == []


def test_a_critic_whose_loss_passes_0_does_not_dominate(make_csv):
    draws = np.random.default_rng(0).normal(0, 0.5, 400)
    lines = [f"{i},{value},1.0" for i, value in enumerate(draws)]
    path = make_csv("step,d_loss,g_loss\n" + "\n".join(lines))
    assert diagnosis.diagnose(diagnosis.read(path)) == []


def test_a_fid_that_turns_oscillates(make_log, find):
    finding = find(make_log(distances=[10, 3] * 6), "oscillation")
    assert finding.evidence[0]["says"] == "FID turned by over 30% 6 times"
    assert finding.severity == "warning"


def test_a_strong_discriminator_is_weakened_by_what_is_not_done_yet(make_log, find):
    recipe = {"loss": "minimax", "discriminator_steps": 3}
    recipe |= {"generator_learning_rate": 1e-4, "discriminator_learning_rate": 4e-4}
    finding = find(make_log(SURE, recipe), "discriminator_domination")
    assert finding.changes == {
        "regularizer": "r1",
        "discriminator_normalization": "none",
        "discriminator_learning_rate": 1e-4,
        "discriminator_steps": 1,
        "loss": "non_saturating",
    }


def test_a_critic_is_held_by_a_slope_of_one(make_log, find, names_of):
    steep = {"logit_slope": 40.0}
    find(make_log(steep, {"loss": "wasserstein"}), "unconstrained_critic")
    assert names_of(make_log(steep, {"loss": "hinge"})) == []
    assert names_of(make_log({"logit_slope": 1.2}, {"loss": "wasserstein"})) == []


def test_a_discriminator_that_tells_nothing(make_log, find, names_of):
    undecided = {"logit_separation": 0.52}
    assert find(make_log(undecided | ALIKE), "generator_domination").severity == (
        "critical"
    )
    assert names_of(make_log(undecided)) == []
    critic = names_of(make_log(undecided | ALIKE, {"loss": "wasserstein"}))
    assert "generator_domination" not in critic
    fooled = find(make_log({"logit_separation": 0.1}), "generator_domination")
    assert fooled.severity == "warning"


def test_a_discriminator_that_never_led_has_taught_nothing(make_log, find, names_of):
    even = {"d_real": 0.5, "d_fake": 0.5}
    assert find(make_log(even), "generator_domination").severity == "warning"
    later = np.where(np.arange(40) < 2, 0.7, 0.5)
    assert names_of(make_log({"d_real": later, "d_fake": 1.0 - later})) == []


@pytest.mark.parametrize("loss", ["wasserstein", "least_squares"])
def test_a_discriminator_that_says_the_same_of_all_tells_nothing(
    make_log, find, names_of, loss
):
    recipe = {"loss": loss}
    find(make_log({"logit_spread": 1e-3}, recipe), "generator_domination")
    assert names_of(make_log({"logit_spread": 0.02}, recipe)) == []
