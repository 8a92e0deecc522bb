"""What a checkpoint keeps of a run beside its model, so that a resumed run is the same.

The state of every callback that counts or remembers, and where the log and
TensorBoard's files stood.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ganlab.callbacks.run_log import RunLog
from ganlab.safety import sealed

ARRAY = "array"  # what stands for an array in the notes
NUMBER = "not finite"  # what stands for such a number, which JSON has not


class Resumable(Protocol):
    """What goes on from the state that it had."""

    def state(self) -> dict[str, Any]:
        """JSON values, any floats and NumPy arrays, in dicts and lists."""

    def restore(self, state: dict[str, Any]) -> None:
        """Takes the state that training goes on from, before it begins."""


class RunState:
    """Collects the state of a run for its checkpoints, and gives it back.

    Args:
        run_log: The run's `RunLog`.
        callbacks: What is resumed, by name.
        recipe: The recipe's settings, or `None` where there is no recipe.
    """

    def __init__(
        self,
        run_log: RunLog,
        callbacks: dict[str, Resumable],
        recipe: Mapping[str, Any] | None = None,
    ) -> None:
        self.run_log = run_log
        self.callbacks = callbacks
        self.recipe = recipe

    def collect(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Notes and arrays of a checkpoint that is written now."""
        arrays: dict[str, np.ndarray] = {}
        states = {name: callback.state() for name, callback in self.callbacks.items()}
        notes = {
            "recipe": None if self.recipe is None else dict(self.recipe),
            "log": self.run_log.position(),
            "callbacks": _packed(states, "callbacks", arrays),
        }
        return notes, arrays

    def restore(self, checkpoint: Path) -> None:
        """Gives the callbacks the state that a checkpoint holds, if it holds any."""
        self.take_up(sealed.read_notes(checkpoint), sealed.read_arrays(checkpoint))

    def take_up(
        self, notes: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Gives the callbacks the state of `collect`'s notes and arrays, if any."""
        states = _unpacked(notes.get("callbacks", {}), arrays)
        for name, callback in self.callbacks.items():
            if name in states:
                callback.restore(states[name])


def _packed(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """A value as JSON; its arrays are added to `arrays`."""
    if isinstance(value, float) and not math.isfinite(value):
        return {NUMBER: str(value)}
    if isinstance(value, np.ndarray):
        arrays[name] = value if value.itemsize >= 4 else value.astype(np.float32)
        return {ARRAY: name}
    if isinstance(value, Mapping):
        return {
            key: _packed(item, f"{name}/{key}", arrays) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _packed(item, f"{name}/{index}", arrays) for index, item in enumerate(value)
        ]
    return value


def _unpacked(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if set(value) == {ARRAY} and isinstance(value[ARRAY], str):
            return arrays[value[ARRAY]]
        if set(value) == {NUMBER}:
            return float(value[NUMBER])
        return {key: _unpacked(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    return value
