"""Goes on with a run: from its newest checkpoint, with its own settings unless told."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganlab.config.differences import check_unchanged, differences
from ganlab.config.settings import SETTINGS, Recipe
from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.models.saving import load_gan
from ganlab.runs import Run
from ganlab.safety.sealed import read_notes
from ganlab.training.build import build_gan
from ganlab.training.rollback import go_on_changed

LOGGER = logging.getLogger("ganlab")
SCHEDULED = {
    "final_rate_share": "the learning rates",
    "final_beta_2": "beta_2",
    "final_weight_share": "the regularizers' weights",
    "instance_noise": "the instance noise",
}


def load(checkpoint: Path, run: Run, recorded: Mapping[str, Any] | None) -> GAN:
    """Loads a GAN that a run goes on from.

    Where the run is to be longer or shorter than it was, its schedules follow its new
    length, and a warning says which.

    Args:
        checkpoint: A whole checkpoint.
        run: The `Run`.
        recorded: The recipe's settings that it was trained with, or `None` where its
            schedules are to stay as they are.
    """
    steps = run.recipe.steps
    scheduled = schedules_of(run.recipe)
    if recorded is None or recorded["steps"] == steps or not scheduled:
        return load_gan(checkpoint)
    LOGGER.warning(
        "%s will change over %d steps, no longer over %d, from where they are",
        " and ".join(scheduled).capitalize(),
        steps,
        recorded["steps"],
    )
    gan = build_gan(run.recipe, run.num_classes)
    gan.load_weights(checkpoint)
    return gan


def schedules_of(recipe: Recipe) -> list[str]:
    """What changes over a run of a recipe, in words."""
    return [
        words
        for name, words in SCHEDULED.items()
        if getattr(recipe, name) != SETTINGS[name].default
    ]


def checked(run: Run, earlier: Run, change_settings: bool) -> Run:
    """The run that goes on, with what rollbacks have changed.

    Args:
        run: The `Run` as it is asked for.
        earlier: The `Run` as it was.
        change_settings: Boolean: whether settings may differ.

    Raises:
        UserError: if its data or its settings are not those that it began with.
    """
    for name in ("num_images", "class_names"):
        expected, received = getattr(earlier, name), getattr(run, name)
        if expected != received:
            raise UserError(
                f"Expected the data that the run began with, {name.replace('_', ' ')} "
                f"{expected}. Received: {received}; restore the data, or start a new "
                "run"
            )
    if not change_settings:
        changes = earlier.folder.changes_of_rollbacks()
        own = {name: getattr(earlier.recipe, name) for name in set().union(*changes)}
        run = replace(run, recipe=run.recipe.replace(**own))
    check_unchanged(run.recipe, earlier.recipe, change=change_settings)
    return run


def step_of_start(run: Run) -> int:
    """The step of the checkpoint that a run goes on from; 0 without one."""
    checkpoint = run.folder.newest_checkpoint()
    return 0 if checkpoint is None else int(read_notes(checkpoint)["step"])


def start_of(run: Run) -> tuple[Path | None, dict[str, Any]]:
    """The checkpoint that a run goes on from, and its notes; `None` to begin anew.

    Where the run has other settings than the checkpoint, it is saved again under them,
    and the log gets an event of what has changed.
    """
    checkpoint = run.folder.newest_checkpoint()
    if checkpoint is None:
        LOGGER.warning("There is no checkpoint to go on from: step 0 again")
        run.folder.rewind(-1, {"tensorboard": {}})
        return None, {}
    notes = read_notes(checkpoint)
    change = differences(run.recipe.as_dict(), notes.get("recipe") or {})
    if change:
        go_on_changed(run, checkpoint, {"event": "changed", "change": change})
        checkpoint = run.folder.checkpoint(int(notes["step"]))
        notes = read_notes(checkpoint)
    return checkpoint, notes
