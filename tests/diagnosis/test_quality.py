"""Late collapse and fakes that are alike, by hand."""

import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.diagnosis import Series


@pytest.mark.parametrize(
    ("distances", "since"),
    [
        ([10, 8, 6, 5, 5, 9, 9, 9], 1485),
        ([10, 8, 6, 5, 5, 9, 9, 6], None),  # it came back
        ([10, 8, 6, 5, 5, 5, 9, 9], None),  # two in a row
        ([10, 8, 6, 5, 5, 7.4, 7.4, 7.4], None),  # under 1.5 times
        ([10, 9, 8, 7, 6, 5, 4, 3], None),
    ],
)
def test_late_collapse_by_hand(make_log, distances, since):
    findings = diagnosis.diagnose(make_log(distances=distances))
    collapses = [finding for finding in findings if finding.name == "late_collapse"]
    expected = [] if since is None else [("critical", since)]
    assert [(one.severity, one.since_step) for one in collapses] == expected


def test_a_distance_within_chance_of_0_has_not_collapsed(make_log, names_of):
    log = make_log(distances=[0.01, 0.002, 0.005, 0.006, 0.005])
    assert "late_collapse" in names_of(log)
    steps = log.series["fid"].steps
    log.series["fid_error"] = Series(steps, np.full(5, 1e-3))
    assert "late_collapse" not in names_of(log)


def test_fakes_that_move_apart_are_not_collapsed(make_log, names_of):
    assert names_of(make_log({"pairwise_ratio": np.linspace(0.02, 0.48, 40)})) == []


@pytest.mark.parametrize(
    ("pairwise", "collapsed"), [(1.0, False), (0.1, True), (None, True)]
)
def test_modes_that_diverse_samples_miss_are_not_collapsed(
    make_log, names_of, pairwise, collapsed
):
    far = {"modes_hit": 2.0, "high_quality_share": 0.03, "pairwise_ratio": pairwise}
    names = names_of(make_log(far, {"data": "ring"}))
    assert ("mode_collapse" in names) == collapsed
