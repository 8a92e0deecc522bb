"""A log that was not understood is not judged, and says what would help."""

from pathlib import Path

import numpy as np
import pytest

from ganlab.diagnosis import Series
from ganlab.diagnosis.logs.foreign import as_log
from ganlab.diagnosis.logs.table import Reading

STEPS = np.arange(0, 1000, 50)


def make_log(chosen=(), rows=20, unread=0, unread_cells=None, **values):
    series = {
        name: Series(STEPS[: len(value)], np.array(value, float))
        for name, value in (
            (name, np.broadcast_to(value, STEPS.shape) if np.isscalar(value) else value)
            for name, value in values.items()
        )
    }
    reading = Reading(series, None, rows, unread, [], unread_cells or {})
    return as_log(Path("log.csv"), reading, dict(chosen))


def test_losses_or_a_score_suffice():
    log = make_log(errD=0.9, errG=1.2, n=3.0)
    assert (log.foreign, log.not_judged) == (True, "")
    assert set(log.series) == {"d_loss", "g_loss", "n"}
    assert "d_loss is read from errD" in log.problems
    assert make_log(FID=30.0).not_judged == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"critic": 1.0, "gen": 2.0}, "no losses found among the columns critic, gen"),
        ({"d_loss": 1.0}, "no g_loss found among the columns d_loss; name them with"),
        ({"d_loss": 1.0, "g_loss": [1.0] * 10}, "g_loss ends at step 450 of 950"),
        ({"d_loss": [1.0], "g_loss": [1.0]}, "only 1 rows hold a loss"),
        ({"d_loss": 1.0, "g_loss": 1.0, "unread": 11}, "11 of 20 rows were not"),
        ({"rows": 0}, "the log is empty"),
        (
            {"d_loss": 1.0, "g_loss": 1.0, "unread_cells": {"d_loss": 30}},
            "30 cells of d_loss were not understood",
        ),
    ],
)
def test_what_was_not_understood_is_not_judged(content, reason):
    assert reason in make_log(**content).not_judged


def test_columns_are_chosen_by_hand():
    chosen = {"d_loss": "critic", "g_loss": "gen", "step": "iter"}
    log = make_log(chosen, critic=1.0, gen=2.0, d_loss=7.0)
    assert log.not_judged == ""
    assert log.last("d_loss") == 1.0


def test_parts_are_summed_and_logits_are_no_beliefs():
    log = make_log(errD_real=0.5, errD_fake=0.25, errG=1.0, d_real=4.0, d_fake=0.5)
    assert log.last("d_loss") == 0.75
    assert "d_real" not in log.series
    assert log.last("d_fake") == 0.5
