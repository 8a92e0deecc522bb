"""Failures are described in full."""

import pytest

from ganlab import diagnosis


@pytest.mark.parametrize("name", diagnosis.FAILURES)
def test_a_failure_has_its_theory_remedy_and_paper(name):
    failure = diagnosis.FAILURES[name]
    assert failure.title
    assert failure.why.count(". ") <= 1  # two sentences at most
    assert failure.why.endswith(".")
    assert failure.remedy.endswith(".")
    assert failure.source.startswith("https://")


def test_a_finding_is_json_values():
    evidence = {"signal": "recall", "value": 0.05, "threshold": 0.1, "says": "5%"}
    finding = diagnosis.Finding("mode_dropping", "warning", 50, [evidence], 0.7425)
    about = finding.as_dict()
    assert about["title"] == "modes are missing"
    assert about["confidence"] == 0.74
    assert about["remedy"]["changes"] == {}
    assert about["evidence"] == [evidence]
