"""Attaches to a run what its monitoring asks for."""

import keras

from ganlab.callbacks import (
    Checkpoints,
    DecisionSurface,
    Evaluate,
    HealthProbe,
    RunLog,
    SampleGrids,
    TrainingMetrics,
)
from ganlab.callbacks.probe import PROBE_IMAGES
from ganlab.callbacks.probe_samples import MAX_SAMPLES
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data.toy2d import MIXTURES
from ganlab.data.wait_timer import WaitTimer
from ganlab.training.data import TrainingData


def monitoring_callbacks(
    run_log: RunLog,
    recipe: Recipe,
    monitoring: Monitoring,
    data: TrainingData,
    timer: WaitTimer,
) -> dict[str, keras.callbacks.Callback]:
    """Makes the callbacks of every run: metrics, probe, pictures, checkpoints, scores.

    Args:
        run_log: A `RunLog` of the run's folder.
        recipe: A complete `Recipe`.
        monitoring: A `Monitoring`.
        data: The run's `TrainingData`.
        timer: The `WaitTimer` that times the data.

    Returns:
        Callbacks by name; there is no `evaluation` without a reference.
    """
    directory = run_log.folder.path
    images, labels = data.train.take(MAX_SAMPLES)
    held_out, held_out_labels = None, None
    if data.held_out is not None:
        held_out, held_out_labels = data.held_out.take(PROBE_IMAGES)
    callbacks: dict[str, keras.callbacks.Callback] = {
        "training metrics": TrainingMetrics(
            run_log,
            recipe.batch_size * recipe.discriminator_steps,
            monitoring.log_every,
            timer,
        ),
        "health probe": HealthProbe(
            run_log,
            images,
            held_out,
            labels if recipe.conditional else None,
            held_out_labels if recipe.conditional else None,
            batch_size=recipe.batch_size,
            every=monitoring.probe_every,
            budget=monitoring.probe_share,
            seed=recipe.seed,
        ),
    }
    if data.train.kind.pictorial:
        callbacks["pictures"] = SampleGrids(
            directory,
            every=monitoring.sample_every,
            seed=recipe.seed,
            run_log=run_log,
        )
    else:
        callbacks["pictures"] = DecisionSurface(
            directory,
            MIXTURES[data.train.spec],
            every=monitoring.sample_every,
            seed=recipe.seed,
            run_log=run_log,
        )
    callbacks["checkpoints"] = Checkpoints(directory, every=monitoring.checkpoint_every)
    if data.reference is not None:
        callbacks["evaluation"] = Evaluate(
            directory,
            data.reference,
            every=monitoring.evaluate_every,
            budget=monitoring.evaluate_share,
            run_log=run_log,
        )
    return callbacks
