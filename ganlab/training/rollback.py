"""Takes a failing run back to its best checkpoint, under changed settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.models.gan import GAN
from ganlab.models.optimizers import unwrapped
from ganlab.models.saving import load_gan
from ganlab.runs import Run
from ganlab.safety.sealed import read_notes
from ganlab.training.build import build_gan, dtype_policy


def start_of_rollback(run: Run) -> Path | None:
    """The best checkpoint; the newest of a run that ended at numbers not finite."""
    if run.folder.read_best() is not None:
        return run.folder.best_checkpoint
    if run.failure.name == "non_finite":
        return run.folder.newest_checkpoint()
    return None


def roll_back(run: Run, change: Mapping[str, Any], attempt: int) -> Run:
    """Makes the best checkpoint the newest, or the newest again, under other settings.

    What was logged after the checkpoint is kept in a file of its own, and the
    rollback is an event of the log. A crash before the later checkpoints are removed
    leaves the run as it was.

    Args:
        run: A run that a finding ended.
        change: Settings that leave the networks as they are.
        attempt: Integer: number of the attempt that is abandoned, from 1.

    Returns:
        The run under the changed recipe. It goes on from its newest checkpoint.
    """
    folder, finding = run.folder, run.failure
    checkpoint = start_of_rollback(run) or folder.best_checkpoint
    notes = read_notes(checkpoint)
    step = notes.get("step", (folder.read_best() or {}).get("step", 0))
    _, later = folder.split_log(step, notes.get("log", {}).get("bytes"))
    folder.write_attempt(attempt, later)
    run = run.with_recipe(changed(run.recipe, change))
    event = {"event": "rollback", "finding": finding.name, "change": dict(change)}
    go_on_changed(run, checkpoint, event)
    return run


def go_on_changed(run: Run, checkpoint: Path, event: Mapping[str, Any]) -> None:
    """Makes a checkpoint under the run's recipe the newest, and logs an event.

    Args:
        run: The `Run`, whose recipe is not the checkpoint's but keeps the networks.
        checkpoint: The checkpoint.
        event: What is logged.
    """
    folder = run.folder
    gan = branch(checkpoint, run.recipe, run.num_classes)
    step = int(gan.step.numpy())
    position = read_notes(checkpoint).get("log", {})
    _, later = folder.split_log(step, position.get("bytes"))
    event = {"step": step, "seconds": position.get("seconds", 0.0), **event}
    earlier = [row for row in later if row.get("event") == "rollback"]
    position = {**position, "then": [*earlier, event]}
    notes = {"recipe": run.recipe.as_dict(), "log": position}
    folder.save_checkpoint(gan.save, step, notes)
    folder.remove_checkpoints_after(step)
    folder.rewind(step, position)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A complete recipe with some settings changed, complete again.

    What a change leaves to the data, such as a new regularizer's weight, is filled in.
    """
    recipe = recipe.replace(**changes)
    return complete(recipe, recipe.image_size, recipe.channels)


def branch(checkpoint: Path | str, recipe: Recipe, num_classes: int | None) -> GAN:
    """Builds the GAN of a recipe with the weights of a checkpoint.

    Args:
        checkpoint: Path of a `.keras` file.
        recipe: A complete `ganlab.Recipe` of the same networks.
        num_classes: Integer, or `None`.

    Returns:
        A compiled `ganlab.GAN` at the checkpoint's step, both optimizers' moments
        included.
    """
    source = load_gan(checkpoint)
    with dtype_policy(recipe.dtype_policy):
        gan = build_gan(recipe, num_classes)
    for role in ("trained_generator", "discriminator", "ema_generator"):
        getattr(gan, role).set_weights(getattr(source, role).get_weights())
    gan.step.assign(source.step)
    states = zip(gan.random_states(), source.random_states(), strict=True)
    for state, source_state in states:
        state.assign(source_state)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        moments = _moments(getattr(gan, name))
        source_moments = _moments(getattr(source, name))
        if _shapes(moments) == _shapes(source_moments):
            for variable, value in zip(moments, source_moments, strict=True):
                variable.assign(value)
    return gan


def _moments(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """What an optimizer remembers, but for its rate."""
    return [
        variable
        for variable in unwrapped(optimizer).variables
        if "learning_rate" not in variable.path
    ]


def _shapes(variables: list[keras.Variable]) -> list[tuple[int, ...]]:
    return [tuple(variable.shape) for variable in variables]
