"""Keras's own callbacks do with a GAN what they do with any model."""

import csv

import keras
import numpy as np
import pytest
from keras import callbacks, layers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganlab import GAN, UserError

IMAGES = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")


def make(optimizer=lambda: keras.optimizers.Adam(1e-2), **compiled):
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.Dense(64, "tanh"),
            layers.Reshape((8, 8, 1)),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(8, "relu"),
            layers.Dense(1),
        ],
        name="discriminator",
    )
    gan = GAN(generator, discriminator)
    gan.compile(optimizer(), optimizer(), **compiled)
    return gan


def momentum():
    return keras.optimizers.SGD(1e-2, momentum=0.9)


def fit(gan, *used, epochs=3, images=IMAGES, **options):
    return gan.fit(
        images,
        batch_size=16,
        epochs=epochs,
        callbacks=list(used),
        shuffle=False,
        verbose=0,
        **options,
    )


def rates(gan):
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    return [float(optimizer.learning_rate) for optimizer in optimizers]


class Recorder(callbacks.Callback):
    """Keeps a log and all weights after each epoch."""

    def __init__(self, monitor="loss"):
        super().__init__()
        self.monitor = monitor
        self.values, self.weights = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.values.append(logs[self.monitor])
        self.weights.append(self.model.get_weights())


