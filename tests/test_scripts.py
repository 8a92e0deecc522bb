"""The scripts: training, and the benchmarks with their smallest settings."""

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import Artifact, diagnosis
from ganlab.diagnosis import report
from ganlab.training.bfloat16 import is_emulated

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(script, *arguments, cwd):
    """Runs a script as a user would; returns what it prints."""
    command = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_script(name):
    """Imports a benchmark's file as a module."""
    sys.path.insert(0, str(SCRIPTS / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SCRIPTS / "benchmarks"))


@pytest.mark.parametrize("name", ["speed", "sampling", "time_to_quality"])
def test_a_benchmark_of_processes_starts_without_tensorflow(tmp_path, name):
    script = SCRIPTS / "benchmarks" / f"{name}.py"
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['script', '--help']; sys.path.insert(0, {str(script.parent)!r})\n"
        f"try: runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "except SystemExit: sys.exit('tensorflow' in sys.modules)\n"
    )
    (tmp_path / "help.py").write_text(code)
    assert "--only" in run(tmp_path / "help.py", cwd=tmp_path)


def test_contenders_answer_at_their_turn(tmp_path):
    (tmp_path / "worker.py").write_text(
        f"import sys; sys.path.insert(0, {str(SCRIPTS / 'benchmarks')!r})\n"
        "from turns import Worker\n"
        "worker, turn = Worker(), 0\n"
        "while True:\n"
        "    worker.wait(); turn += 1\n"
        "    print('not an answer'); worker.answer({'turn': turn})\n"
    )
    turns = load_script("turns")
    command = [sys.executable, tmp_path / "worker.py"]
    contender = turns.Contender("counter", command)
    try:
        assert [contender.turn()["turn"] for _ in range(3)] == [1, 2, 3]
    finally:
        contender.process.kill()
        contender.process.communicate()
    failed = turns.Contender("failure", [sys.executable, "-c", "raise SystemExit"])
    failed.process.wait()
    with pytest.raises(SystemExit, match="failure ended; to see why, run"):
        failed.turn()
    with contextlib.suppress(BrokenPipeError):
        failed.process.communicate()


