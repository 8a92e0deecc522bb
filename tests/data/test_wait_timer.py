"""The wait timer counts waiting for data, and nothing else."""

import tensorflow as tf

from ganlab.data.wait_timer import WaitTimer


def test_waiting_is_counted_and_training_is_not():
    now = tf.Variable(100.0, dtype=tf.float64, trainable=False)

    def load_slowly(index):
        now.assign_add(0.25)
        return index

    timer = WaitTimer(clock=now.read_value)
    batches = tf.data.Dataset.range(4).map(load_slowly)
    indices = []
    for index in timer.watch(batches):
        indices.append(int(index))
        now.assign_add(10.0)  # a training step
    assert indices == [0, 1, 2, 3]
    assert timer.seconds == 1.0


def test_batches_that_are_ready_cost_nothing():
    now = tf.Variable(0.0, dtype=tf.float64, trainable=False)
    timer = WaitTimer(clock=now.read_value)
    for _ in timer.watch(tf.data.Dataset.range(4)):
        now.assign_add(10.0)
    assert timer.seconds == 0.0


def test_the_default_clock_runs():
    timer = WaitTimer()
    assert timer.seconds == 0.0
    for _ in timer.watch(tf.data.Dataset.range(4)):
        pass
    assert timer.seconds > 0.0
