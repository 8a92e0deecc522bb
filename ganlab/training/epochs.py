"""Callbacks for when steps, epochs and training end."""

from collections.abc import Callable

import keras

from ganlab.callbacks.periodic import Logs, PeriodicCallback


class FirstEpoch(keras.callbacks.Callback):
    """Ends the first epoch of a resumed run after the batches that it has left.

    Keras begins a whole epoch, and ends it early only together with training.

    Args:
        num_batches: Integer: batches left in the epoch.
    """

    def __init__(self, num_batches: int) -> None:
        super().__init__()
        self.num_batches: int | None = num_batches
        self._ends = False

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if batch + 1 == self.num_batches and not self.model.stop_training:
            self._ends = self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.num_batches = None
        if self._ends:
            self._ends = self.model.stop_training = False


class AfterStep(keras.callbacks.Callback):
    """Calls a function after each step, between the callbacks before and after it."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__()
        self.function = function

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.function()


class StopAt(PeriodicCallback):
    """Ends training at a step, in the middle of an epoch if need be."""

    def run(self, step: int) -> None:
        self.model.stop_training = True
