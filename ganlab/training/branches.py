"""Branches of a run: trained on under changed settings, with a seed of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from ganlab.config.settings import keep_networks, split_settings
from ganlab.diagnosis import report
from ganlab.diagnosis.remedy_scores import Outcome
from ganlab.errors import RunError
from ganlab.runs import Run, RunFolder
from ganlab.text import printable
from ganlab.training.build import build_gan, dtype_policy
from ganlab.training.rollback import branch, changed
from ganlab.training.train import train


@dataclass(frozen=True)
class Origin:
    """Where branches leave their run.

    Args:
        run: The `Run`.
        step: Integer: steps trained there.
        checkpoint: `Path` of the checkpoint, or `None` where branches begin anew.
    """

    run: Run
    step: int = 0
    checkpoint: Path | None = None


def train_branch(
    origin: Origin,
    changes: Mapping[str, Any],
    seed: int,
    folder: RunFolder,
    steps: int,
    stream: TextIO | None = None,
) -> Outcome:
    """Trains a branch until it is some steps long; one that was begun goes on.

    A change of the networks begins anew and trains as many steps in all. Schedules
    stay as long as the run's. A branch from a checkpoint draws other latents by its
    seed, but takes its images in the run's order and holds out the same ones, for
    the checkpoint was trained on the others.

    Args:
        origin: The `Origin`.
        changes: Settings to change; none for an unchanged branch.
        seed: Integer.
        folder: The branch's `RunFolder`: a new one, or one that an earlier call made.
        steps: Integer: length of the branch in steps.
        stream: Text stream for progress, or `None`.

    Returns:
        An `Outcome`.
    """
    run = origin.run
    decisions, watching = split_settings(changes)
    goes_on = origin.checkpoint is not None and keep_networks(changes)
    recipe = changed(run.recipe, decisions)
    if not goes_on:
        recipe = recipe.replace(seed=seed)
    if not folder.holds_run():
        run.with_recipe(recipe, folder).save()
        seeded = recipe.replace(seed=seed)
        if origin.checkpoint is not None and goes_on:
            gan = branch(origin.checkpoint, seeded, run.num_classes)
        else:
            with dtype_policy(recipe.dtype_policy):
                gan = build_gan(seeded, run.num_classes)
        folder.save_checkpoint(gan.save, origin.step if goes_on else 0)
    diverged = False
    try:
        train(
            recipe.replace(steps=origin.step + steps),
            folder.path,
            monitoring=run.monitoring.replace(**watching),
            resume=True,
            keep_schedules=True,
            on_failure="none",
            stream=stream,
        )
    except RunError as error:
        diverged = True
        if stream is not None:
            print(printable(f"branch: {error}"), file=stream, flush=True)
    return Outcome.of(report.examine(folder.path), origin.step, diverged=diverged)
