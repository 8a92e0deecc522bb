"""Since when a series is past a threshold, by hand."""

import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.diagnosis import Series
from ganlab.diagnosis.evidence import Bound, rising, smooth, stalled_since, sustained

STEPS = np.arange(50, 2001, 50)


def test_sustained_by_hand():
    series = Series(np.arange(8), np.array([1, 0, 1, 1, 1, 1, 1, 0.0]))
    # The last quarter is the steps 6 and 7; three points at least are looked at.
    assert sustained(series, lambda values: values > 0.5) is None
    series = Series(np.arange(8), np.array([1, 0, 0, 0, 1, 1, 1, 1.0]))
    assert sustained(series, lambda values: values > 0.5) == (4, 1.0)
    assert (
        sustained(Series(np.arange(2), np.ones(2)), lambda values: values > 0) is None
    )
    assert sustained(None, lambda values: values > 0) is None


def test_since_is_where_it_began(make_log):
    began = np.where(STEPS < 1200, 0.98, 0.05)
    (finding,) = diagnosis.diagnose(make_log({"pairwise_ratio": began}))
    assert finding.since_step == 1200


def test_what_is_over_is_no_finding(make_log, names_of):
    gone = np.where(STEPS < 1000, 0.001, 0.3)
    early = {"d_accuracy_real": 1.0, "d_accuracy_fake": 1.0, "d_fake": gone}
    assert names_of(make_log(early)) == []


def test_bounds_say_their_condition():
    assert str(Bound("recall", 0.1, above=False)) == "`recall` < 0.1"
    dead = Bound("{network}_dead_share", 0.25)
    assert str(dead) == "`g_dead_share` or `d_dead_share` > 0.25"
    assert dead.of("d").signal == "d_dead_share"
    grown = Bound("fid", None, condition="> twice the best")
    assert str(grown) == "`fid` > twice the best"
    with pytest.raises(ValueError, match="needs a run's threshold"):
        grown.past(np.ones(3))
    assert grown.at(2.0).past(np.array([1.0, 3.0])).tolist() == [False, True]


def test_a_third_that_rises_and_a_run_that_stalls(make_log):
    steps = np.arange(9)
    assert rising(Series(steps, np.repeat([1.0, 1.0, 1.3], 3)))
    assert not rising(Series(steps, np.repeat([1.0, 1.0, 1.1], 3)))
    assert stalled_since(make_log())
    assert not stalled_since(make_log(distances=[10, 9, 8, 7, 6, 5, 4, 3]))


def test_a_running_median_takes_out_single_steps():
    values = np.ones(30)
    values[7] = 100.0
    series = Series(np.arange(30), values)
    assert smooth(series).values.max() == 1.0
    short = Series(np.arange(9), np.arange(9.0))
    assert smooth(short) is short
    assert smooth(None) is None
