"""What a run writes is kept, for programs and for TensorBoard."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from PIL import Image
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, metadata

from ganlab import diagnosis
from ganlab.callbacks import RunLog
from ganlab.callbacks.run_log import hyperparameters
from ganlab.callbacks.scalars import SCALARS
from ganlab.config.presets import get_preset
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis.panels import GROUPS


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


@pytest.mark.parametrize("data", ["fashion_mnist", "ring"])
def test_custom_scalars_are_grouped_like_the_report(tmp_path, read_events, data):
    RunLog(tmp_path, settings={"data": data}).close()
    events = read_events(tmp_path)
    tensor = events.Tensors("custom_scalars__config__")[0].tensor_proto
    layout = layout_pb2.Layout.FromString(tf.make_ndarray(tensor).item())
    assert [category.title for category in layout.category] == list(GROUPS)
    tags = {
        tag
        for category in layout.category
        for chart in category.chart
        for tag in chart.multiline.tag
    }
    assert {"loss/discriminator", "belief/D_x", "quality/fid"} <= tags
    assert tags <= {scalar.tag for scalar in SCALARS.values()}
    assert ("quality/modes_hit" in tags) == (data == "ring")
    assert ("diversity/pairwise_ratio" in tags) == (data != "ring")


def hparams_of(events):
    """What TensorBoard's HParams tab reads: name, values and status of a run."""
    content = {
        tag.rpartition("/")[2]: value.plugin_data.content
        for tag, value in events.summary_metadata.items()
        if tag.startswith("_hparams_/")
    }
    start = metadata.parse_session_start_info_plugin_data(content["session_start_info"])
    end = content.get("session_end_info")
    status = end and metadata.parse_session_end_info_plugin_data(end).status
    return start.group_name, json_format.MessageToDict(start)["hparams"], status


@pytest.mark.parametrize(
    ("succeeded", "status"),
    [
        (True, api_pb2.STATUS_SUCCESS),
        (False, api_pb2.STATUS_FAILURE),
        (None, None),
    ],
)
def test_hyperparameters(tmp_path, read_events, succeeded, status):
    recipe = get_preset("sngan").replace(generator_learning_rate=2e-4)
    settings = recipe.as_dict() | Monitoring(log_every=7).as_dict()
    RunLog(tmp_path / "first", settings=settings).close(succeeded)
    name, values, written = hparams_of(read_events(tmp_path / "first"))
    assert (name, written) == ("first", status)
    assert values["batch_size"] == recipe.batch_size
    assert values["generator_learning_rate"] == pytest.approx(2e-4)
    assert values["spectral_norm"] is True
    assert values["loss"] == "hinge"
    assert not {"log_every", "cache"} & set(values)
    assert len(values) < len(settings) / 2


def test_runs_have_the_same_columns_but_for_what_was_changed():
    plain, changed = (
        hyperparameters(recipe.as_dict()) for recipe in (Recipe(), Recipe(packing=2))
    )
    assert changed == plain | {"packing": 2}


def test_values_of_any_other_kind_are_text():
    given = {"mine": (1, 2), "share": 0.5, "on": False, "nothing": None}
    assert hyperparameters(given) == {"mine": "(1, 2)", "share": 0.5, "on": False}


def test_lines_that_a_resumed_run_writes_again_are_dropped(tmp_path, read_rows):
    log = RunLog(tmp_path)
    for step in (1, 2, 3):
        log.scalars(step, {"d_loss": 1.0})
    log.close()
    log = RunLog(tmp_path, start_step=2)
    log.scalars(3, {"d_loss": 2.0})
    log.close()
    rows = [row for row in read_rows(tmp_path) if "d_loss" in row]
    assert [(row["step"], row["d_loss"]) for row in rows] == [
        (1, 1.0),
        (2, 1.0),
        (3, 2.0),
    ]


@pytest.mark.parametrize(
    ("succeeded", "ending"),
    [(True, "finished"), (False, "failed"), (None, "interrupted")],
)
def test_the_last_line_says_how_the_run_ended(tmp_path, read_rows, succeeded, ending):
    log = RunLog(tmp_path)
    log.scalars(5, {"d_loss": 1.0})
    for _ in range(2):
        log.close(succeeded)
    assert [row.get("event") for row in read_rows(tmp_path)] == [None, ending]
    assert diagnosis.read(tmp_path).ending == ending
    log = RunLog(tmp_path, start_step=5)
    log.scalars(6, {"d_loss": 1.0})
    assert diagnosis.read(tmp_path).ending is None
    log.close()


def test_a_log_of_nothing_has_no_ending(tmp_path):
    RunLog(tmp_path).close()
    assert not (tmp_path / "metrics.jsonl").exists()


def test_seconds_go_on_in_a_resumed_run(tmp_path, read_rows):
    for start_step, readings in ((0, (100.0, 107.5, 108)), (1, (200.0, 201.0, 203.5))):
        clock = iter(readings)
        log = RunLog(tmp_path, start_step, clock=lambda: next(clock))  # noqa: B023
        log.scalars(start_step + 1, {"d_loss": 1.0})
        log.close()
    assert [row["seconds"] for row in read_rows(tmp_path)] == [7.5, 8, 9, 11.5]


def test_values_that_are_not_finite_are_null(run_log, tmp_path, read_rows):
    run_log.scalars(1, {"d_loss": float("nan")}, protocol="abc")
    (row,) = read_rows(tmp_path)
    assert row["d_loss"] is None
    assert row["protocol"] == "abc"


def test_events_and_histograms(run_log, tmp_path, read_rows, read_events):
    run_log.event(4, "stopped", finding="mode_collapse")
    run_log.histograms(4, {"real": np.ones(8), "fake": np.full(8, np.nan)})
    run_log.close()
    row, _ = read_rows(tmp_path)
    assert (row["event"], row["finding"]) == ("stopped", "mode_collapse")
    tags = read_events(tmp_path).Tags()["tensors"]
    assert {"event/stopped", "logits/real"} <= set(tags)
    assert "logits/fake" not in tags


def test_an_unknown_key_is_refused(run_log):
    with pytest.raises(KeyError, match="sparkle"):
        run_log.scalars(1, {"sparkle": 1.0})
