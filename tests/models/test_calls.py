"""fit and its like: what Keras would refuse with a traceback, or ignore."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import UserError
from ganlab.models import calls

IMAGES = np.zeros((4, 8), "float32")


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"batch_size": 0}, "batch_size of 1 or more"),
        ({"batch_size": 4.0}, "batch_size of 1 or more"),
        ({"epochs": "2"}, "epochs of 0 or more"),
        ({"steps_per_epoch": 0}, "steps_per_epoch of 1 or more"),
        ({"validation_steps": -1}, "validation_steps of 1 or more"),
        ({"validation_split": 2.0}, "under 1"),
        ({"epoch": 3}, "write epochs"),
        ({"callbacks": [keras.callbacks.TerminateOnNaN]}, "TerminateOnNaN()"),
        ({"callbacks": [print]}, "LambdaCallback"),
        ({"x": tf.data.Dataset.from_tensors(IMAGES).repeat()}, "pass steps_per_epoch"),
        (
            {"validation_data": tf.data.Dataset.from_tensors(IMAGES).repeat()},
            "pass validation_steps",
        ),
        ({"x": {1, 2}}, "pass an array"),
        ({"x": tf.data.Dataset.from_tensors(IMAGES), "y": IMAGES[:, 0]}, "zip"),
    ],
)
def test_arguments_of_fit_that_cannot_be_meant(build, options, fix):
    with pytest.raises(UserError, match="Expected .*Received") as error:
        build().fit(**{"x": IMAGES, "verbose": 0, **options})
    assert fix in str(error.value)


def test_a_loss_that_is_watched_is_to_fall():
    losses = keras.callbacks.EarlyStopping("val_d_loss")
    share = keras.callbacks.EarlyStopping("d_real", mode="max")
    calls.check_callbacks([losses, share], None)
    assert losses.mode == "min"
    assert share.mode == "max"


@pytest.mark.parametrize(
    ("files", "raised"),
    [
        (["a/keras/callbacks/x.py", "a/keras/ops/y.py"], True),
        (["a/keras/callbacks/x.py", "home/mine.py"], False),
        (["home/callbacks/mine.py"], False),
    ],
)
def test_only_what_keras_itself_raises_is_put_in_one_line(files, raised):
    parts = [tuple(file.split("/")) for file in files]
    assert calls.raised_in(parts, "callbacks") is raised


def test_a_schedule_is_not_set_by_a_callback(build):
    gan = build()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    gan.compile(keras.optimizers.SGD(schedule), "sgd")
    with pytest.raises(UserError, match="ReduceLROnPlateau, and an optimizer with"):
        gan.fit(IMAGES, callbacks=[keras.callbacks.ReduceLROnPlateau("loss")])


def test_errors_of_a_users_code_stay():
    with pytest.raises(ValueError, match="mine"), calls.in_one_line():
        raise ValueError("mine")
    failed = tf.errors.UnknownError(None, None, "wrapped")
    with pytest.raises(OSError, match="cat"), calls.own_errors([OSError("cat")]):
        raise failed
    with pytest.raises(tf.errors.UnknownError), calls.own_errors([]):
        raise failed


def test_flags_are_true_or_false():
    calls.check_flags(recompute=np.True_)
    with pytest.raises(UserError, match="run_eagerly to be True or False"):
        calls.check_flags(run_eagerly="no")
