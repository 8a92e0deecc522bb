"""The report as the page takes it: progress, endings, findings, thin curves."""

import json

import numpy as np
import pytest

from ganlab.diagnosis import Log, Series
from ganlab.diagnosis.examine import examine, examine_log
from ganlab.watch.document import CURVE_POINTS, describe, ending, pace, progress


def seconds_of(pairs):
    steps, seconds = zip(*pairs, strict=True)
    return Series(np.array(steps), np.array(seconds, float))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0, 0), (100, 10), (200, 20)], 10.0),
        ([(0, 0), (1000, 100), (1500, 1100)], 0.5),  # the last minute alone
        ([(0, 0), (100, 10), (110, 0), (150, 10), (250, 20)], 7.0),  # a rollback
        ([(0, 0)], None),
        ([(0, 5), (10, 5)], None),
        ([(0, 0), (10, float("nan"))], None),
        ([(0, 9), (10, 3)], None),
    ],
)
def test_the_pace_is_that_of_the_last_minute(pairs, expected):
    assert pace(seconds_of(pairs)) == (expected and pytest.approx(expected))


def test_progress_tells_the_time_left(run):
    run.begin()
    run.log(50, 500)
    assert progress(examine(run.path).log) == {
        "step": 500,
        "steps": 2000,
        "rate": pytest.approx(100.0),
        "seconds": 5.0,
        "seconds_left": pytest.approx(15.0),
    }


def test_progress_of_a_log_that_says_little(tmp_path):
    log = Log(tmp_path, {"d_loss": seconds_of([(1, 0.5), (7, 0.5)])})
    assert progress(log) == {
        "step": 7,
        "steps": None,
        "rate": None,
        "seconds": None,
        "seconds_left": None,
    }


def test_a_run_ends_by_its_log_or_by_its_last_step(run):
    run.begin()
    run.log(50, 1950)
    assert ending(examine(run.path).log) is None
    run.append({"step": 1950, "seconds": 20, "event": "interrupted"})
    assert ending(examine(run.path).log) == "interrupted"
    run.log(2000, 2000)
    assert ending(examine(run.path).log) == "finished"


def test_findings_come_with_evidence_remedy_and_curves(run):
    run.begin(flip=True)
    run.log(50, 1500, healthy=False)
    report = examine(run.path)
    document = describe(report, [0, 500])
    json.dumps(document, allow_nan=False)
    assert document["verdict"] == report.verdict
    assert (document["tone"], document["state"]) == ("critical", None)
    assert document["pictures"] == [0, 500]
    assert document["early"] == ""
    names = [finding["name"] for finding in document["findings"]]
    assert names == [finding.name for finding in report.findings]
    first = document["findings"][0]
    assert first["name"] == "discriminator_domination"
    assert "mean D(G(z)) is 0.001" in first["evidence"]
    assert first["changes"].startswith("regularizer=r1")
    curves = {curve["name"]: curve for curve in first["panel"]["curves"]}
    assert curves["d_fake"]["threshold"] is not None
    assert first["panel"]["since"] == 50
    assert document["command"] == report.command
    assert [group["title"] for group in document["groups"]][:2] == ["Losses", "Balance"]


def test_the_first_steps_are_judged_with_a_caution(run):
    run.begin()
    run.log(50, 500, healthy=False)
    assert "first 1,000 steps" in describe(examine(run.path))["early"]


def test_a_run_that_goes_on_is_not_called_too_short(make_falling):
    going_on, ended = (describe(make_falling(steps)) for steps in (4000, 2000))
    assert [finding["name"] for finding in ended["findings"]] == ["undertrained"]
    assert going_on["findings"] == []
    assert going_on["tone"] == "healthy"


@pytest.fixture
def make_falling(run):
    """A function that reports a run whose FID still falls at step 2,000."""

    def make(steps):
        run.begin()
        run.log(50, 2000)
        for index, step in enumerate(range(200, 2001, 200)):
            row = {"step": step, "seconds": step / 100, "fid": 90 / (index + 1)}
            run.append(row)
        log = examine(run.path).log
        log.settings["steps"] = steps
        return examine_log(log)

    return make


def test_a_log_without_numbers_is_not_judged(run):
    run.begin()
    document = describe(examine(run.path))
    assert document["tone"] == "unjudged"
    assert document["groups"] == []


def test_long_curves_are_thinned(tmp_path):
    steps = np.arange(50_000)
    series = {name: Series(steps, np.sin(steps)) for name in ("d_loss", "g_loss")}
    document = describe(examine_log(Log(tmp_path, series)))
    (curve, _) = document["groups"][0]["panels"][0]["curves"]
    assert CURVE_POINTS / 2 < len(curve["steps"]) <= CURVE_POINTS + 2
    assert len(json.dumps(document)) < 40_000
