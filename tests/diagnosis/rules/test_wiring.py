"""Rules of how a run is put together."""

import numpy as np
import pytest

LATE = np.where(np.arange(40) < 3, 0.001, 0.3)
CASES = [
    ("frozen_network", {"g_update_ratio": 0.0}),
    ("frozen_network", {"d_update_ratio": 1e-6}),
    ("ignored_latents", {"latent_effect": 0.0}),
    ("inverted_objective", {"d_logit_direction": -1.0}),
    ("inverted_objective", {"logit_separation": 0.01}),
    ("inverted_objective", {"d_accuracy_real": 0.1, "d_accuracy_fake": 0.2}),
    ("double_sigmoid", {"logit_lowest": 0.3, "logit_highest": 0.7}),
]
HEALTHY = {
    "g_update_ratio": 1e-3,
    "latent_effect": LATE,
    "g_logit_direction": 1.0,
    "logit_separation": 0.8,
    "logit_lowest": -0.3,
    "logit_highest": 0.7,
}


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_each_failure_is_named(make_log, find, name, changes):
    find(make_log(changes), name)


def test_what_moves_is_no_failure(make_log, names_of):
    assert names_of(make_log(HEALTHY)) == []
