"""What Keras's own callbacks and a user's count and remember, for a resumed run."""

import inspect
import numbers
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ganlab.callbacks.periodic import Logs
from ganlab.models.optimizers import unwrapped

Attributes = dict[str, Any]


class KerasState(keras.callbacks.Callback):
    """Keeps other callbacks as training has changed them, and ends their epochs.

    What is kept of a callback are those of its attributes that training has changed
    and that are plain: numbers, strings, arrays, `None`, and lists of these; arguments
    of Keras's own classes are not. It stands behind the callbacks and before what
    writes checkpoints.

    A checkpoint is written before the end of its epoch. So where a run goes on from the
    last step of an epoch, that epoch's end is made up for; where it goes on in the
    middle of one, its second beginning changes neither a callback nor a learning rate.

    Args:
        callbacks: Keras callbacks.
        steps_per_epoch: Integer: steps of an epoch.
    """

    def __init__(
        self, callbacks: Sequence[keras.callbacks.Callback], steps_per_epoch: int
    ) -> None:
        super().__init__()
        self.callbacks = list(callbacks)
        self.steps_per_epoch = steps_per_epoch
        self._kept: dict[str, Any] | None = None
        self._first: list[Attributes] = []
        self._changed: list[Attributes] = []
        self._logs: dict[str, float] | None = None  # of an epoch that has not ended

    def state(self) -> dict[str, Any]:
        """What the callbacks go on from."""
        for callback, first, changed in zip(
            self.callbacks, self._first, self._changed, strict=True
        ):
            changed |= {
                name: value
                for name, value in _plain(callback).items()
                if name in changed or not _equal(value, first.get(name))
            }
        return {
            "logs": self._logs,
            "changed": [dict(changed) for changed in self._changed],
            "classes": self._classes(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes the state that the next training goes on from."""
        self._kept = state if state["classes"] == self._classes() else None

    def _classes(self) -> list[str]:
        return [type(callback).__name__ for callback in self.callbacks]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._first = [_plain(callback) for callback in self.callbacks]
        self._changed = [{} for _ in self.callbacks]
        self._logs = None
        kept, self._kept = self._kept, None
        if kept is None:
            return
        self._changed = [dict(changed) for changed in kept["changed"]]
        self._set_back()
        epoch, batch = divmod(int(self.model.step.numpy()), self.steps_per_epoch)
        if batch:
            self._kept = kept
            self._rates = [rate.numpy() for rate in self._rate_variables()]
        elif kept["logs"] is not None:
            for callback in self.callbacks:
                callback.on_epoch_end(epoch - 1, dict(kept["logs"]))
            if self.model.stop_training:
                self.model._initial_epoch = self.params["epochs"]  # trains no more

    def _set_back(self) -> None:
        for callback, changed in zip(self.callbacks, self._changed, strict=True):
            vars(callback).update(changed)

    def _rate_variables(self) -> list[keras.Variable]:
        optimizers = self.model.generator_optimizer, self.model.discriminator_optimizer
        return [
            variable
            for optimizer in optimizers
            for variable in unwrapped(optimizer).variables
            if "learning_rate" in variable.path
        ]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self._kept is not None:
            self._kept = None
            self._set_back()
            for rate, value in zip(self._rate_variables(), self._rates, strict=True):
                rate.assign(value)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._logs = {name: float(value) for name, value in (logs or {}).items()}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._logs = None


def _plain(callback: keras.callbacks.Callback) -> Attributes:
    """A callback's attributes that can be kept; lists and arrays are copies."""
    settings = {"params", "_model"}
    for base in type(callback).__mro__:
        if base.__module__.partition(".")[0] == "keras":
            settings |= {*inspect.signature(base).parameters}
    copies = {
        name: _copy(value)
        for name, value in vars(callback).items()
        if name not in settings
    }
    return {name: copy for name, copy in copies.items() if copy is not NotImplemented}


def _copy(value: Any) -> Any:
    """A plain value, or `NotImplemented` of any other."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.copy()
    if isinstance(value, list):
        items = [_copy(item) for item in value]
        whole = all(item is not NotImplemented for item in items)
        return items if whole else NotImplemented
    return NotImplemented


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, list) and isinstance(other, list):
        pairs = zip(value, other, strict=False)
        return len(value) == len(other) and all(_equal(*pair) for pair in pairs)
    return type(value) is type(other) and bool(np.array_equal(value, other))
