"""Trials of remedies as texts."""

import pytest

from ganlab.diagnosis import trials


@pytest.fixture
def trial():
    """A remedy that cured, with one finding left in one branch."""
    return {
        "name": "mode_collapse",
        "changes": {"beta_1": 0.0},
        "verdict": "cures",
        "ratio": {"value": 0.25, "low": 0.125, "high": 0.5},
        "score_name": "fid",
        "score": 12.34,
        "steps": 2000,
        "branches": [{"findings": ["checkerboard"]}, {"findings": []}],
        "kept": True,
    }


def test_cells_stand_under_their_columns(trial):
    cells = trials.cells(trial, "FID[pixels]")
    assert dict(zip(trials.COLUMNS, cells, strict=True)) == {
        "remedy of": "mode_collapse",
        "settings": "beta_1=0.0",
        "steps": "2,000",
        "score": "FID[pixels] 12.3",
        "ratio to no change [95 %]": "0.250 [0.125, 0.500]",
        "verdict": "cures",
        "findings left": "checkerboard (1 of 2)",
    }


def test_a_trial_is_a_sentence(trial):
    assert trials.sentence(trial, "FID") == (
        "mode_collapse: cures; FID 12.3; 0.250 [0.125, 0.500] of no change; "
        "2,000 steps, 2 seeds; kept"
    )


def test_without_scores_it_says_so(trial):
    trial |= {"ratio": None, "score": None, "kept": False}
    assert trials.sentence(trial, "FID") == (
        "mode_collapse: cures, by findings alone; no score; 2,000 steps, 2 seeds"
    )


def test_no_change_has_no_verdict(trial):
    trial |= {"name": "no change", "verdict": None, "ratio": None, "score_name": "js"}
    trial["changes"], trial["branches"] = {}, [{"findings": []}]
    cells = trials.cells(trial, "FID")
    assert cells == ["no change", "", "2,000", "JS 12.3", "", "", "none"]
