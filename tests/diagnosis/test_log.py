"""Series are cut by step, and only changes that are new are made."""

import numpy as np

from ganlab import diagnosis


def test_series_are_cut_by_step():
    series = diagnosis.Series(np.arange(4), np.array([1.0, np.inf, np.nan, 4.0]))
    assert series.finite().steps.tolist() == [0, 3]
    assert series.since(2).steps.tolist() == [2, 3]
    assert series.until(1).steps.tolist() == [0, 1]


def test_only_new_settings_are_changes(make_log):
    log = make_log(recipe={"regularizer": "r1"})
    changes = {"regularizer": "r1", "loss": "hinge"}
    assert log.new_settings(changes) == {"loss": "hinge"}
    assert log.new_settings(None) == {}
    ring = make_log(recipe={"data": "ring"})
    assert ring.new_settings({"augmentation": "diffaugment"}) == {}
    resnet = make_log(recipe={"network": "resnet"})
    changes = {"discriminator_normalization": "none", "loss": "hinge"}
    assert resnet.new_settings(changes) == {"loss": "hinge"}


def test_the_ending_is_the_last_line(make_log):
    finished = {"step": 2000, "event": "finished"}
    assert make_log(events=[{"step": 0, "event": "began"}, finished]).ending == (
        "finished"
    )
    assert make_log().ending is None
    resumed = [{"step": 1000, "event": "interrupted"}]
    assert make_log(events=resumed).ending is None
    assert make_log(events=[finished, {"step": 2000, "event": "began"}]).ending is None
