"""What a run writes is kept, for programs and for TensorBoard."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlab.callbacks import RunLog


def test_settings_layout_and_pictures(tmp_path, read_events):
    log = RunLog(tmp_path, settings={"batch_size": 64, "data": "fashion_mnist"})
    path = tmp_path / "picture.png"
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(8, 9)).save(path)
    log.picture(0, "samples", path)
    log.close()
    events = read_events(tmp_path)
    tags = events.Tags()["tensors"]
    assert {"config", "samples", "custom_scalars__config__"} <= set(tags)
    written = tf.make_ndarray(events.Tensors("samples")[0].tensor_proto)
    assert written.tolist() == [b"9", b"8", path.read_bytes()]
    text = tf.make_ndarray(events.Tensors("config")[0].tensor_proto).item().decode()
    assert "| batch_size | `64` |" in text
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_lines_that_a_resumed_run_writes_again_are_dropped(tmp_path, read_rows):
    log = RunLog(tmp_path)
    for step in (1, 2, 3):
        log.scalars(step, {"d_loss": 1.0})
    log.close()
    log = RunLog(tmp_path, start_step=2)
    log.scalars(3, {"d_loss": 2.0})
    log.close()
    assert [(row["step"], row["d_loss"]) for row in read_rows(tmp_path)] == [
        (1, 1.0),
        (2, 1.0),
        (3, 2.0),
    ]


def test_seconds_go_on_in_a_resumed_run(tmp_path, read_rows):
    for start_step, readings in ((0, (100.0, 107.5)), (1, (200.0, 201.0))):
        clock = iter(readings)
        log = RunLog(tmp_path, start_step, clock=lambda: next(clock))  # noqa: B023
        log.scalars(start_step + 1, {"d_loss": 1.0})
        log.close()
    assert [row["seconds"] for row in read_rows(tmp_path)] == [7.5, 8.5]


def test_values_that_are_not_finite_are_null(run_log, tmp_path, read_rows):
    run_log.scalars(1, {"d_loss": float("nan")}, protocol="abc")
    (row,) = read_rows(tmp_path)
    assert row["d_loss"] is None
    assert row["protocol"] == "abc"


def test_events_and_histograms(run_log, tmp_path, read_rows, read_events):
    run_log.event(4, "stopped", finding="mode_collapse")
    run_log.histograms(4, {"real": np.ones(8), "fake": np.full(8, np.nan)})
    run_log.close()
    (row,) = read_rows(tmp_path)
    assert (row["event"], row["finding"]) == ("stopped", "mode_collapse")
    tags = read_events(tmp_path).Tags()["tensors"]
    assert {"event/stopped", "logits/real"} <= set(tags)
    assert "logits/fake" not in tags


def test_an_unknown_key_is_refused(run_log):
    with pytest.raises(KeyError, match="sparkle"):
        run_log.scalars(1, {"sparkle": 1.0})
