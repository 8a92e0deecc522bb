"""Logs of other trainers are read by themselves and in their folders."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import diagnosis
from ganlab.diagnosis import report
from ganlab.errors import UserError

CELLS = ["", "1.5", "nan", "None", "tensor(1., device='cuda:0')", "1,000", '"', "x"]
ROWS = [(step, 0.9, 1.2) for step in range(0, 1000, 50)]


@pytest.mark.e2e
@given(
    names=st.lists(st.sampled_from(["step", "epoch", "errD", "g_loss", "FID", "a"])),
    rows=st.lists(st.lists(st.one_of(st.sampled_from(CELLS), st.text(max_size=4)))),
    separator=st.sampled_from([",", ";", "\t", " "]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=100, deadline=None)
def test_wild_tables_are_never_healthy(
    tmp_path_factory, names, rows, separator, encoding
):
    text = "\n".join(separator.join(row) for row in [names, *rows])
    path = tmp_path_factory.mktemp("wild") / "log.csv"
    path.write_bytes(text.encode(encoding, "replace"))
    examined = report.examine(path)
    understood = {"d_loss", "g_loss"} <= set(examined.log.series) or (
        "fid" in examined.log.series
    )
    assert understood or not examined.verdict.startswith("Healthy")
    assert report.as_markdown(examined)


@given(
    rows=st.lists(
        st.tuples(
            st.floats(0.3, 3),
            st.floats(0.3, 3),
            st.one_of(st.none(), st.floats(1, 300)),
        ),
        min_size=3,
        max_size=20,
    ),
    separator=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=60, deadline=None)
def test_numbers_survive_any_form(tmp_path_factory, rows, separator, encoding, end):
    table = [("global_step", "loss_D", "loss_G", "FID")]
    table += [(i * 7, d, g, "" if f is None else f) for i, (d, g, f) in enumerate(rows)]
    text = end.join(separator.join(map(str, row)) for row in table)
    path = tmp_path_factory.mktemp("form") / "log.csv"
    path.write_bytes(text.encode(encoding))
    log = diagnosis.read(path)
    assert log.series["d_loss"].values.tolist() == [d for d, _, _ in rows]
    assert log.series["g_loss"].steps.tolist() == [i * 7 for i in range(len(rows))]
    scores = [f for _, _, f in rows if f is not None]
    assert (log.series["fid"].values.tolist() if scores else []) == scores


def test_lightning(tmp_path):
    lines = ["epoch,step,train/d_loss,train/g_loss,val/d_loss,val/fid"]
    for epoch in range(4):
        lines += [f"{epoch},{epoch * 100 + 49},0.9,1.2,,"]
        lines += [f"{epoch},{epoch * 100 + 99},0.8,1.3,,"]
        lines += [f"{epoch},{epoch * 100 + 99},,,0.7,{90 - epoch}"]
    folder = tmp_path / "lightning_logs" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("\n".join(lines))
    log = diagnosis.read(tmp_path / "lightning_logs")
    assert log.series["d_loss"].values.tolist() == [0.9, 0.8] * 4
    assert log.series["d_loss"].steps[-1] == 399
    assert log.series["fid"].values.tolist() == [90, 89, 88, 87]
    assert log.not_judged == ""


def test_keras(make_csv):
    rows = [f"{epoch};0.9;1.2" for epoch in range(5)]
    log = diagnosis.read(make_csv("\n".join(["epoch;d_loss;g_loss", *rows])))
    assert log.series["g_loss"].steps.tolist() == [0, 1, 2, 3, 4]
    assert log.problems == ["steps are counted in epochs"]


def test_weights_and_biases(make_csv):
    names = [
        f"gan-1 - {n}{end}"
        for n in ("d_loss", "g_loss")
        for end in ("", "__MIN", "__MAX")
    ]
    rows = [
        ",".join([f'"{i * 10}"', '"0.9"', '"0"', '"2"', "1.2,0,2"]) for i in range(5)
    ]
    header = ",".join(f'"{name}"' for name in ["_step", *names])
    log = diagnosis.read(make_csv("\n".join([header, *rows])))
    assert log.last("d_loss") == 0.9
    assert log.last("g_loss") == 1.2
    assert log.last_step == 40
    two = "_step,a - d_loss,b - d_loss,a - g_loss,b - g_loss\n" + "1,2,3,4,5\n" * 5
    examined = report.examine(make_csv(two))
    assert examined.verdict.startswith("Not judged: no losses found")
    assert "a - d_loss, b - d_loss may each be d_loss" in examined.log.problems[-2]


def test_stylegan(tmp_path):
    def stat(value):
        return {"num": 1, "mean": value, "std": 0.0}

    rows = [
        {
            "Loss/D/loss": stat(0.9),
            "Loss/G/loss": stat(1.2),
            "Progress/tick": stat(tick),
            "Progress/kimg": stat(tick * 4.0),
            "Timing/total_sec": stat(tick * 60.0),
        }
        for tick in range(6)
    ]
    scores = [
        {
            "results": {"fid50k_full": 90.0 - kimg},
            "snapshot_pkl": f"network-snapshot-{kimg:06d}.pkl",
            "timestamp": 1.7e9,
        }
        for kimg in (0, 8, 16)
    ]
    for name, content in (("stats", rows), ("metric-fid50k_full", scores)):
        text = "".join(json.dumps(row) + "\n" for row in content)
        (tmp_path / f"{name}.jsonl").write_text(text)
    log = diagnosis.read(tmp_path)
    assert log.series["d_loss"].steps.tolist() == [i * 4000 for i in range(6)]
    assert log.series["fid"].steps.tolist() == [0, 8000, 16000]
    assert log.seconds.values[-1] == 300
    assert log.not_judged == ""
    (tmp_path / "stats.jsonl").unlink()
    assert diagnosis.read(tmp_path).last("fid") == 74


def test_a_folder_with_several_logs_or_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="or a folder with one. Received"):
        diagnosis.read(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("step,d_loss,g_loss\n")
    with pytest.raises(UserError, match="with a.csv, b.csv; name one"):
        diagnosis.read(tmp_path)


def test_columns_are_for_other_trainers(run_folder):
    with pytest.raises(UserError, match="leave --columns out"):
        diagnosis.read(run_folder, {"d_loss": "critic"})
