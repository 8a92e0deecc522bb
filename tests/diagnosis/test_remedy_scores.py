"""Scores with and without a remedy: intervals by hand, verdicts, wild scores."""

import dataclasses
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlab.diagnosis import Finding, Series, remedy_scores, report
from ganlab.diagnosis.remedy_scores import CURES, HELPS, UNTOLD, WORSE, Outcome, compare

T_2 = 4.302653  # 0.975 quantile of Student's t with 2 degrees of freedom
COLLAPSE = frozenset({"mode_collapse"})


def outcomes(logs, findings=frozenset()):
    return [Outcome(math.exp(value), findings) for value in logs]


def judge(remedy, unchanged):
    return compare("mode_collapse", remedy, unchanged)


def test_interval_of_equal_variances_by_hand():
    # Means 0.5 and 2.5; both variances 0.5, over 2 seeds 0.25 each; f = 2.
    ratio = remedy_scores.score_ratio(outcomes([0, 1]), outcomes([2, 3]))
    margin = T_2 * math.sqrt(0.25 + 0.25)
    assert ratio.value == pytest.approx(math.exp(-2))
    assert ratio.low == pytest.approx(math.exp(-2 - margin), rel=1e-5)
    assert ratio.high == pytest.approx(math.exp(-2 + margin), rel=1e-5)


def test_interval_of_one_spread_by_hand():
    # Variance 1 over 3 seeds, and none: f = (1/3)^2 / ((1/3)^2 / 2) = 2.
    ratio = remedy_scores.score_ratio(outcomes([-1, 0, 1]), outcomes([3, 3]))
    margin = T_2 * math.sqrt(1 / 3)
    assert ratio.value == pytest.approx(math.exp(-3))
    assert ratio.low == pytest.approx(math.exp(-3 - margin), rel=1e-5)
    assert ratio.high == pytest.approx(math.exp(-3 + margin), rel=1e-5)


def test_interval_of_unequal_variances_by_hand():
    # Variances 2 and 0.5 over 2 seeds: 1 and 0.25; f = 1.25^2 / (1 + 0.0625).
    from scipy.stats import ttest_ind

    remedy, unchanged = [0, 2], [4, 5]
    ratio = remedy_scores.score_ratio(outcomes(remedy), outcomes(unchanged))
    interval = ttest_ind(remedy, unchanged, equal_var=False).confidence_interval(0.95)
    assert math.log(ratio.low) == pytest.approx(interval.low)
    assert math.log(ratio.high) == pytest.approx(interval.high)


def test_several_looks_share_the_level_by_hand():
    # 5 looks at 99 % each: t(0.995, f = 2) = 9.924843.
    arms = outcomes([0, 1]), outcomes([2, 3])
    ratio = remedy_scores.score_ratio(*arms, looks=5)
    margin = 9.924843 * math.sqrt(0.25 + 0.25)
    assert math.log(ratio.high) == pytest.approx(-2 + margin)
    assert math.log(ratio.low) == pytest.approx(-2 - margin)
    comparison = compare("mode_collapse", *arms, looks=5)
    assert comparison.ratio == ratio


def test_verdicts_by_score():
    collapsed = outcomes([0.0, 0.01], COLLAPSE)
    better, worse = [-2.0, -2.01], [2.0, 2.01]
    assert judge(outcomes(better), collapsed).verdict == CURES
    assert judge(outcomes(better, COLLAPSE), collapsed).verdict == HELPS
    assert judge(outcomes(worse), collapsed).verdict == WORSE
    assert judge(outcomes([-2.0, 1.0]), collapsed).verdict == UNTOLD
    one_is_left = [Outcome(0.1), Outcome(0.1, COLLAPSE)]
    assert judge(one_is_left, collapsed).verdict == HELPS


def test_what_time_cured_is_not_the_remedys_cure():
    assert judge(outcomes([-2.0, -2.01]), outcomes([0.0, 0.01])).verdict == HELPS


def test_without_scores_findings_are_judged_and_it_is_said():
    collapsed, clear = [Outcome(None, COLLAPSE, 1)] * 2, [Outcome(None)] * 2
    cured = judge(clear, collapsed)
    assert (cured.verdict, cured.ratio) == (CURES, None)
    assert str(cured) == "cures, by findings alone"
    assert judge(collapsed, collapsed).verdict == UNTOLD
    assert judge(clear, [*collapsed, Outcome(None)]).verdict == UNTOLD
    assert judge(collapsed, clear).verdict == WORSE
    assert judge([collapsed[0], clear[0]], clear).verdict == UNTOLD


