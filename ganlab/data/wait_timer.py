"""A timer of how long training waits for data."""

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

Batch: TypeAlias = tf.Tensor | tuple[tf.Tensor, ...]


class WaitTimer:
    """Adds up the seconds in which training waited for its next batch.

    Under a multi-device strategy batches are fetched ahead of the step, and
    the sum is the fetching thread's, not the step's.

    Args:
        clock: Function that returns the time in seconds, as a float64 tensor.
    """

    def __init__(self, clock: Callable[[], tf.Tensor] = tf.timestamp) -> None:
        self._clock = clock
        self._seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    @property
    def seconds(self) -> float:
        """Seconds waited so far."""
        return float(self._seconds.numpy())

    def watch(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Returns `dataset` with each request timed until its batch arrives."""

        def arrive(requested: tf.Tensor, batch: Batch) -> Batch:
            self._seconds.assign_add(self._clock() - requested)
            return batch

        requests = tf.data.Dataset.counter().map(lambda _: self._clock())
        timed = tf.data.Dataset.zip((requests, dataset)).map(arrive)
        options = tf.data.Options()
        # A prefetch after the timer would request a batch while a step still trains.
        options.experimental_optimization.inject_prefetch = False
        return timed.with_options(options)
