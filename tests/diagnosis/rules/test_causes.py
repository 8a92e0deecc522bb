"""A cause stands before its symptoms, whatever their severity."""

import numpy as np

from ganlab.diagnosis import diagnose
from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.rules import RULES
from ganlab.diagnosis.rules.causes import EXPLAINS


def test_a_cause_is_as_severe_as_what_it_explains(make_log):
    log = make_log({"d_update_ratio": 1e-6, "pairwise_ratio": 0.05})
    first, second = diagnose(log)[:2]
    assert (first.name, second.name) == ("frozen_network", "mode_collapse")
    assert first.severity == second.severity == "critical"


def test_causes_stand_before_what_they_explain():
    order = {rule.name: index for index, rule in enumerate(RULES)}
    assert set(order) == set(FAILURES)
    for cause, symptoms in EXPLAINS.items():
        assert all(order[cause] < order[symptom] for symptom in symptoms), cause


def test_what_began_later_is_no_cause(make_log):
    dead = np.where(np.arange(40) < 20, 0.0, 0.5)
    log = make_log({"g_dead_share": dead, "pairwise_ratio": 0.05})
    assert [finding.name for finding in diagnose(log)][:2] == [
        "mode_collapse",
        "dying_relu",
    ]
    log = make_log({"g_dead_share": 0.5, "pairwise_ratio": 0.05})
    assert diagnose(log)[0].name == "dying_relu"
