"""All rules together: order, severity, and none on a healthy run."""

import itertools

from ganlab import diagnosis
from ganlab.diagnosis import FAILURES
from ganlab.diagnosis.rules import RULES

SURE = {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.99, "d_fake": 0.001}
ALIKE = {"pairwise_ratio": 0.05}


def test_a_healthy_log_has_no_finding(make_log, names_of):
    assert names_of(make_log()) == []


def test_severities_are_ordered(make_log):
    findings = diagnosis.diagnose(make_log(SURE | ALIKE | {"data_wait_share": 0.2}))
    order = [diagnosis.SEVERITIES.index(finding.severity) for finding in findings]
    assert all(a >= b for a, b in itertools.pairwise(order))
    assert len(order) == 3


def test_every_failure_has_one_rule():
    names = [rule.name for rule in RULES]
    assert sorted(names) == sorted(FAILURES)


def test_every_rule_states_its_bounds_and_severities():
    for rule in RULES:
        assert rule.alternatives
        assert set(rule.severities) <= set(diagnosis.SEVERITIES)
        assert all(str(bound) for bounds in rule.alternatives for bound in bounds)
