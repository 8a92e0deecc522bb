"""Is what a run writes true, and is it kept?"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganlab import GAN, evaluation, metrics, networks
from ganlab.callbacks import (
    Checkpoints,
    Evaluate,
    RunLog,
    SampleGrids,
    TrainingMetrics,
)
from ganlab.callbacks.scalars import SCALARS
from ganlab.data import image_data
from ganlab.data.wait_timer import WaitTimer
from ganlab.errors import RunError
from ganlab.runs import RunFolder


@pytest.fixture
def source():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    labels = (np.arange(40) % 3).astype(np.int32)
    return image_data.ImageData("noise", pixels, labels, ("a", "b", "c"), ())


def fit(gan, source, callbacks, epochs=2, batch_size=8):
    return gan.fit(
        source.batches(batch_size, labels=gan.num_classes is not None),
        steps_per_epoch=source.steps_per_epoch(batch_size),
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )


def rows_of(directory):
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_watch_logs_window_means_to_both_places(make_gan, source, tmp_path):
    gan, run_log = make_gan(3), RunLog(tmp_path)
    timer = WaitTimer()
    raw = []

    class Raw(keras.callbacks.Callback):
        """Undoes Keras's running mean: the loss of each step alone."""

        def on_epoch_begin(self, epoch, logs=None):
            self.total = 0.0

        def on_train_batch_end(self, batch, logs=None):
            raw.append(logs["d_loss"] * (batch + 1) - self.total)
            self.total = logs["d_loss"] * (batch + 1)

    before = [v.numpy().ravel() for v in gan.generator.trainable_variables]
    fit(gan, source, [TrainingMetrics(run_log, 8, every=3, wait_timer=timer), Raw()])
    run_log.close()
    rows = rows_of(tmp_path)
    assert [row["step"] for row in rows] == [3, 6, 9]
    # Steps 4 to 6 lie on both sides of the epoch's end at step 5.
    for row, window in zip(rows, (raw[0:3], raw[3:6], raw[6:9]), strict=True):
        assert row["d_loss"] == pytest.approx(np.mean(window), rel=1e-4)
        assert row["images_per_second"] > 0
        assert 0 <= row["data_wait_share"] <= 1
        assert row["g_learning_rate"] == pytest.approx(1e-3)
        assert set(row) - {"step", "seconds"} <= set(SCALARS)
    norm = np.linalg.norm(np.concatenate(before))
    assert (
        0
        < rows[0]["g_update_ratio"]
        < 8 * 1e-3 * len(np.concatenate(before)) ** 0.5 / norm
    )

    events = EventAccumulator(str(tmp_path / "tensorboard"), {"tensors": 0}).Reload()
    written = [
        (e.step, float(tf.make_ndarray(e.tensor_proto)))
        for e in events.Tensors("loss/discriminator")
    ]
    assert written == [(r["step"], pytest.approx(r["d_loss"])) for r in rows]
    assert "belief/D_G_z" in events.Tags()["tensors"]


def test_update_ratio_by_hand(make_gan, images, tmp_path):
    gan, run_log = make_gan(optimizer=keras.optimizers.SGD), RunLog(tmp_path)

    def flat(player):
        return np.concatenate([v.numpy().ravel() for v in player.trainable_variables])

    before = flat(gan.discriminator)
    gan.fit(
        images[0],
        batch_size=16,
        verbose=0,
        callbacks=[TrainingMetrics(run_log, 16, every=1)],
    )
    run_log.close()
    change = np.linalg.norm(flat(gan.discriminator) - before) / np.linalg.norm(before)
    row = rows_of(tmp_path)[0]
    assert row["d_update_ratio"] == pytest.approx(change, rel=1e-5)
    assert change == pytest.approx(
        1e-3 * row["d_gradient_norm"] / np.linalg.norm(before), rel=1e-2
    )


def test_singular_values_of_normalised_kernels_are_logged(source, tmp_path):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4, spectral_norm=True),
    )
    gan.compile("adam", "adam")
    run_log = RunLog(tmp_path)
    fit(gan, source, [TrainingMetrics(run_log, 8, every=5)])
    run_log.close()
    row = rows_of(tmp_path)[-1]
    logged = {key: value for key, value in row.items() if "singular_value/" in key}
    layers = [each for each in gan.discriminator.layers if hasattr(each, "u")]
    assert len(logged) == len(layers) == 3
    assert logged["singular_value/logits"] == layers[-1].singular_value() > 0
    events = EventAccumulator(str(tmp_path / "tensorboard"), {"tensors": 0}).Reload()
    assert "singular_value/logits" in events.Tags()["tensors"]


def test_a_diverged_run_stops_with_its_step(make_gan, source, tmp_path):
    gan, run_log = make_gan(), RunLog(tmp_path)
    gan.generator.trainable_variables[0].assign(
        gan.generator.trainable_variables[0] * np.nan
    )
    tensor = "generator/project/kernel"
    # The fused ReLU turns NaN into 0, so the images and the losses stay finite.
    name = "g_gradient_norm"
    with pytest.raises(RunError, match=rf"{name} was nan at step 1, first in {tensor}"):
        fit(gan, source, [TrainingMetrics(run_log, 8, every=2)])
    run_log.close()
    logged, event = rows_of(tmp_path)
    assert logged[name] is None
    assert (event["event"], event["step"]) == ("non_finite", 1)
    assert (event["loss"], event["tensor"]) == (name, tensor)


