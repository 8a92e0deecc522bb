"""JSON logs are read: lines, StyleGAN's statistics, and Keras's History."""

import json

import pytest

from ganlab.diagnosis.logs import json_lines


def test_statistics_are_their_mean(tmp_path):
    path = tmp_path / "stats.jsonl"
    row = {
        "Loss/D/loss": {"num": 4, "mean": 1.5, "std": 0.1},
        "Loss/G/loss": {"num": 0, "mean": float("nan"), "std": float("nan")},
        "Progress/kimg": {"num": 1, "mean": 4.0, "std": 0.0},
        "timestamp": 1.7e9,
    }
    path.write_text(json.dumps(row) + "\n{broken off")
    table = json_lines.read_lines(path)
    assert {name: c.values.tolist() for name, c in table.columns.items()} == {
        "Loss/D/loss": [1.5],
        "Progress/kimg": [4.0],
        "timestamp": [1.7e9],
    }
    assert (table.length, table.broken) == (2, 1)


def test_a_metric_has_the_step_of_its_snapshot(tmp_path):
    path = tmp_path / "metric-fid50k_full.jsonl"
    row = {
        "results": {"fid50k_full": 12.5},
        "metric": "fid50k_full",
        "snapshot_pkl": "network-snapshot-000200.pkl",
    }
    path.write_text(json.dumps(row) + "\n")
    columns = json_lines.read_lines(path).columns
    assert columns["results/fid50k_full"].values.tolist() == [12.5]
    assert columns["snapshot_kimg"].values.tolist() == [200]


def test_words_are_counted_and_nothing_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": "tensor(2.)", "b": "high", "c": null, "d": true}\n[1]\n')
    table = json_lines.read_lines(path)
    assert table.columns["a"].values.tolist() == [2.0]
    assert table.columns["b"].unread == 1
    assert set(table.columns) == {"a", "b"}


def test_a_history_is_a_dict_of_lists(tmp_path):
    path = tmp_path / "history.json"
    path.write_text('{"d_loss": [1, 2, 3], "g_loss": [4, 5], "note": "x"}')
    table = json_lines.read_document(path)
    assert table.columns["d_loss"].values.tolist() == [1, 2, 3]
    assert table.columns["g_loss"].rows.tolist() == [0, 1]
    path.write_text('[{"d_loss": 1}, 2]')
    assert (json_lines.read_document(path).broken) == 1
    path.write_text('{"d_loss": 1}\n{"d_loss": 2}\n')
    assert json_lines.read_document(path).length == 2


@pytest.mark.parametrize("row", ["[" * 200_000, "9" * 5000, '{"a":' * 70], ids=len)
def test_lines_that_are_refused_are_counted(tmp_path, row):
    for name in ("log.jsonl", "log.json"):
        path = tmp_path / name
        path.write_text('{"step": 1}\n' + row + '\n{"step": 2}\n')
        read = (
            json_lines.read_lines if name == "log.jsonl" else json_lines.read_document
        )
        table = read(path)
        assert (table.length, table.broken) == (3, 1)


def test_lists_of_many_lengths_are_read_row_by_row(tmp_path):
    path = tmp_path / "log.json"
    lists = {"long": [0] * 300_000} | {f"c{n}": [n] for n in range(2000)}
    path.write_text(json.dumps(lists))
    table = json_lines.read_document(path)
    assert table.length == 300_000
    assert table.columns["c7"].values.tolist() == [7]