class Interrupt(callbacks.Callback):
    """Ends the process, as it were, after the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def assert_same(weights, others):
    for weight, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.e2e
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_terminate_on_nan_sees_what_a_relu_hides(run_eagerly):
    images = IMAGES.copy()
    images[20, 0, 0] = np.nan  # in the second batch
    gan = make(run_eagerly=run_eagerly)
    history = fit(gan, callbacks.TerminateOnNaN(), images=images)
    assert len(history.epoch) == 1
    assert np.isnan(history.history["loss"][0])


@pytest.mark.e2e
def test_early_stopping_restores_the_best_weights():
    recorder = Recorder("d_loss")
    stopping = callbacks.EarlyStopping(
        "d_loss", mode="max", patience=1, restore_best_weights=True
    )
    gan = make()
    fit(gan, recorder, stopping, epochs=8)
    assert len(recorder.values) < 8
    assert_same(gan.get_weights(), recorder.weights[np.argmax(recorder.values)])


@pytest.mark.e2e
def test_early_stopping_by_validation():
    stopping = callbacks.EarlyStopping(patience=0, min_delta=100.0)
    history = fit(make(), stopping, epochs=4, validation_data=IMAGES)
    assert len(history.epoch) == 2


@pytest.mark.e2e
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_model_checkpoint_keeps_the_best(tmp_path, suffix):
    path = tmp_path / f"best{suffix}"
    weights_only = suffix == ".weights.h5"
    recorder, gan = Recorder(), make()
    keeping = callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, save_weights_only=weights_only
    )
    fit(gan, recorder, keeping)
    if weights_only:
        loaded = make()
        loaded.load_weights(path)
    else:
        loaded = keras.saving.load_model(path)
    best = int(np.argmin(recorder.values))
    assert_same(loaded.get_weights(), recorder.weights[best])
    assert int(loaded.step) == 2 * (best + 1)
    assert loaded.generator_optimizer.iterations == 2 * (best + 1)


@pytest.mark.e2e
def test_model_checkpoint_names_files_by_logs(tmp_path):
    keeping = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{g_loss:.1f}.keras")
    history = fit(make(), keeping, epochs=2)
    names = {path.name for path in tmp_path.iterdir()}
    losses = history.history["g_loss"]
    assert names == {f"{e}-{g_loss:.1f}.keras" for e, g_loss in enumerate(losses, 1)}


@pytest.mark.e2e
def test_reduce_on_plateau_lowers_both_rates():
    gan = make()
    gan.discriminator_optimizer.learning_rate = 4e-2
    reducing = callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=100.0)
    fit(gan, reducing, epochs=2)
    assert rates(gan) == pytest.approx([1e-3, 4e-3])


@pytest.mark.e2e
def test_a_schedule_of_epochs_sets_both_rates():
    gan = make()
    fit(gan, callbacks.LearningRateScheduler(lambda epoch: 1e-3 / (epoch + 1)))
    assert rates(gan) == pytest.approx([1e-3 / 3] * 2)


@pytest.mark.e2e
def test_a_schedule_of_epochs_and_rates_keeps_their_ratio():
    gan = make()
    gan.discriminator_optimizer.learning_rate = 4e-2
    history = fit(gan, callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2))
    assert rates(gan) == pytest.approx([1e-2 / 8, 4e-2 / 8])
    logged = {
        key: values
        for key, values in history.history.items()
        if key.startswith("learning_rate_")
    }
    names = [key.removeprefix("learning_rate_").split("_")[0] for key in logged]
    assert sorted(names) == ["discriminator", "generator"]


@pytest.mark.e2e
def test_csv_logger_has_a_column_for_each_log(tmp_path):
    history = fit(make(), callbacks.CSVLogger(tmp_path / "log.csv"), epochs=2)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["g_loss"]) for row in rows] == pytest.approx(
        history.history["g_loss"]
    )
    assert {"epoch", *history.history} <= set(rows[0])


@pytest.mark.e2e
def test_tensorboard_has_a_histogram_for_each_weight(tmp_path):
    gan = make()
    fit(gan, callbacks.TensorBoard(tmp_path, histogram_freq=1), epochs=1)
    events = EventAccumulator(str(tmp_path / "train"), {"tensors": 0}).Reload()
    tags = events.Tags()
    histograms = {tag for tag in tags["tensors"] if tag.endswith("/histogram")}
    weights = [w for layer in gan.layers for w in layer.weights]
    assert histograms == {f"{weight.path}/histogram" for weight in weights}
    assert len(histograms) == len(weights)
    assert {"epoch_loss", "epoch_d_loss", "epoch_g_loss"} <= set(tags["tensors"])


@pytest.mark.e2e
def test_backup_and_restore_ends_where_one_run_would(tmp_path):
    whole, interrupted, resumed = (make(momentum) for _ in range(3))
    fit(whole, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted, callbacks.BackupAndRestore(tmp_path), Interrupt(), epochs=4)
    history = fit(resumed, callbacks.BackupAndRestore(tmp_path), epochs=4)
    assert history.epoch == [2, 3]
    for weight, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-6)


@pytest.mark.e2e
def test_swapped_averages_are_back_for_training():

    def averaging():
        return keras.optimizers.SGD(1e-2, use_ema=True)

    gan, plain = make(averaging), make(averaging)
    swapped = callbacks.SwapEMAWeights(swap_on_epoch=True)
    fit(gan, swapped, epochs=2)
    fit(plain, epochs=2)
    for weight, other in zip(gan.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-5)


@pytest.mark.e2e
def test_lambda_callback_gets_every_log():
    seen = []
    fit(
        make(),
        callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(logs)
        ),
        epochs=1,
    )
    assert len(seen) == 2
    assert {"loss", "d_loss", "g_loss", "d_real", "d_fake"} <= set(seen[0])


@pytest.mark.e2e
def test_the_progress_bar_shows_both_losses(capsys):
    gan = make()
    gan.fit(IMAGES, batch_size=16, verbose=2)
    printed = capsys.readouterr().out
    assert "d_loss: " in printed
    assert "g_loss: " in printed


@pytest.mark.e2e
def test_names_in_the_summary_and_paths_of_weights_differ():
    gan = make()
    fit(gan, epochs=1)
    paths = [variable.path for variable in gan.variables]
    assert len(paths) == len(set(paths))
    lines = []
    gan.summary(print_fn=lines.append)
    names = [layer.name for layer in gan.layers]
    assert len(names) == len(set(names))
    assert all(name in "\n".join(lines) for name in names)


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_the_old_format_is_refused(tmp_path, suffix):
    with pytest.raises(UserError, match=r"save the GAN as .keras or .weights.h5"):
        make().save(tmp_path / f"gan{suffix}")
