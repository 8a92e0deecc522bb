"""Fixtures: noise to train on, a run log that is closed, a tiny GAN of known units."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganlab import GAN
from ganlab.callbacks import RunLog
from ganlab.data.image_data import ImageData


@pytest.fixture
def noise():
    """Forty images of noise in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    labels = (np.arange(40) % 3).astype(np.int32)
    return ImageData("noise", pixels, labels, ("a", "b", "c"), ())


@pytest.fixture
def fit(noise):
    """A function that trains on the noise, five steps an epoch."""

    def train(gan, callbacks, epochs=2, batch_size=8):
        return gan.fit(
            noise.batches(batch_size, labels=gan.num_classes is not None),
            steps_per_epoch=noise.steps_per_epoch(batch_size),
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )

    return train


@pytest.fixture
def run_log(tmp_path):
    """A run log in `tmp_path`."""
    log = RunLog(tmp_path)
    yield log
    log.close()


@pytest.fixture
def read_rows():
    """A function that reads the lines of a run folder's log."""

    def read(directory):
        lines = (directory / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    return read


@pytest.fixture
def read_events():
    """A function that reads what TensorBoard is given."""

    def read(directory):
        path = str(directory / "tensorboard")
        return EventAccumulator(path, {"tensors": 0}).Reload()

    return read


@pytest.fixture
def make_dense_gan():
    """A function that builds a GAN of 2-D samples with one hidden layer."""

    def make(hidden="relu", bias=0.0, loss="non_saturating"):
        latents = keras.Input((2,))
        constant = keras.initializers.Constant(bias)
        x = layers.Dense(
            4, activation=hidden, bias_initializer=constant, name="project"
        )(latents)
        generator = keras.Model(latents, layers.Dense(2)(x))
        samples = keras.Input((2,))
        logits = layers.Dense(1, name="logits")(samples)
        gan = GAN(generator, keras.Model(samples, logits))
        gan.compile("adam", "adam", loss=loss)
        return gan

    return make