def test_memory_that_grows_is_told_from_memory_that_does_not(tmp_path):
    memory = load_script("memory")
    grows = memory.line_through([9.0, 9.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert grows["slope_gb"] == pytest.approx(1.0)
    assert grows["growth"] == pytest.approx(5 * 1.0 / 2.0)
    # residuals of 10, 11, 10, 11 to its line: -0.2, 0.6, -0.6, 0.2
    rough = memory.line_through([5.0, 10.0, 11.0, 10.0, 11.0])
    error = (0.8 / 2 / 5) ** 0.5
    assert rough["slope_gb"] == pytest.approx(0.2)
    assert rough["interval_gb"] == pytest.approx(
        [0.2 - 1.96 * error, 0.2 + 1.96 * error]
    )
    row = grows | {"name": "a", "limit": "none", "unit": "call", "gb": [9.0, 7.0]}
    assert "| 1000.000 [1000.000, 1000.000] MB/call | 250.0% |" in memory.table(
        {"a": row}
    )


@pytest.mark.e2e
def test_memory_is_read_as_samples_are_drawn(tmp_path):
    words = ("--worker", "sampling", "--calls", "2000")
    result = json.loads(run("benchmarks/memory.py", *words, cwd=tmp_path))
    assert len(result["gb"]) == 2
    assert 0.01 < min(result["gb"]) < 1.0


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name", [pytest.param("unconditional", marks=pytest.mark.slow), "conditional"]
)
def test_fashion_scripts_train_and_export(tmp_path, name):
    run(f"train_{name}.py", "--epochs", 1, "--out", "run", cwd=tmp_path)
    artifact = Artifact(tmp_path / "run" / "artifact")
    assert artifact.conditional == (name == "conditional")
    assert artifact.sample(4).shape == (4, 28, 28, 1)
    assert (tmp_path / "run" / "samples" / "step-0000152.png").exists()
    log = diagnosis.read(tmp_path / "run")
    assert log.settings == {"loss": "non_saturating"}
    assert log.get("logit_held_out") is not None
    assert report.examine(tmp_path / "run").command is None


@pytest.mark.e2e
def test_folder_script_trains_and_exports(tmp_path):
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for index in range(64):
        pixels = random.integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{index}.png")
    arguments = ["photos", "--image-size", 16, "--epochs", 2, "--out", "run"]
    run("train_folder.py", *arguments, cwd=tmp_path)
    images = Artifact(tmp_path / "run" / "artifact").sample(4)
    assert images.shape == (4, 16, 16, 3)


@pytest.mark.slow
def test_the_benchmark_of_modes_writes_a_report_and_goes_on(tmp_path):
    arguments = ["--only", "ring", "--seeds", 1, "--steps", 10]
    printed = run("benchmarks/modes.py", *arguments, cwd=tmp_path)
    assert "ring/r3gan" in printed
    out = tmp_path / "runs" / "modes"
    report = json.loads((out / "modes.json").read_text())
    assert len(report["experiments"]) == 3
    scores = report["experiments"]["ring/PacGAN-2"]["scores"]
    assert set(scores) == {"modes_hit", "high_quality_share", "kl", "js"}
    with Image.open(out / "modes.png") as picture:
        assert picture.width > 600
    records = {path: path.stat().st_mtime_ns for path in out.glob("ring-*-0.json")}
    assert len(records) == 3
    run("benchmarks/modes.py", *arguments, cwd=tmp_path)
    assert all(path.stat().st_mtime_ns == time for path, time in records.items())


def test_the_table_of_remedies_says_what_was_proposed_and_what_it_did():
    failing = {"scores": [4.0, None], "score_name": "fid", "fires": 2, "diverged": 1}
    proposed = {"scores": [1.0, 2.0], "score_name": "fid", "fires": 0, "diverged": 0}
    result = {"lab": "a", "finding": "mode_collapse", "changes": {"beta_1": 0.0}}
    result |= {"failing": failing, "proposed": proposed}
    result |= {"verdict": "cures", "ratio": None}
    nothing = {"lab": "b", "finding": "x", "changes": {}, "failing": failing}
    lines = load_script("remedies").as_table([result, nothing]).splitlines()
    assert lines[0] == "Of 2 labs the proposed remedy: 1 cures."
    assert lines[-2:] == [
        "| a | `mode_collapse`: beta_1=0.0 | FID 4.00, 1 diverged → FID 2.00 |  | "
        "2 of 2 → 0 of 2 | cures, by findings alone |",
        "| b | `x`: nothing | FID 4.00, 1 diverged |  | 2 of 2 | nothing proposed |",
    ]


@pytest.mark.slow
def test_the_benchmark_of_remedies_writes_a_table_and_goes_on(tmp_path):
    arguments = ["--labs", "ring-collapse", "--seeds", 1, "--steps", 250]
    printed = run("benchmarks/remedies.py", *arguments, cwd=tmp_path)
    assert "| ring-collapse | `mode_collapse`: loss=relativistic" in printed
    out = tmp_path / "runs" / "remedies"
    (result,) = json.loads((out / "remedies.json").read_text())
    assert result["ratio"] is None  # of one seed
    assert result["proposed"]["score_name"] == "js"
    trained = json.loads((out / "ring-collapse-proposed-0" / "config.json").read_text())
    assert result["changes"].items() <= trained["recipe"].items()
    records = {path: path.stat().st_mtime_ns for path in out.glob("*/done.json")}
    assert len(records) == 2
    (out / "ring-collapse-proposed-0" / "done.json").write_text("{}")
    run("benchmarks/remedies.py", *arguments, cwd=tmp_path)
    failing, proposed = (
        out / f"ring-collapse-{arm}-0" for arm in ("failing", "proposed")
    )
    assert (failing / "done.json").stat().st_mtime_ns in records.values()
    assert json.loads((proposed / "done.json").read_text()) == result["changes"]


@pytest.mark.slow
def test_the_benchmark_of_sampling_writes_a_table_and_a_picture(tmp_path):
    arguments = ["--rounds", 1, "--cold-rounds", 1, "--only", "ganlab", "--out", "out"]
    printed = run("benchmarks/sampling.py", *arguments, cwd=tmp_path)
    assert "| ganlab, int8 |" in printed
    report = json.loads((tmp_path / "out" / "sampling.json").read_text())
    for rows in report.values():
        assert set(rows) >= {"Keras, predict", "ganlab", "ganlab, int8"}
        for row in rows.values():
            assert row["batch_1_ms"] > 0 < row["batch_64_ms"]
        assert rows["ganlab"]["difference"] < rows["ganlab, int8"]["difference"]
    with Image.open(tmp_path / "out" / "sampling.png") as picture:
        assert picture.width > 600


@pytest.mark.slow
def test_the_benchmark_of_time_to_quality_writes_a_table_and_a_picture(tmp_path):
    name = "alternating" if is_emulated() else "bfloat16"
    short = ["--seconds", 15, "--steps", 300, "--seeds", 1, "--only", name]
    arguments = [*short, "--out", "out"]
    printed = run("benchmarks/time_to_quality.py", *arguments, cwd=tmp_path)
    assert f"| ganlab, {name} |" in printed
    scores = json.loads((tmp_path / "out" / "quality.json").read_text())
    (run_scores,) = scores[f"ganlab, {name}"]
    assert run_scores["steps"][-1] == 300
    assert run_scores["seconds"] == sorted(run_scores["seconds"])
    assert run_scores["fid"][-1] > 0
    with Image.open(tmp_path / "out" / "quality.png") as picture:
        assert picture.width > 600


@pytest.mark.slow
def test_the_default_preset_reaches_its_quality(tmp_path):
    for arguments in (
        ["train", "--out", "run"],
        ["export", "run", "--to", "artifact"],
    ):
        command = [sys.executable, "-m", "ganlab", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "ganlab", "evaluate", "artifact", "--json"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    evaluation = json.loads(done.stdout)["subjects"]["artifact"]
    scores = {name: score["value"] for name, score in evaluation["scores"].items()}
    assert scores["fid"] < 1.0
    assert scores["label_accuracy"] > 0.85
    assert min(evaluation["details"]["class_shares"].values()) >= 0.05


@pytest.mark.e2e
def test_the_table_of_formats_agrees_with_the_shipped_card(tmp_path):
    shipped = SCRIPTS.parent / "saved_models" / "fashion"
    printed = run("benchmarks/formats.py", shipped, "--num-images", 64, cwd=tmp_path)
    rows = [line for line in printed.splitlines() if line.startswith("| int8 |")]
    assert [row.split(" | ")[1] for row in rows] == ["yes", "no"]
    assert {row.split(" | ")[2] for row in rows} == {"0.0088"}
    artifact = tmp_path / "artifact"
    shutil.copytree(shipped, artifact)
    card = json.loads((artifact / "card.json").read_text())
    card["formats"]["int8"]["mean_difference"] = 0.0075
    (artifact / "card.json").write_text(json.dumps(card))
    with pytest.raises(AssertionError, match="int8, rewritten True: mean 0.0088"):
        run("benchmarks/formats.py", artifact, "--num-images", 64, cwd=tmp_path)


def write_case(out, fault, seed, series, refused=None):
    folder = out / f"{fault}-{seed}"
    folder.mkdir(parents=True)
    rows = [
        {"step": step, "seconds": 1.0, "d_loss": 1.0, "g_loss": 1.0, **series}
        for step in range(20, 601, 20)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines)
    record = {"fault": fault, "refused": refused, "error": None, "case": {"seed": seed}}
    (folder / "case.json").write_text(json.dumps(record))


def test_generated_failures_are_scored_by_what_was_seen(tmp_path):
    generated = load_script("generated")
    collapsed = {"pairwise_ratio": 0.05}
    write_case(tmp_path, "racing-generator", 0, collapsed)
    write_case(tmp_path, "racing-generator", 1, {"pairwise_ratio": 1.0})
    write_case(tmp_path, "unused-latents", 0, {"latent_effect": 0.0} | collapsed)
    write_case(tmp_path, "nan-samples", 0, {}, refused="Expected finite images.")
    write_case(tmp_path, "healthy", 50, {"pairwise_ratio": 1.0})
    write_case(tmp_path, "healthy", 51, collapsed)
    report = generated.score(tmp_path)
    fitted = report["scores"]["fitted/everything"]
    assert fitted["kinds"]["racing-generator"]["first"] == 1
    assert fitted["kinds"]["unused-latents"]["first"] == 1
    assert fitted["kinds"]["nan-samples"] == {
        **dict.fromkeys(generated.COUNTS, 1),
        "refused": 1,
    }
    assert fitted["total"]["runs"] == 4
    assert fitted["total"]["first"] == 3
    scored = report["scores"]["scored/everything"]
    assert scored["healthy"] == 2
    assert scored["healthy critical"] == ["51: mode_collapse"]
    assert report["scores"]["scored/losses alone"]["healthy critical"] == []
    table = generated.as_table(report)
    assert "75.0%" in table
    assert "| scored | everything | 0 |" in table


def test_scores_are_no_signals_of_the_probe():
    is_score = load_script("generated").is_score
    assert all(is_score(name) for name in ("fid", "coverage", "modes_hit", "ndb"))
    assert not any(is_score(name) for name in ("pairwise_ratio", "d_loss", "g_drift"))


def test_folders_of_runs_are_compared_apart_from_clocks(tmp_path):
    differences = load_script("faults_compare").differences
    for name, seconds, loss in (("a", 1.0, 0.5), ("b", 2.0, 0.5), ("c", 1.0, 0.25)):
        (tmp_path / name).mkdir()
        line = json.dumps({"step": 2, "seconds": seconds, "d_loss": loss})
        (tmp_path / name / "metrics.jsonl").write_text(f"{line}\n")
    (tmp_path / "b" / "report.html").write_text("b")
    (tmp_path / "a" / "report.html").write_text("a")
    assert differences(tmp_path / "a", tmp_path / "b") == []
    assert differences(tmp_path / "c", tmp_path / "a") == [
        "report.html: missing",
        "metrics.jsonl: row 0: d_loss: 0.25 instead of 0.5",
    ]


def test_a_power_loss_takes_what_had_not_reached_the_disk(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("kept", "longer", "unsynced", "unnamed"):
        (folder / name).write_bytes(b"1234")
    entries = [
        *(("synced", folder / ".a", 4), ("renamed", folder / ".a", folder / "kept")),
        *(("synced", folder, 0), ("synced", folder / "longer", 2)),
        *(("synced", folder / ".b", 4), ("renamed", folder / ".b", folder / "unnamed")),
    ]
    lines = [
        json.dumps([action, str(a), b if b in (0, 2, 4) else str(b)])
        for action, a, b in entries
    ]
    (tmp_path / "journal").write_text("\n".join(lines))
    load_script("faults_compare").lose_power(folder, tmp_path / "journal")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "kept": b"1234",
        "longer": b"12",
    }


def test_faults_are_of_every_kind_and_preset():
    faults = load_script("faults")
    drawn = [faults.draw_fault(index) for index in range(100)]
    kinds = {*faults.MOMENTS, *faults.POINTS}
    assert {fault["kind"] for fault in drawn} == kinds
    assert {fault["preset"] for fault in drawn} == set(faults.PRESETS)
    rows = [{**drawn[0], "came": True, "resumed": 0, "differences": ["a"]}]
    table = faults.as_table(faults.summarise(rows))
    assert table.splitlines()[2:] == [
        "| random moment | 1 | 1 | 1 | 0 | 1 |",
        "| all | 1 | 1 | 1 | 0 | 1 |",
    ]


@pytest.mark.slow
def test_the_benchmark_of_faults_resumes_what_it_killed(tmp_path):
    printed = run("benchmarks/faults.py", "--kills", 2, "--out", "out", cwd=tmp_path)
    assert "| all | 2 | 2 | 2 | 0 |" in printed
    assert (tmp_path / "out" / "faults.json").exists()
