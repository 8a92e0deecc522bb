"""Does a failing run go on from where it was good, with a change?"""

import json

import keras
import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.callbacks import FailurePolicy, RunLog, policy
from ganlab.cli.main import main
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import FAILURES, Finding
from ganlab.models.saving import load_gan
from ganlab.runs import RunFolder, load_run
from ganlab.training import rollback, train


@pytest.fixture
def recipe(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "noise.npz", images=pixels)
    return Recipe(
        data=f"npz:{tmp_path / 'noise.npz'}",
        generator_filters=4,
        discriminator_filters=4,
        discriminator_normalization="none",
        batch_size=8,
        steps=20,
    )


MONITORING = Monitoring(
    log_every=2,
    sample_every=20,
    checkpoint_every=5,
    evaluate_every=5,
    evaluate_share=1.0,
    probe_every=5,
    probe_share=1.0,
)


def failing(monkeypatch, times, severity="critical", every=8):
    """Makes the next diagnoses of a running run find a failure."""
    name = "mode_collapse"
    evidence, changes = [{"signal": "x", "says": "so"}], dict(FAILURES[name].changes)
    left = [Finding(name, severity, 3, evidence, 0.9, changes)] * times

    def diagnose(log):
        return [left.pop()] if left else []

    monkeypatch.setattr(policy.diagnosis, "diagnose", diagnose)
    sooner = {**FailurePolicy.__init__.__kwdefaults__, "grace": 0, "every": every}
    monkeypatch.setattr(FailurePolicy.__init__, "__kwdefaults__", sooner)


def events(run):
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [row for row in rows if row.get("event", "began") != "began"]


def test_a_finding_is_told_once_and_training_goes_on(recipe, tmp_path, monkeypatch):
    failing(monkeypatch, 2)
    run = train.train_gan(recipe, tmp_path / "run", monitoring=MONITORING)
    assert run.failure is None
    assert load_gan(RunFolder(tmp_path / "run").find_checkpoint()).step == 20
    (told,) = events(tmp_path / "run")
    assert (told["event"], told["finding"], told["step"]) == (
        "finding",
        "mode_collapse",
        8,
    )


@pytest.mark.parametrize(("severity", "stopped"), [("critical", 8), ("warning", 20)])
def test_stop_stops_at_what_is_critical(
    recipe, tmp_path, monkeypatch, severity, stopped
):
    failing(monkeypatch, 2, severity=severity)
    run = train.train_gan(
        recipe, tmp_path / "run", monitoring=MONITORING, on_failure="stop"
    )
    assert (run.failure is not None) == (severity == "critical")
    assert load_gan(RunFolder(tmp_path / "run").find_checkpoint()).step == stopped


def test_early_training_is_left_alone(make_gan, images, tmp_path):
    about = {"recipe": {"loss": "hinge"}, "monitoring": {}}
    (tmp_path / "config.json").write_text(json.dumps(about))
    run_log = RunLog(tmp_path)
    gan = make_gan()
    watched = FailurePolicy(tmp_path, run_log, "stop", every=1)
    monkey = []
    watched._tell = lambda *said: monkey.append(said)
    gan.fit(images[0], batch_size=8, verbose=0, callbacks=[watched])
    run_log.close()
    assert monkey == []


def test_rollback_changes_something_and_ends(recipe, tmp_path, monkeypatch):
    failing(monkeypatch, 9, every=2)
    out = tmp_path / "run"
    run = rollback.train(
        recipe, out, monitoring=MONITORING, on_failure="rollback", max_rollbacks=2
    )
    assert run.failure is not None  # the third time it stops for good
    kept = sorted(path.name for path in (out / "attempts").iterdir())
    assert kept == ["1.jsonl", "2.jsonl"]
    changes = [each["change"] for each in events(out) if each["event"] == "rollback"]
    assert len(changes) == 2
    assert changes[0]["loss"] == "relativistic"
    assert set(changes[1]) == {"generator_learning_rate", "discriminator_learning_rate"}
    saved = json.loads((out / "config.json").read_text())["recipe"]
    assert saved["generator_learning_rate"] == 2.5e-4


