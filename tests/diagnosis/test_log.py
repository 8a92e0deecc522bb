"""Logs are read whatever state they are in, and what is no log is refused."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import diagnosis
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import html, report


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_wild_files_never_crash(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("wild")
    (folder / "config.json").write_bytes(content)
    (folder / "metrics.jsonl").write_bytes(content)
    examined = report.examine(folder)
    assert examined.verdict
    html.draw(examined)
    path = folder / "log.csv"
    path.write_bytes(b"step,d_loss,g_loss\n" + content)
    report.as_markdown(report.examine(path))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["step", "event", "d_loss", "fid", "seconds"]),
            st.one_of(
                st.none(),
                st.integers(),
                st.floats(),
                st.text(max_size=3),
                st.booleans(),
            ),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_wild_rows_never_crash(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rows")
    about = {"recipe": Recipe().as_dict(), "monitoring": Monitoring().as_dict()}
    (folder / "config.json").write_text(json.dumps(about))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(text)
    examined = report.examine(folder)
    json.dumps(examined.as_dict())
    assert report.as_markdown(examined)


def test_rows_in_any_order_make_series(tmp_path):
    rows = [
        {"step": 20, "d_loss": 2.0, "protocol": "a", "note": "words"},
        {"step": 10, "d_loss": None, "seconds": 1.0},
        {"step": 10, "event": "began", "loss": "hinge"},
        {"step": True, "d_loss": 1.0},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metrics.jsonl").write_text(text + "{broken off")
    log = diagnosis.read(tmp_path)
    assert list(log.series) == ["d_loss"]
    np.testing.assert_array_equal(log.series["d_loss"].steps, [10, 20])
    np.testing.assert_array_equal(log.series["d_loss"].values, [np.nan, 2.0])
    assert log.settings == {"loss": "hinge"}
    assert len(log.events_of("began")) == 1
    assert log.problems == [
        "2 lines of metrics.jsonl cannot be read, and are left out",
        "g_loss holds no number that is finite",
    ]
    assert (log.last("d_loss"), log.get("d_loss", 2), log.last_step) == (2.0, None, 20)


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
