"""What a monitor remembers, in the weights that Keras's `BackupAndRestore` keeps."""

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ganlab.diagnosis.log import ENDINGS
from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.models.optimizers import unwrapped
from ganlab.models.seeds import random_states
from ganlab.runs import RunFolder
from ganlab.safety.bounded import parse_json

Notes = dict[str, Any]
Arrays = dict[str, np.ndarray]
NAME = "0 ganlab"  # no attribute of a user's, and saved and loaded before all others


class Backup(keras.layers.Layer):
    """Adds to a model's weights what goes on with them, while the model is watched.

    Keras walks over a model's attributes to save its weights, and this is one; it has
    no weights, and is no layer of the model. Beside the notes it keeps of a model that
    is no `ganlab.GAN` what Keras does not: the random states, and which variables each
    optimizer trains, for an optimizer that is not built loads nothing.

    Args:
        model: The `keras.Model` that trains.
        collect: Returns notes and arrays, or `None` if nothing is to be kept now.
    """

    def __init__(
        self, model: keras.Model, collect: Callable[[], tuple[Notes, Arrays] | None]
    ) -> None:
        super().__init__(name="ganlab_backup", trainable=False)
        self.built = True
        self._of_model = lambda: model
        self._collect = collect
        self.loaded: tuple[Notes, Arrays] | None = None

    def attach(self) -> None:
        """Makes it an attribute of the model that no tracking notices."""
        vars(self._of_model())[NAME] = self

    def detach(self) -> None:
        """Takes it away from the model."""
        vars(self._of_model()).pop(NAME, None)

    def save_own_variables(self, store: Any) -> None:
        collected = self._collect()
        if collected is None:
            return
        notes, arrays = collected
        model = self._of_model()
        names = list(arrays)
        for index, name in enumerate(names):
            store[f"array_{index}"] = arrays[name]
        if not isinstance(model, GAN):
            notes = {**notes, "optimizers": self._trained_by()}
            for index, state in enumerate(random_states(self._of_model())):
                store[f"random_{index}"] = state
        text = json.dumps({**notes, "arrays": names}, allow_nan=False)
        store["notes"] = np.frombuffer(text.encode(), np.uint8)

    def load_own_variables(self, store: Any) -> None:
        if "notes" not in store.keys():  # noqa: SIM118 (a store has no other)
            return
        notes = parse_json(store["notes"].tobytes().decode())
        names = notes.pop("arrays")
        arrays = {name: store[f"array_{index}"] for index, name in enumerate(names)}
        for index, state in enumerate(random_states(self._of_model())):
            if f"random_{index}" in store.keys():  # noqa: SIM118
                state.assign(store[f"random_{index}"])
        variables = self._of_model().variables
        for name, indices in notes.pop("optimizers", {}).items():
            optimizer = getattr(self._of_model(), name)
            if not optimizer.built:
                optimizer.build([variables[index] for index in indices])
        self.loaded = notes, arrays

    def _trained_by(self) -> dict[str, list[int]]:
        """The places of what each optimizer trains among the model's variables."""
        model, places = self._of_model(), {}
        known = {id(variable): index for index, variable in enumerate(model.variables)}
        for name, optimizer in vars(model).items():
            if isinstance(optimizer, keras.optimizers.Optimizer) and optimizer.built:
                trained = getattr(unwrapped(optimizer), "_trainable_variables", [])
                if all(id(variable) in known for variable in trained):
                    places[name] = [known[id(variable)] for variable in trained]
        return places


def check_unfinished(folder: RunFolder, *, allowed: bool) -> None:
    """Raises `UserError` unless a run that no backup goes on with may be removed.

    Args:
        folder: A folder that holds a run.
        allowed: Boolean: whether one may be removed that has not finished.
    """
    rows = folder.read_metrics()
    finished = bool(rows) and f'"event": "{ENDINGS[0]}"' in rows[-1]
    if finished or not allowed:
        raise UserError(
            f"Expected a new folder for a run. Received: {folder}, which holds a run; "
            "name another, or give Monitor(..., resume=True) to go on with a run that "
            "has not finished"
        )


def remove_run(folder: RunFolder) -> None:
    """Removes what was logged, and the checkpoints."""
    folder.rewind(-1, {"tensorboard": {}})
    folder.remove_all_checkpoints()
