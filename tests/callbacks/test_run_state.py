"""What counts and remembers goes on from what a checkpoint holds of it."""

import math
import zipfile

import numpy as np
import tensorflow as tf

from ganlab.callbacks.run_state import RunState
from ganlab.runs import RunFolder


class Counter:
    """Something resumable."""

    def __init__(self, value=None):
        self.value = value

    def state(self):
        return self.value

    def restore(self, state):
        self.value = state


def save(path):
    zipfile.ZipFile(path, "w").close()


def test_a_state_comes_back_from_a_checkpoint(run_log, tmp_path):
    weights = [[np.arange(3.0)], [np.ones((2, 2), np.float32)]]
    half = np.asarray(tf.constant([0.5, 3.0], tf.bfloat16))
    numbers = [math.inf, -math.inf, math.nan, 0.5]
    value = {"step": 7, "weights": weights, "half": half, "told": [("a", "b")]}
    value |= {"numbers": numbers, "named": {"array": 3}}
    folder = RunFolder(tmp_path)
    state = RunState(run_log, {"one": Counter(value)}, {"loss": "hinge"})
    checkpoint = folder.save_checkpoint(save, 7, *state.collect())
    one, other = Counter(), Counter("as it was")
    RunState(run_log, {"one": one, "other": other}).restore(checkpoint)
    np.testing.assert_equal(one.value["weights"], weights)
    np.testing.assert_array_equal(one.value["half"], np.float32([0.5, 3.0]))
    assert (one.value["step"], one.value["told"]) == (7, [["a", "b"]])
    np.testing.assert_equal(one.value["numbers"], numbers)
    assert all(type(number) is float for number in one.value["numbers"])
    assert one.value["named"] == {"array": 3}
    assert other.value == "as it was"


def test_a_checkpoint_without_a_state_restores_nothing(run_log, tmp_path):
    checkpoint = RunFolder(tmp_path).save_checkpoint(save, 7)
    one = Counter("as it was")
    RunState(run_log, {"one": one}).restore(checkpoint)
    assert one.value == "as it was"
