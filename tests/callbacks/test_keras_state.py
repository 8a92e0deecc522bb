"""What callbacks count is kept, and an epoch that was cut off is ended."""

import json
import zipfile

import keras
import numpy as np

from ganlab.callbacks.keras_state import KerasState
from ganlab.callbacks.run_state import RunState
from ganlab.runs import RunFolder


class Counter(keras.callbacks.Callback):
    """Counts batches and epochs, and keeps what is plain and what is not."""

    def __init__(self, patience=3):
        super().__init__()
        self.patience = patience
        self.function = print

    def on_train_begin(self, logs=None):
        self.batches, self.worst, self.weights = 0, -np.inf, []
        self.losses, self.begun = [], 0

    def on_epoch_begin(self, epoch, logs=None):
        self.begun += 1

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        self.worst = np.float64(np.inf)
        self.weights = self.model.discriminator.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append((epoch, logs["d_loss"]))
        self.losses = list(self.losses)


def save(path):
    zipfile.ZipFile(path, "w").close()


def test_what_training_has_changed_is_kept(make_dense_gan, run_log, tmp_path):
    gan, counter = make_dense_gan(), Counter()
    state = KerasState([counter], 2)
    samples = np.ones((16, 2), np.float32)
    gan.fit(samples, batch_size=8, verbose=0, callbacks=[counter, state])
    assert set(state.state()["changed"][0]) == {"batches", "worst", "weights", "begun"}
    notes, arrays = RunState(run_log, {"callbacks": state}).collect()
    notes = json.loads(json.dumps(notes, allow_nan=False))
    path = RunFolder(tmp_path).save_checkpoint(save, 2, notes, arrays)
    again, other = Counter(), KerasState([Counter()], 2)
    other.callbacks = [again]
    RunState(run_log, {"callbacks": other}).restore(path)
    for callback in (again, other):
        callback.set_model(gan)
        callback.on_train_begin()
    assert (again.batches, again.worst, again.begun) == (2, np.inf, 1)
    for weight, expected in zip(again.weights, counter.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_other_callbacks_get_nothing_of_it(make_dense_gan):
    state = KerasState([Counter()], 2)
    state.restore({"classes": ["EarlyStopping"], "changed": [{}], "logs": None})
    state.set_model(make_dense_gan())
    for callback in (*state.callbacks, state):
        callback.on_train_begin()
    assert state.callbacks[0].batches == 0


def test_an_epoch_that_was_cut_off_ends_and_may_end_training(make_dense_gan):
    gan = make_dense_gan()
    gan.step.assign(4)
    losses = []
    stopping = keras.callbacks.EarlyStopping("loss", patience=0)
    ends = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append((epoch, logs["loss"]))
    )
    state = KerasState([stopping, ends], 2)
    kept = {"classes": ["EarlyStopping", "LambdaCallback"], "logs": {"loss": 3.0}}
    state.restore({**kept, "changed": [{"best": 1.0, "wait": 0}, {}]})
    samples = np.ones((16, 2), np.float32)
    options = {"batch_size": 8, "initial_epoch": 2, "epochs": 9, "verbose": 0}
    gan.fit(samples, callbacks=[stopping, ends, state], **options)
    assert losses == [(1, 3.0)]
    assert int(gan.step.numpy()) == 4
