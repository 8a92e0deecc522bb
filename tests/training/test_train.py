"""One way to train: `ganlab.train` fits, stops, rolls back and resumes."""

import json
import shutil
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlab
from ganlab.cli.main import main
from ganlab.errors import RunError, UserError
from ganlab.models.gan import GAN
from ganlab.models.saving import load_gan
from ganlab.runs import RunFolder


@pytest.mark.e2e
def test_a_finding_is_told_once_and_training_goes_on(
    recipe, monitoring, tmp_path, failing, events
):
    failing(2)
    run = ganlab.train(recipe, tmp_path / "run", monitoring=monitoring)
    assert run.failure is None
    assert load_gan(run.folder.find_checkpoint()).step == 20
    (event,) = events(tmp_path / "run")
    assert (event["event"], event["finding"], event["step"]) == (
        "finding",
        "mode_collapse",
        8,
    )


@pytest.mark.e2e
@pytest.mark.parametrize(("severity", "last"), [("critical", 8), ("warning", 20)])
def test_stop_stops_at_what_is_critical(
    recipe, monitoring, tmp_path, failing, severity, last
):
    failing(2, severity=severity)
    run = ganlab.train(
        recipe, tmp_path / "run", monitoring=monitoring, on_failure="stop"
    )
    assert (run.failure is not None) == (severity == "critical")
    assert load_gan(run.folder.find_checkpoint()).step == last


@pytest.mark.e2e
def test_a_run_ends_once_a_score_is_reached(recipe, tmp_path, events):
    monitoring = ganlab.Monitoring(
        evaluate_every=5, evaluate_share=1.0, probe_every=99, sample_every=99
    )
    run = ganlab.train(
        recipe, tmp_path / "run", monitoring=monitoring, until=("fid", 1e9)
    )
    assert run.failure is None
    assert load_gan(run.folder.find_checkpoint()).step == 5
    (event,) = events(tmp_path / "run")
    assert (event["event"], event["score"], event["step"]) == ("reached", "fid", 5)


def test_without_images_to_score_there_is_no_end_at_a_score(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "few.npz", images=images)
    recipe = ganlab.Recipe(data=f"npz:{tmp_path / 'few.npz'}", steps=1, batch_size=2)
    with pytest.raises(UserError, match="enough images to score against"):
        ganlab.train(recipe, tmp_path / "run", until=("fid", 1.0))
    assert not (tmp_path / "run").exists()


@pytest.mark.e2e
def test_rollback_changes_something_and_ends(
    recipe, monitoring, tmp_path, failing, events
):
    failing(9, every=2)
    out = tmp_path / "run"
    run = ganlab.train(
        recipe, out, monitoring=monitoring, on_failure="rollback", max_rollbacks=2
    )
    assert run.failure is not None  # the third time it stops for good
    attempts = sorted(path.name for path in (out / "attempts").iterdir())
    assert attempts == ["1.jsonl", "2.jsonl"]
    changes = [event["change"] for event in events(out) if event["event"] == "rollback"]
    assert len(changes) == 2
    assert changes[0]["loss"] == "relativistic"
    assert set(changes[1]) == {"generator_learning_rate", "discriminator_learning_rate"}
    saved = json.loads((out / "config.json").read_text())["recipe"]
    assert saved["generator_learning_rate"] == 2.5e-4


@pytest.mark.e2e
def test_a_rolled_back_run_finishes_when_it_is_well(
    recipe, monitoring, tmp_path, failing
):
    failing(1)
    out = tmp_path / "run"
    run = ganlab.train(recipe, out, monitoring=monitoring, on_failure="rollback")
    assert run.failure is None
    gan = load_gan(run.folder.find_checkpoint())
    assert gan.step == 20
    assert type(gan.objective.loss).__name__ == "Relativistic"
    rows = list(map(json.loads, RunFolder(out).read_metrics()))
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)


@pytest.fixture
def nan_latents(monkeypatch):
    """A function that makes latents NaN in steps, counted from 1, of some GANs."""
    training_latents = GAN.training_latents

    def spoil(first, last, spoiled=lambda gan: True):
        def latents(gan, num_images, substep=0):
            drawn = training_latents(gan, num_images, substep)
            bad = (gan.step >= first - 1) & (gan.step < last)
            return tf.where(bad, np.nan, drawn) if spoiled(gan) else drawn

        monkeypatch.setattr(GAN, "training_latents", latents)

    return spoil


@pytest.mark.e2e
def test_a_step_that_is_not_finite_is_left_out_and_counted(
    recipe, monitoring, tmp_path, nan_latents, events
):
    nan_latents(6, 6)
    recipe = recipe.replace(skip_non_finite=True)
    seldom = monitoring.replace(evaluate_images=6, evaluate_every=99, probe_every=99)
    run = ganlab.train(recipe, tmp_path / "run", monitoring=seldom)
    (event,) = events(tmp_path / "run")
    assert (event["event"], event["step"], event["count"]) == ("skipped", 6, 1)
    assert event["tensor"].startswith("generator/")
    assert run.folder.black_box.exists()
    gan = load_gan(run.folder.find_checkpoint())
    assert (int(gan.step), int(gan.generator_optimizer.iterations)) == (20, 19)
    assert all(np.isfinite(weight).all() for weight in gan.get_weights())
    log = ganlab.diagnosis.read(tmp_path / "run")
    assert log.get("skipped_share").values.tolist() == [0, 0, 0.5, *[0] * 7]


