"""A run's log is read whatever state it is in."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import diagnosis
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import html, report
from ganlab.diagnosis.logs import run


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


def test_whose_folder_it_is_shows_in_settings_and_events(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text('{"step": 1, "d_loss": 0.5}\n')
    (tmp_path / "config.json").write_text('{"model_type": "dcgan"}')
    assert not run.is_run(tmp_path)
    (tmp_path / "config.json").write_text('{"recipe": {}, "monitoring": {}}')
    assert run.is_run(tmp_path)
    (tmp_path / "config.json").unlink()
    metrics.write_text('{"step": 1, "event": "began", "loss": "hinge"}\n')
    assert run.is_run(tmp_path)


def test_a_run_without_losses_is_not_judged(tmp_path):
    rows = ['{"step": 1, "event": "began", "loss": "hinge"}', '{"step": 1, "fid": 3}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows))
    assert report.examine(tmp_path).verdict.startswith("Not judged: no losses")


@pytest.mark.parametrize(("rows", "starts"), [(2, "Not judged"), (3, "Healthy")])
def test_a_run_of_few_losses_is_not_judged(tmp_path, rows, starts):
    lines = [
        f'{{"step": {step}, "d_loss": 1.0, "g_loss": 1.0}}' for step in range(rows)
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    (tmp_path / "config.json").write_text('{"recipe": {}, "monitoring": {}}')
    assert report.examine(tmp_path).verdict.startswith(starts)


def test_a_reader_takes_up_each_new_line_once(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    reader = run.RunReader(tmp_path)
    assert reader.read().problems[0].startswith("there is no metrics.jsonl")
    metrics.write_text('{"step": 1, "d_loss": 0.5, "g_loss": 1}\n{"step": 2, "d_lo')
    log = reader.read()
    assert log.series["d_loss"].values.tolist() == [0.5]
    assert log.problems == []
    with metrics.open("a") as file:
        file.write('ss": 0.25}\n{"step": 2, "event": "rollback"}\nnonsense\n')
    for _ in range(2):
        log = reader.read()
        assert log.series["d_loss"].values.tolist() == [0.5, 0.25]
        assert log.events == [{"step": 2, "event": "rollback"}]
        assert log.problems == [
            "1 lines of metrics.jsonl cannot be read, and are left out"
        ]
    metrics.write_text('{"step": 7, "d_loss": 0.125, "g_loss": 1}\n')
    log = reader.read()
    assert log.series["d_loss"].steps.tolist() == [7]
    assert (log.events, log.problems) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        f'{{"step": 1, "d_loss": 1{"0" * 400}}}',
        f'{{"step": 1, "d_loss": {"9" * 5000}}}',
        '{"step": 1, "d_loss": ' + "[" * 200_000,
        '{"step": 1, "name": "' + "x" * 2_000_000 + '"}',
    ],
    ids=["beyond any float", "digits", "deep", "long"],
)
def test_lines_beyond_any_limit_are_left_out(line, tmp_path):
    (tmp_path / "metrics.jsonl").write_text(line + '\n{"step": 2, "d_loss": 1e400}')
    log = run.read_run(tmp_path)
    assert log.series["d_loss"].steps.tolist() == [2]
    assert np.isnan(log.series["d_loss"].values).all()
    assert "1 lines of metrics.jsonl cannot be read" in log.problems[0]