def test_a_branch_that_diverged_has_no_score():
    collapsed = [Outcome(1.0, COLLAPSE, 1)] * 2
    diverged = Outcome(0.001, critical=1, diverged=True)
    assert judge([diverged, Outcome(0.001)], collapsed).ratio is None
    assert judge([diverged, diverged], collapsed).verdict == WORSE


def test_one_seed_has_no_interval():
    assert judge(outcomes([-5.0]), outcomes([0.0, 0.1], COLLAPSE)).ratio is None


def test_a_comparison_is_a_sentence():
    comparison = judge(outcomes([-2, -2.01]), outcomes([0, 0.01], COLLAPSE))
    assert str(comparison) == "cures, 0.134 [0.130, 0.138] of the unchanged score"


def test_both_arms_are_needed():
    with pytest.raises(ValueError, match="Received: 0 and 1"):
        judge([], outcomes([0.0]))


wild_scores = (
    st.none() | st.floats() | st.sampled_from([0.0, 5e-324, sys.float_info.max])
)
wild_outcomes = st.lists(
    st.builds(
        Outcome,
        wild_scores,
        st.sampled_from([frozenset(), COLLAPSE]),
        st.integers(0, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@given(wild_outcomes, wild_outcomes)
def test_wild_scores(remedy, unchanged):
    there, back = judge(remedy, unchanged), judge(unchanged, remedy)
    usable = all(
        one.score is not None and 0 < one.score < math.inf and not one.diverged
        for one in [*remedy, *unchanged]
    )
    enough = min(len(remedy), len(unchanged)) >= 2
    assert (there.ratio is not None) == (usable and enough)
    if there.ratio is not None:
        ratio = there.ratio
        assert 0 <= ratio.low <= ratio.value <= ratio.high <= sys.float_info.max
        assert (there.verdict in (CURES, HELPS)) == (back.verdict == WORSE)
    assert there.decided == (there.verdict != UNTOLD)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=5), st.floats(1e-3, 1e3))
def test_the_unit_of_a_score_does_not_matter(scores, unit):
    plain = [Outcome(score) for score in scores]
    scaled = [Outcome(unit * score) for score in scores]
    of_itself = remedy_scores.score_ratio(plain, plain)
    of_scaled = remedy_scores.score_ratio(scaled, scaled)
    assert of_itself.value == pytest.approx(1)
    assert of_scaled.low == pytest.approx(of_itself.low, rel=1e-6)
    assert of_scaled.high == pytest.approx(of_itself.high, rel=1e-6)


def log_of(make_log, name, steps, values):
    log = make_log()
    series = {key: kept for key, kept in log.series.items() if key != "fid"}
    series[name] = Series(np.array(steps), np.array(values, float))
    return dataclasses.replace(log, series=series)


def test_a_score_is_that_of_the_last_quarter(make_log):
    steps, values = [0, 1000, 1700, 1800, 2000], [9.0, 9.0, 9.0, 2.0, 8.0]
    log = log_of(make_log, "fid", steps, values)
    assert remedy_scores.settled_score(log, 1000) == pytest.approx(4.0)
    assert remedy_scores.settled_score(log) == pytest.approx((9 * 2 * 8) ** (1 / 3))


@pytest.mark.parametrize("last", [0.0, -1.0, math.nan])
def test_a_score_without_a_logarithm_is_none(make_log, last):
    log = log_of(make_log, "fid", [1000, 2000], [9.0, last])
    assert remedy_scores.settled_score(log) is None


def test_toy_mixtures_are_scored_by_js(make_log):
    log = log_of(make_log, "js", [2000], [0.25])
    assert remedy_scores.score_name(log) == "js"
    assert remedy_scores.settled_score(log) == pytest.approx(0.25)
    log = dataclasses.replace(log, series={})
    assert remedy_scores.score_name(log) is None
    assert remedy_scores.settled_score(log) is None


def test_an_outcome_is_what_a_report_says(make_log):
    severities = {"mode_collapse": "critical", "checkerboard": "warning"}
    severities["undertrained"] = "note"
    findings = [
        Finding(name, severity, 0, [], 0.9) for name, severity in severities.items()
    ]
    examined = report.Report(log_of(make_log, "fid", [10], [3.0]), findings, None)
    outcome = Outcome.of(examined)
    assert outcome.score == pytest.approx(3.0)
    assert outcome.findings == {"mode_collapse", "checkerboard"}
    assert (outcome.critical, outcome.score_name) == (1, "fid")
    assert Outcome.of(examined, diverged=True).score is None
