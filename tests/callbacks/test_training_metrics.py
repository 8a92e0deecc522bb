"""Losses, ratios and speed are logged as they are, and divergence ends a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.callbacks import TrainingMetrics
from ganlab.callbacks.scalars import SCALARS
from ganlab.data.wait_timer import WaitTimer
from ganlab.errors import RunError


class StepLosses(keras.callbacks.Callback):
    """Undoes Keras's running mean: the loss of each step alone."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_begin(self, epoch, logs=None):
        self.total = 0.0

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["d_loss"] * (batch + 1) - self.total)
        self.total = logs["d_loss"] * (batch + 1)


def flat(network):
    """All trainable weights as one array."""
    return np.concatenate([w.numpy().ravel() for w in network.trainable_variables])


@pytest.mark.e2e
def test_a_training_shorter_than_its_interval_is_logged_at_its_end(
    make_gan, fit, run_log, read_rows, tmp_path
):
    fit(make_gan(), [TrainingMetrics(run_log, 8, every=50)], epochs=1)
    (row,) = [row for row in read_rows(tmp_path) if "d_loss" in row]
    assert row["step"] == 5
    assert {"g_loss", "d_drift", "d_learning_rate"} <= set(row)
    assert "d_update_ratio" not in row


@pytest.mark.e2e
def test_window_means_go_to_both_places(
    make_gan, fit, run_log, read_rows, read_events, tmp_path
):
    gan, steps = make_gan(3), StepLosses()
    before = flat(gan.generator)
    metrics = TrainingMetrics(run_log, 8, every=3, wait_timer=WaitTimer())
    fit(gan, [metrics, steps])
    run_log.close()
    *rows, _ = read_rows(tmp_path)
    assert [row["step"] for row in rows] == [3, 6, 9]
    # Steps 4 to 6 lie on both sides of the epoch's end at step 5.
    losses = steps.losses
    windows = (losses[0:3], losses[3:6], losses[6:9])
    for row, window in zip(rows, windows, strict=True):
        assert row["d_loss"] == pytest.approx(np.mean(window), rel=1e-4)
        assert row["images_per_second"] > 0
        assert 0 <= row["data_wait_share"] <= 1
        assert row["g_learning_rate"] == pytest.approx(1e-3)
        assert set(row) - {"step", "seconds"} <= set(SCALARS)
    largest = 1e-3 * len(before) ** 0.5 / np.linalg.norm(before)
    assert 0 < rows[0]["g_update_ratio"] < 8 * largest

    events = read_events(tmp_path)
    written = [
        (event.step, float(tf.make_ndarray(event.tensor_proto)))
        for event in events.Tensors("loss/discriminator")
    ]
    assert written == [(row["step"], pytest.approx(row["d_loss"])) for row in rows]
    assert "belief/D_G_z" in events.Tags()["tensors"]


@pytest.mark.e2e
def test_images_a_second_by_a_clock(make_gan, fit, run_log, read_rows, tmp_path):
    ticks = iter(range(100))
    metrics = TrainingMetrics(run_log, 8, every=5, clock=lambda: 2.0 * next(ticks))
    fit(make_gan(), [metrics], epochs=1)
    (row,) = read_rows(tmp_path)
    assert row["images_per_second"] == 5 * 8 / 2.0


@pytest.mark.e2e
def test_update_ratio_by_hand(make_gan, images, run_log, read_rows, tmp_path):
    gan = make_gan(optimizer=keras.optimizers.SGD)
    before = flat(gan.discriminator)
    gan.fit(
        images[0],
        batch_size=16,
        verbose=0,
        callbacks=[TrainingMetrics(run_log, 16, every=1)],
    )
    change = np.linalg.norm(flat(gan.discriminator) - before) / np.linalg.norm(before)
    (row,) = read_rows(tmp_path)
    assert row["d_update_ratio"] == pytest.approx(change, rel=1e-5)
    assert row["d_drift"] == pytest.approx(change, rel=1e-5)  # over one step
    assert change == pytest.approx(
        1e-3 * row["d_gradient_norm"] / np.linalg.norm(before), rel=1e-2
    )


@pytest.mark.e2e
def test_singular_values_of_normalised_kernels(
    fit, run_log, read_rows, read_events, tmp_path
):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4, spectral_norm=True),
    )
    gan.compile("adam", "adam")
    fit(gan, [TrainingMetrics(run_log, 8, every=5)])
    run_log.close()
    row = read_rows(tmp_path)[-2]
    logged = [key for key in row if "singular_value/" in key]
    layers = [layer for layer in gan.discriminator.layers if hasattr(layer, "u")]
    assert len(logged) == len(layers) == 3
    assert row["singular_value/logits"] == layers[-1].singular_value() > 0
    assert "singular_value/logits" in read_events(tmp_path).Tags()["tensors"]


@pytest.mark.e2e
def test_a_diverged_run_stops_with_its_step(
    make_dense_gan, run_log, read_rows, tmp_path
):
    # Without activations: a kernel that fuses one may turn NaN into 0.
    gan = make_dense_gan(hidden="linear")
    kernel = gan.generator.get_layer("project").kernel
    kernel.assign(kernel * np.nan)
    metrics = TrainingMetrics(run_log, 8, every=2)
    samples = np.ones((16, 2), np.float32)
    message = "d_loss was nan at step 1, first in generator/project/kernel"
    with pytest.raises(RunError, match=message):
        gan.fit(samples, batch_size=8, verbose=0, callbacks=[metrics])
    row, event = read_rows(tmp_path)
    assert row["d_loss"] is None
    assert (event["event"], event["step"]) == ("non_finite", 1)
    assert event["loss"] == "d_loss"
    assert event["tensor"] == "generator/project/kernel"
