"""Takes a failing run back to its best checkpoint, under changed settings."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.models.gan import GAN
from ganlab.models.optimizers import unwrapped
from ganlab.models.saving import load_gan
from ganlab.runs import Run
from ganlab.training.build import build_gan, dtype_policy


def roll_back(run: Run, change: Mapping[str, Any], attempt: int) -> Run:
    """Makes the best checkpoint the newest, under changed settings.

    What was logged after the checkpoint is kept in a file of its own, and the
    rollback is an event of the log.

    Args:
        run: A run that a finding ended.
        change: Settings that leave the networks as they are.
        attempt: Integer: number of the attempt that is abandoned, from 1.

    Returns:
        The run under the changed recipe. It goes on from its newest checkpoint.
    """
    folder = run.folder
    recipe = changed(run.recipe, change)
    gan = branch(folder.best_checkpoint, recipe, run.num_classes)
    step = int(gan.step.numpy())
    folder.trim_metrics(step, later_to=folder.attempt(attempt))
    folder.remove_checkpoints()
    folder.save_checkpoint(gan.save, step)
    folder.append_metrics(
        {
            "step": step,
            "seconds": 0.0,
            "event": "rollback",
            "finding": run.failure.name,
            "change": dict(change),
        }
    )
    return replace(run, recipe=recipe, failure=None)


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
    for role in ("generator", "discriminator", "ema_generator"):
        getattr(gan, role).set_weights(getattr(source, role).get_weights())
    gan.step.assign(source.step)
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
