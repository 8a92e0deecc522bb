"""Base classes of callbacks that run every so many steps."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ganlab import pictures
from ganlab.callbacks.run_log import RunLog
from ganlab.files import atomic_file
from ganlab.provenance.marks import Mark
from ganlab.runs import RunFolder

Logs = Mapping[str, Any] | None


class PeriodicCallback(keras.callbacks.Callback):
    """Calls `run(step)` each time training passes a multiple of `every`.

    Steps are the model's own, counted over epochs and resumed runs. `resumed` states
    whether it goes on from the state of a checkpoint.

    Args:
        every: Integer, 1 or more: steps between calls.
    """

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every
        self.resumed = False
        self._last_step: int | None = None
        self._epoch_start = 0
        self._kept: dict[str, Any] | None = None

    def run(self, step: int) -> None:
        """Does the callback's work after `step` steps of training."""
        raise NotImplementedError

    def is_due(self, step: int) -> bool:
        """Whether a multiple of `every` was passed since the last call."""
        last_step = self._last_step or 0
        return step // self.every > last_step // self.every

    def state(self) -> dict[str, Any]:
        """What it goes on from in a resumed run: JSON values and arrays."""
        return {"last_step": self._last_step}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes the state that the next training goes on from."""
        self._kept = state

    def on_train_begin(self, logs: Logs = None) -> None:
        self._last_step = int(self.model.step.numpy())
        self.resumed = self._kept is not None
        if self._kept is not None:
            self.take_up(self._kept)
            self._kept = None

    def take_up(self, state: dict[str, Any]) -> None:
        """Goes on from a state, when training begins."""
        self._last_step = state["last_step"]

    def catch_up(self) -> None:
        """Calls `run` if it was due when the run was interrupted."""
        step = int(self.model.step.numpy())
        if self.resumed and self.is_due(step):
            self._last_step = step
            self._run(step)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_start = int(self.model.step.numpy())

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        step = self._epoch_start + batch + 1
        if self.is_due(step):
            self._run(step)
            self._last_step = step

    def run_at_end(self) -> None:
        """Calls `run` once more if steps were trained since the last call."""
        if self._last_step is None:
            return
        step = int(self.model.step.numpy())
        if step != self._last_step:
            self._run(step)
            self._last_step = step

    def _run(self, step: int) -> None:
        self.run(step)


class BudgetedCallback(PeriodicCallback):
    """Calls `run(step)` so seldom that it takes a fraction of the training time.

    After a call that took 2 s, the next waits until 20 s have gone by at a
    budget of 10 %.

    Args:
        every: Integer, 1 or more: steps between calls, at least.
        budget: Float in (0, 1]: largest fraction of the time.
        clock: Function without arguments that returns seconds.
    """

    def __init__(
        self,
        every: int,
        budget: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(every)
        self.budget = budget
        self.clock = clock
        self.seconds = 0.0
        self._last_seconds = 0.0
        self._train_began = 0.0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.seconds, self._last_seconds = 0.0, 0.0
        self._train_began = self.clock()
        super().on_train_begin(logs)

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "seconds": [self.seconds, self._last_seconds],
            "elapsed": self.clock() - self._train_began,
        }

    def take_up(self, state: dict[str, Any]) -> None:
        super().take_up(state)
        self.seconds, self._last_seconds = state["seconds"]
        self._train_began = self.clock() - state["elapsed"]

    def is_due(self, step: int) -> bool:
        """Whether `every` steps have gone by and the budget has room for one more."""
        if not super().is_due(step):
            return False
        elapsed = self.clock() - self._train_began + self._last_seconds
        return self.seconds + self._last_seconds <= self.budget * elapsed

    def _run(self, step: int) -> None:
        began = self.clock()
        self.run(step)
        self._last_seconds = self.clock() - began
        self.seconds += self._last_seconds


class PictureCallback(PeriodicCallback):
    """Runs before the first step, every so many steps, and after the last.

    Args:
        directory: The run's folder.
        every: Integer: steps between pictures.
        seed: Integer: seeds the latents.
        run_log: A `RunLog` that shows pictures in TensorBoard too, or `None`.
        mark: What the files say of where the pictures come from, but for seed and
            step.
    """

    def __init__(
        self,
        directory: Path | str,
        every: int = 500,
        seed: int = 0,
        run_log: RunLog | None = None,
        mark: Mark = pictures.UNNAMED,
    ) -> None:
        super().__init__(every)
        self.mark = dataclasses.replace(mark, seeds=(seed,))
        self.folder = RunFolder(directory)
        self.seed = seed
        self.run_log = run_log

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        if self.resumed:
            self.catch_up()
        else:
            self._run(int(self.model.step.numpy()))

    def on_train_end(self, logs: Logs = None) -> None:
        self.run_at_end()

    def save_picture(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Saves a uint8 array `(height, width, channels)` as the picture of a step.

        Args:
            step: Integer.
            name: Tag of the picture in TensorBoard.
            pixels: The picture.
        """
        path = self.folder.picture(step)
        with atomic_file(path) as temporary:
            pictures.write_png(
                pixels, temporary, dataclasses.replace(self.mark, step=step)
            )
        if self.run_log is not None:
            self.run_log.picture(step, name, path)