def test_run_log_writes_settings_layout_and_pictures(tmp_path):
    run_log = RunLog(tmp_path, settings={"batch_size": 64, "data": "fashion_mnist"})
    path = tmp_path / "picture.png"
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(8, 9)).save(path)
    run_log.picture(0, "samples", path)
    run_log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"), {"tensors": 0}).Reload()
    tags = events.Tags()["tensors"]
    assert {"config", "samples", "custom_scalars__config__"} <= set(tags)
    shown = tf.make_ndarray(events.Tensors("samples")[0].tensor_proto)
    assert shown.tolist() == [b"9", b"8", path.read_bytes()]
    text = tf.make_ndarray(events.Tensors("config")[0].tensor_proto).item().decode()
    assert "| batch_size | `64` |" in text
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_run_log_drops_what_a_resumed_run_writes_again(tmp_path):
    run_log = RunLog(tmp_path)
    for step in (1, 2, 3):
        run_log.scalars(step, {"d_loss": 1.0})
    run_log.close()
    run_log = RunLog(tmp_path, start_step=2)
    run_log.scalars(3, {"d_loss": 2.0})
    run_log.close()
    assert [(r["step"], r["d_loss"]) for r in rows_of(tmp_path)] == [
        (1, 1.0),
        (2, 1.0),
        (3, 2.0),
    ]


@pytest.mark.parametrize("num_classes", [None, 3])
def test_sample_grids_draw_the_average(make_gan, source, tmp_path, num_classes):
    gan = make_gan(num_classes)
    fit(gan, source, [SampleGrids(tmp_path, every=4, columns=2)])
    assert list(RunFolder(tmp_path).pictures()) == [0, 4, 8, 10]


def test_checkpoints_keep_the_newest(make_gan, source, tmp_path):
    gan = make_gan(3)
    fit(gan, source, [Checkpoints(tmp_path, every=2, keep=2)])
    assert sorted(file.name for file in (tmp_path / "checkpoints").iterdir()) == [
        "step-0000008.keras",
        "step-0000010.keras",
    ]
    restored = keras.saving.load_model(RunFolder(tmp_path).find_checkpoint())
    np.testing.assert_array_equal(restored.sample(4), gan.sample(4))


@pytest.fixture
def reference(source, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return evaluation.load_reference(source, features="pixels")


def scored(monkeypatch, distances):
    """Makes every evaluation find the next of these Fréchet distances."""
    real, left = evaluation.evaluate, iter(distances)

    def evaluate(*arguments, **options):
        found = real(*arguments, **options)
        value = next(left)
        found.scores["fid"] = metrics.Score(value, value - 0.01, value + 0.01, 0.005)
        return found

    monkeypatch.setattr(evaluation, "evaluate", evaluate)


def test_evaluate_keeps_the_best_and_reports(
    make_gan, source, reference, tmp_path, monkeypatch
):
    scored(monkeypatch, [0.5, 0.2, 0.4, 0.3, 0.6])
    gan, run, run_log = make_gan(3), tmp_path / "run", RunLog(tmp_path / "run")
    callback = Evaluate(run, reference, every=2, budget=1.0, run_log=run_log)
    fit(gan, source, [callback])
    run_log.close()
    rows = rows_of(run)
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 10]
    assert [row["fid"] for row in rows] == [0.5, 0.2, 0.4, 0.3, 0.6]
    assert set(rows[0]) - {"step", "seconds", "protocol"} <= set(SCALARS)
    assert rows[0]["protocol"] == reference.protocol.fingerprint
    best = RunFolder(run).read_best()
    assert best["step"] == 4
    assert best["protocol"]["fingerprint"] == reference.protocol.fingerprint
    assert keras.saving.load_model(run / "checkpoints" / "best.keras").step == 4
    assert (run / "checkpoints" / "best.png").exists()
    report = json.loads((run / "quality.json").read_text())
    assert (report["best"]["step"], report["last"]["step"]) == (4, 10)
    page = (run / "quality.md").read_text()
    assert "best, step 4" in page
    assert "--checkpoint best" in page
    assert "0.200 [0.190, 0.210]" in page


def test_evaluate_holds_to_its_budget(
    make_gan, source, reference, tmp_path, monkeypatch
):
    clock = iter(np.arange(0.0, 1e4, 1.0))
    monkeypatch.setattr(
        "ganlab.callbacks.periodic.time.perf_counter", lambda: next(clock)
    )
    steps = []
    callback = Evaluate(tmp_path, reference, every=1, budget=0.1)
    act = callback.act
    callback.act = lambda step: (steps.append(step), act(step))
    fit(make_gan(3), source, [callback], epochs=12)
    # Each look at the clock takes a second and so does each evaluation: of ten
    # looks one may be an evaluation, but for the first and the last.
    assert steps[0] == 1
    assert steps[-1] == 60
    assert 3 <= len(steps) <= 8
    assert np.diff(steps[:-1]).min() >= 8


def test_a_best_of_another_protocol_is_replaced(
    make_gan, source, reference, tmp_path, monkeypatch
):
    scored(monkeypatch, [0.1, 0.9])
    fit(make_gan(3), source, [Evaluate(tmp_path, reference, every=99)])
    assert RunFolder(tmp_path).read_best()["scores"]["fid"]["value"] == 0.1
    other = evaluation.load_reference(source, features="pixels", num_images=30)
    fit(make_gan(3), source, [Evaluate(tmp_path, other, every=99)])
    assert RunFolder(tmp_path).read_best()["scores"]["fid"]["value"] == 0.9


def test_an_interrupted_save_leaves_the_last_checkpoint(
    make_gan, tmp_path, monkeypatch
):
    gan = make_gan()
    callback = Checkpoints(tmp_path)
    callback.set_model(gan)
    callback.act(1)
    monkeypatch.setattr(gan, "save", lambda path: path.write_bytes(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        callback.act(2)
    assert RunFolder(tmp_path).find_checkpoint().name == "step-0000001.keras"
    keras.saving.load_model(RunFolder(tmp_path).find_checkpoint())