@pytest.mark.e2e
def test_too_many_steps_that_are_not_finite_end_a_run(
    recipe, monitoring, tmp_path, nan_latents
):
    nan_latents(3, 99)
    recipe = recipe.replace(skip_non_finite=True)
    seldom = monitoring.replace(evaluate_images=6, evaluate_every=99, probe_every=99)
    with pytest.raises(RunError, match="loss was nan at step 12, first in generator/"):
        ganlab.train(recipe, tmp_path / "run", monitoring=seldom)


@pytest.mark.e2e
def test_numbers_that_are_not_finite_are_rolled_back(
    recipe, monitoring, tmp_path, nan_latents, events
):
    nan_latents(13, 13, lambda gan: gan.generator_optimizer.global_clipnorm is None)
    out = tmp_path / "run"
    seldom = monitoring.replace(evaluate_images=6, evaluate_every=99, probe_every=99)
    run = ganlab.train(recipe, out, monitoring=seldom, on_failure="rollback")
    assert run.failure is None
    (event,) = events(out)
    assert (event["event"], event["step"]) == ("rollback", 10)
    assert event["change"] == {"gradient_clip": 1.0}
    rows = map(json.loads, (out / "attempts" / "1.jsonl").read_text().splitlines())
    (bad,) = (row for row in rows if row.get("event") == "non_finite")
    assert bad["step"] == 13
    assert bad["tensor"].startswith("generator/")
    assert load_gan(run.folder.find_checkpoint()).step == 20


def test_wrong_names_leave_no_folder(recipe, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UserError, match="action on failure.*warn"):
        ganlab.train(recipe, out, on_failure="undo")
    with pytest.raises(UserError, match="that the discriminator is not made of"):
        ganlab.train(
            recipe.replace(network="projected"),
            out,
            monitoring=ganlab.Monitoring(features="efficientnet-lite0"),
        )
    with pytest.raises(UserError, match="Unknown loss"):
        ganlab.train(recipe.replace(loss="best"), out)
    with pytest.raises(UserError, match="batch size of 1 to 40"):
        ganlab.train(recipe.replace(batch_size=64), out)
    assert not out.exists()


@pytest.mark.e2e
def test_other_settings_are_refused_unless_told(recipe, tmp_path, events):
    out = tmp_path / "run"
    ganlab.train(recipe.replace(steps=2), out)
    other = recipe.replace(loss="hinge", steps=4)
    with pytest.raises(UserError, match="loss=hinge .*--change-settings"):
        ganlab.train(other, out, resume=True)
    run = ganlab.train(other, out, resume=True, change_settings=True)
    gan = load_gan(run.folder.find_checkpoint())
    assert (int(gan.step), type(gan.objective.loss).__name__) == (4, "Hinge")
    (event,) = events(out)
    assert (event["event"], event["step"]) == ("changed", 2)
    assert event["change"] == {"loss": "hinge"}
    with pytest.raises(UserError, match="generator_filters cannot change midway"):
        ganlab.train(
            other.replace(generator_filters=8), out, resume=True, change_settings=True
        )


def test_a_folder_in_use_is_refused(recipe, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        ganlab.train(recipe, tmp_path)


@pytest.mark.e2e
def test_a_folder_that_is_deleted_ends_the_run(recipe, tmp_path):
    out = tmp_path / "run"

    class Delete(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            shutil.rmtree(out, ignore_errors=True)

    with pytest.raises(RunError, match="it was deleted or moved"):
        ganlab.train(recipe, out, callbacks=[Delete()])
    assert not out.exists()


@pytest.mark.e2e
def test_a_toy_mixture_end_to_end(tmp_path, capsys):
    run = tmp_path / "run"
    arguments = ["train", "--preset", "r3gan", "--data", "ring", "--steps", "6"]
    arguments += ["--batch-size", "20", "--set", "packing=2", "--out", str(run)]
    assert main(arguments) == 0
    assert "export       ganlab export" in capsys.readouterr().out
    about = json.loads((run / "config.json").read_text())
    assert about["recipe"]["network"] == "mlp"
    assert about["recipe"]["regularizer_weight"] == 0.02
    assert about["recipe"]["latent_dim"] == 2
    assert (run / "samples" / "step-0000006.png").exists()
    assert (run / "checkpoints" / "best.keras").exists()
    assert main(["train", "--out", str(run), "--resume", "--steps", "8"]) == 0
    assert main(["export", str(run), "--to", str(tmp_path / "a")]) == 0
    assert ganlab.Artifact(tmp_path / "a").sample(5).shape == (5, 2)


@pytest.mark.parametrize(
    ("network", "frozen"), [("dcgan", set()), ("projected", {"efficientnet-lite0"})]
)
def test_a_run_is_not_scored_by_what_its_discriminator_is_made_of(
    recipe, tmp_path, monkeypatch, network, frozen
):
    def load_reference(monitoring, data, excluded, stream):
        raise LookupError(excluded)

    module = sys.modules["ganlab.training.train"]
    monkeypatch.setattr(module, "load_reference", load_reference)
    with pytest.raises(LookupError) as caught:
        ganlab.train(recipe.replace(network=network), tmp_path / "run")
    assert caught.value.args == (frozen,)
