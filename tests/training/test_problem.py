"""Problems are sorted by severity, and become JSON."""

from ganlab.training.problem import Problem, worst_first


def test_problems_are_sorted_by_severity():
    note, critical = (Problem(name, name, "", "") for name in ("note", "critical"))
    assert worst_first([note, None, critical]) == [critical, note]
    assert critical.as_dict()["changes"] == {}
