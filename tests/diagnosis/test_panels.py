"""Groups of charts, the curves of a finding's evidence, and thinning."""

import numpy as np

from ganlab.callbacks.scalars import SCALARS
from ganlab.data.kinds import IMAGES, TOY_MIXTURES
from ganlab.diagnosis import Finding, Series
from ganlab.diagnosis.panels import (
    GROUPS,
    MAX_POINTS,
    evidence_panel,
    groups_of,
    make_panel,
    overview,
    thinned,
)


def test_groups_hold_log_keys_each_once():
    keys = [
        key for charts in GROUPS.values() for keys in charts.values() for key in keys
    ]
    assert set(keys) <= set(SCALARS)
    assert len(set(keys)) == len(keys)
    titles = [title for charts in GROUPS.values() for title in charts]
    assert len(set(titles)) == len(titles)


def test_groups_of_a_kind_leave_out_what_means_nothing_for_it():
    images, mixtures = (dict(groups_of(kind)) for kind in (IMAGES, TOY_MIXTURES))
    assert list(images) == list(mixtures) == list(GROUPS)
    assert "Modes hit" in mixtures["Diversity"]
    assert "Modes hit" not in images["Diversity"]
    (distances,) = (v for k, v in mixtures["Diversity"].items() if "Distances" in k)
    assert distances == ("class_pairwise_ratio", "nearest_ratio")


def test_the_overview_shows_what_was_logged_twice(make_log):
    log = make_log({"d_real": None, "d_fake": None})
    log.series["modes_hit"] = Series(np.array([5]), np.array([8.0]))
    panels = overview(log, "FID[fashion_mnist]")
    assert [panel.title for panel in panels["Scores"]] == [
        "FID[fashion_mnist]",
        "Precision, recall, density, coverage",
    ]
    assert [curve.name for curve in panels["Losses"][0].curves] == ["d_loss", "g_loss"]
    assert [panel.title for panel in panels["Balance"]] == ["Discriminator accuracy"]
    titles = [panel.title for panel in panels["Diversity"]]
    assert "Modes hit" not in titles


def test_evidence_of_composed_signals_is_taken_apart(make_log):
    evidence = {
        "signal": "d_real - d_fake",
        "value": 0.0,
        "threshold": 0.02,
        "says": "",
    }
    finding = Finding("generator_domination", "critical", 100, [evidence], 0.9)
    panel = evidence_panel(make_log(), finding)
    assert [(curve.name, curve.threshold) for curve in panel.curves] == [
        ("d_real", 0.02),
        ("d_fake", 0.02),
    ]
    assert panel.since == 100
    finding = Finding("starved_input", "warning", 100, [], 0.9)
    assert evidence_panel(make_log(), finding) is None


def test_only_positive_values_far_apart_are_logarithmic(make_log):
    for values, expected in (
        ((1, 51), True),
        ((1, 49), False),
        ((-1, 51), False),
        ((1e-306, 1000), True),  # whose ratio is too large for a float
    ):
        log = make_log({"d_loss": np.linspace(*values, 40)})
        assert make_panel(log, [("d_loss", None)]).logarithmic is expected


def test_thinning_keeps_ends_and_extremes():
    steps = np.arange(100_000)
    values = np.sin(steps / 5000)
    values[[777, 54_321]] = 9.0, -9.0
    thin = thinned(Series(steps, values))
    assert MAX_POINTS / 2 < len(thin) <= MAX_POINTS + 2
    assert (np.diff(thin.steps) > 0).all()
    assert {0, 777, 54_321, 99_999} <= set(thin.steps.tolist())
    np.testing.assert_array_equal(thin.values, values[thin.steps])


def test_a_short_series_is_not_thinned():
    series = Series(np.arange(MAX_POINTS), np.zeros(MAX_POINTS))
    assert thinned(series) is series
    assert len(thinned(Series(np.arange(401), np.zeros(401)))) < 401
