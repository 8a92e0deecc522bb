"""`ganlab sample --shards`: a folder that verifies, and mistakes in one line."""

import json
from pathlib import Path

import pytest

from ganlab.cli.main import main

SHIPPED = str(Path(__file__).parents[2] / "saved_models" / "fashion")


@pytest.mark.e2e
def test_shards_are_written_verified_and_resumed(tmp_path, capsys):
    out = tmp_path / "out"
    job = ["sample", SHIPPED, "--num-images", "130", "--label", "Bag"]
    job += ["--out", str(out), "--shards", "2", "--workers", "1"]
    assert main(job) == 0
    assert capsys.readouterr().out == f"{out / 'manifest.json'}\n"
    content = json.loads((out / "manifest.json").read_text())
    assert content["job"]["label"] == 8
    assert [entry["images"] for entry in content["shards"]] == [64, 66]
    assert main(["verify", str(out)]) == 0
    assert f"{out}: whole; 130 samples of seed 0" in capsys.readouterr().out
    shard = out / content["shards"][0]["name"]
    shard.write_bytes(shard.read_bytes()[:-1])
    assert main(["verify", str(out)]) == 1
    assert f"{out}: damaged: {shard.name}" in capsys.readouterr().out
    assert main([*job, "--resume"]) == 0
    assert main(["verify", str(out)]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "2"], "Expected --shards N. Received: --workers without it"),
        (["--resume"], "--resume without it"),
        (["--shard-format", "tar"], "--shard-format without it"),
        (["--shards", "1"], "Expected --out FOLDER for shards. Received: none"),
        (["--shards", "1", "--out", "a.tar"], "Received: a.tar; name a folder"),
        (["--shards", "1", "--sign", "a"], "--sign beside --shards"),
        (["--shards", "1", "--interpolate", "1", "2"], "--interpolate beside --shards"),
        (["--shards", "2", "--out", "a"], "Expected 1 to 1 shards of 64 images"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", SHIPPED, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