def test_a_rolled_back_run_finishes_when_it_is_well(recipe, tmp_path, monkeypatch):
    failing(monkeypatch, 1)
    out = tmp_path / "run"
    run = rollback.train(recipe, out, monitoring=MONITORING, on_failure="rollback")
    assert run.failure is None
    gan = load_gan(RunFolder(out).find_checkpoint())
    assert gan.step == 20
    assert type(gan.adversarial_loss).__name__ == "Relativistic"
    rows = list(map(json.loads, (out / "metrics.jsonl").read_text().splitlines()))
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)


def test_a_branch_goes_on_from_weights_and_moments(recipe, tmp_path):
    train.train_gan(recipe, tmp_path / "run", monitoring=MONITORING)
    run = load_run(tmp_path / "run")
    source = load_gan(RunFolder(tmp_path / "run").find_checkpoint())
    path = run.folder.find_checkpoint()
    changed = run.recipe.replace(loss="hinge", generator_learning_rate=1e-5)
    gan = rollback.branch(path, changed, None)
    for role in ("generator", "discriminator", "ema_generator"):
        ours, theirs = (getattr(each, role).get_weights() for each in (gan, source))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    assert gan.step == 20
    ours, theirs = (each.generator_optimizer for each in (gan, source))
    assert float(ours.learning_rate) == pytest.approx(1e-5)
    assert int(ours.iterations) == int(theirs.iterations) == 20
    moments = [
        (a.numpy(), b.numpy())
        for a, b in zip(ours.variables, theirs.variables, strict=True)
        if "learning_rate" not in a.path
    ]
    assert len(moments) > 4
    for a, b in moments:
        np.testing.assert_array_equal(a, b)


def test_trials_compare_remedies_and_keep_the_best(
    recipe, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "run"
    train.train_gan(recipe, out, monitoring=MONITORING)
    serious = [
        Finding("mode_collapse", "critical", 12, [{"signal": "x", "says": "so"}], 0.9,
                {"loss": "relativistic"}),
        Finding("checkerboard", "warning", 14, [{"signal": "x", "says": "so"}], 0.9,
                {"upsampling": "nearest"}),
    ]  # fmt: skip
    real = diagnosis.diagnose

    def diagnose(log):
        return serious if log.source == out else real(log)

    monkeypatch.setattr(diagnosis, "diagnose", diagnose)
    arguments = ["diagnose", str(out), "--remedy-trials", "--trial-steps", "6"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    trials = json.loads((out / "trials" / "trials.json").read_text())
    assert {each["name"] for each in trials} == {
        "no change",
        "mode_collapse",
        "checkerboard",
    }
    assert [each["kept"] for each in trials] == [True, False, False]
    distances = [each["fid"] for each in trials]
    assert distances == sorted(distances)
    assert "kept" in printed
    assert "## Remedies tried" in (out / "report.md").read_text()
    kept = load_gan(RunFolder(trials[0]["folder"]).find_checkpoint())
    assert kept.step == 16
    # The first finding is at 12, the last checkpoint before it at 10.
    folders = {each["name"]: each["folder"] for each in trials}
    rows = (tmp_path / folders["no change"] / "metrics.jsonl").read_text()
    assert json.loads(rows.splitlines()[0])["step"] == 10
    rows = (tmp_path / folders["checkerboard"] / "metrics.jsonl").read_text()
    assert json.loads(rows.splitlines()[0])["step"] == 0


def test_trials_of_a_healthy_run_are_refused(recipe, tmp_path, capsys, monkeypatch):
    train.train_gan(recipe.replace(steps=3), tmp_path / "run", monitoring=MONITORING)
    monkeypatch.setattr(diagnosis, "diagnose", lambda log: [])
    assert main(["diagnose", str(tmp_path / "run"), "--remedy-trials"]) == 2
    assert "which has none" in capsys.readouterr().err
    keras.backend.clear_session()
