"""A script with Keras's BackupAndRestore that is run again goes on, log and all."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ganlab
from ganlab import diagnosis
from ganlab.callbacks import Monitor
from ganlab.errors import UserError

STEPS, EPOCHS = 5, 3
MONITORING = ganlab.Monitoring(
    log_every=2,
    sample_every=4,
    checkpoint_every=3,
    evaluate_every=4,
    evaluate_share=1.0,
    evaluate_images=16,
    features="pixels",
    probe_every=3,
    probe_share=1.0,
)
KEYS = ("d_loss", "g_loss", "fid", "d_drift", "d_gain", "pairwise_ratio")


class Killed(BaseException):
    """Stands for what ends a process at once."""


class Kill(keras.callbacks.Callback):
    """Ends training after a batch of an epoch, or after an epoch."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise Killed

    def on_epoch_end(self, epoch, logs=None):
        if (epoch, None) == (self.epoch, self.batch):
            raise Killed


def networks():
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(256, activation="sigmoid"),
            layers.Reshape((16, 16, 1)),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        name="discriminator",
    )
    return generator, discriminator


class Plain(keras.Model):
    """A GAN as a user writes it, with a random state of its own."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.seed_generator = keras.random.SeedGenerator(1)
        self.built = True

    def compile(self):
        super().compile()
        self.d_optimizer, self.g_optimizer = (
            keras.optimizers.Adam(1e-2) for _ in range(2)
        )
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.d_mean = keras.metrics.Mean(name="d_loss")

    @property
    def metrics(self):
        return [self.d_mean]

    def train_step(self, real):
        latents = keras.random.normal((8, 8), seed=self.seed_generator)
        zeros, ones = tf.zeros((8, 1)), tf.ones((8, 1))
        with tf.GradientTape(persistent=True) as tape:
            on_fake = self.discriminator(self.generator(latents, training=True))
            on_real = self.discriminator(real, training=True)
            d_loss = self.loss_fn(ones, on_real) + self.loss_fn(zeros, on_fake)
            g_loss = self.loss_fn(ones, on_fake)
        for loss, network, optimizer in (
            (d_loss, self.discriminator, self.d_optimizer),
            (g_loss, self.generator, self.g_optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        self.d_mean.update_state(d_loss)
        return {"d_loss": self.d_mean.result(), "g_loss": g_loss}


def plain():
    model = Plain(*networks())
    model.compile()
    return model


def gan():
    model = ganlab.GAN(*networks())
    model.compile("adam", "adam", regularizers="lecam")
    return model


@pytest.fixture
def script(tmp_path):
    """A function that is a user's script, run from its beginning."""
    images = np.random.default_rng(0).random((40, 16, 16, 1)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices(images).batch(8)

    def run(make, name, *used, backup_first=False, save_freq="epoch", **options):
        model = make()
        monitor = Monitor(
            tmp_path / name, images, monitoring=MONITORING, resume=True, **options
        )
        backup = keras.callbacks.BackupAndRestore(tmp_path / f"{name}-b", save_freq)
        first = [backup, monitor] if backup_first else [monitor, backup]
        fit = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
        model.fit(batches, callbacks=[*first, *used], **fit)
        return model, diagnosis.read(tmp_path / name)

    return run


def numbers(log):
    return {
        key: (log.get(key).steps, log.get(key).values) for key in KEYS if log.get(key)
    }


def variables(model):
    optimizers = [
        getattr(model, name)
        for name in ("g_optimizer", "d_optimizer", "generator_optimizer")
        if hasattr(model, name)
    ]
    return [v for part in (model, *optimizers) for v in part.variables]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("make", "kills"),
    [
        (gan, [(0, 3), (1, 2)]),
        pytest.param(plain, [(1, 2), (2, None)], marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer 'rm_sprop'")
def test_a_script_that_is_run_again_ends_as_one_run(make, kills, script):
    whole, log = script(make, "whole")
    for kill in itertools.starmap(Kill, kills):
        with pytest.raises(Killed):
            script(make, "parts", kill)
    parts, again = script(make, "parts")
    for variable, other in zip(variables(parts), variables(whole), strict=True):
        np.testing.assert_allclose(variable, other, rtol=1e-5, atol=1e-6)
    assert again.last_step == log.last_step == STEPS * EPOCHS
    assert [row["step"] for row in again.events] == [row["step"] for row in log.events]
    series, expected = numbers(again), numbers(log)
    assert set(series) == set(expected) >= {"d_loss", "fid", "d_drift"}
    for key in expected:
        np.testing.assert_array_equal(series[key][0], expected[key][0], key)
        np.testing.assert_allclose(series[key][1], expected[key][1], 1e-3, 1e-4, key)


@pytest.mark.e2e
def test_a_backup_of_batches_goes_on_where_keras_does(script):
    options = {"backup_first": True, "save_freq": 3}
    with pytest.raises(Killed):
        script(gan, "run", Kill(1, 3), **options)
    model, log = script(gan, "run", **options)
    # Keras keeps the weights of step 9 and begins the second epoch again.
    assert int(model.step.numpy()) == log.last_step == 9 + STEPS * (EPOCHS - 1)
    np.testing.assert_array_equal(log.get("d_loss").steps, range(2, 20, 2))


@pytest.mark.e2e
def test_what_is_saved_while_watching_loads_without(script, tmp_path):
    path = tmp_path / "saved.weights.h5"
    keeping = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model, _ = script(gan, "run", keeping)
    other = gan()
    other.load_weights(path)
    for variable, expected in zip(variables(other), variables(model), strict=True):
        np.testing.assert_array_equal(variable, expected)
    with pytest.raises(UserError, match="holds a run; name another"):
        script(gan, "run")
