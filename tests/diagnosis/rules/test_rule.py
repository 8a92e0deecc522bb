"""A rule's severity, confidence and changes."""

from ganlab import diagnosis
from ganlab.diagnosis.evidence import Bound, Held, Observation
from ganlab.diagnosis.rules.rule import rule

SURE = {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.99, "d_fake": 0.001}
ALIKE = {"pairwise_ratio": 0.05}


def test_cheap_signals_warn_and_scores_make_it_critical(make_log):
    (warned,) = diagnosis.diagnose(make_log(SURE))
    assert warned.severity == "warning"
    findings = diagnosis.diagnose(make_log(SURE | ALIKE))
    first = findings[0]
    assert (first.name, first.severity) == ("discriminator_domination", "critical")
    assert first.confidence > warned.confidence
    assert [finding.name for finding in findings] == [
        "discriminator_domination",
        "mode_collapse",
    ]


def test_a_remedy_that_is_there_already_is_not_given(make_log):
    log = make_log(SURE, {"regularizer": "r1", "discriminator_learning_rate": 4e-4})
    (finding,) = diagnosis.diagnose(log)
    assert finding.changes == {"discriminator_learning_rate": 1e-4}


def test_a_rule_has_the_name_of_its_function(make_log):
    @rule(Bound("recall", 0.1), (Bound("fid", 1.0), Bound("kid", 1.0)))
    def mode_dropping(log):
        return Observation(Held(100, 0.8))

    assert mode_dropping.name == "mode_dropping"
    assert [len(bounds) for bounds in mode_dropping.alternatives] == [1, 2]
    finding = mode_dropping(make_log())
    assert (finding.severity, finding.since_step) == ("warning", 100)
    assert finding.confidence == 0.99 * 0.8 * 0.75
