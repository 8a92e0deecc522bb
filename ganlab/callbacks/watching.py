"""Everything that watches a run, by name."""

import functools
from collections.abc import Container
from typing import NamedTuple, TextIO

import keras
import numpy as np

from ganlab import evaluation
from ganlab.callbacks.checkpoints import Checkpoints
from ganlab.callbacks.decision_surface import DecisionSurface
from ganlab.callbacks.evaluate import Evaluate
from ganlab.callbacks.health_probe import HealthProbe
from ganlab.callbacks.probe_samples import MAX_PROBED
from ganlab.callbacks.progress import StageBars
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.run_state import RunState
from ganlab.callbacks.sample_grids import SampleGrids
from ganlab.callbacks.training_metrics import BlackBox, TrainingMetrics
from ganlab.callbacks.translation_grids import TranslationGrids
from ganlab.config.settings import Monitoring
from ganlab.data import kinds
from ganlab.data.image_data import ImageData
from ganlab.data.toy2d import find_mixture
from ganlab.data.wait_timer import WaitTimer
from ganlab.evaluation import Reference

Samples = tuple[np.ndarray, np.ndarray | None]


class Translated(NamedTuple):
    """What a translator is watched by.

    Args:
        sources: Uint8 array `(n, height, width, channels)`: those of the grids.
        images: Uint8 array: what belongs to them, or `None`.
        scored: Sources of which the first are translated, to be scored.
    """

    sources: np.ndarray
    images: np.ndarray | None
    scored: ImageData


def watching_callbacks(
    run_log: RunLog,
    monitoring: Monitoring,
    spec: str,
    real: Samples,
    held_out: Samples | None = None,
    *,
    reference: Reference | None = None,
    batch_size: int | None = None,
    step_size: int | None = None,
    seed: int = 0,
    timer: WaitTimer | None = None,
    optimizers: dict[str, keras.optimizers.Optimizer] | None = None,
    followed: bool = False,
    probabilities: bool = False,
    beliefs: bool = False,
    black_box: BlackBox | None = None,
    attribution: str = "",
    until: tuple[str, float] | None = None,
    translated: Translated | None = None,
) -> dict[str, keras.callbacks.Callback]:
    """Makes the callbacks that watch a run.

    Args:
        run_log: A `RunLog` of the run's folder.
        monitoring: A `Monitoring`: how often, and for how much of the time.
        spec: The data SPEC, which names a toy mixture.
        real: Samples that are trained on, as the networks take them, and their labels
            of a conditional GAN or `None`.
        held_out: Likewise, that are not trained on; or `None`.
        reference: The `ganlab.evaluation.Reference` to score against, or `None`.
        batch_size: Integer: images of a batch, or `None` if it is not known.
        step_size: Integer: real images that a step takes; by default `batch_size`.
        seed: Integer: seeds latents.
        timer: The `WaitTimer` that times the data, or `None`.
        optimizers: By `d` and `g`, where they are not the model's own.
        followed: See `HealthProbe`.
        probabilities: See `HealthProbe`.
        beliefs: See `HealthProbe`.
        black_box: See `TrainingMetrics`.
        attribution: See `SampleGrids`.
        until: See `Evaluate`.
        translated: What a translator is watched by, or `None` for a GAN.

    Returns:
        Callbacks by name, `checkpoints` last, which any other stands before. There are
        no `pictures` of arrays, no `evaluation` without a reference, and no `health
        probe` of translators.
    """
    directory = run_log.folder.path
    (images, labels), (held, held_labels) = real, held_out or (None, None)
    callbacks: dict[str, keras.callbacks.Callback] = {}
    if translated is None:
        callbacks["health probe"] = HealthProbe(
            run_log,
            images,
            held,
            labels,
            held_labels,
            batch_size=batch_size or MAX_PROBED,
            every=monitoring.probe_every,
            budget=monitoring.probe_share,
            seed=seed,
            followed=followed,
            probabilities=probabilities,
            beliefs=beliefs,
        )
    callbacks["training metrics"] = TrainingMetrics(
        run_log,
        step_size or batch_size,
        monitoring.log_every,
        timer,
        optimizers=optimizers,
        black_box=black_box,
    )
    every, mixture = monitoring.sample_every, find_mixture(spec)
    if translated is not None:
        callbacks["pictures"] = TranslationGrids(
            directory,
            translated.sources,
            translated.images,
            every,
            run_log,
            attribution,
        )
    elif kinds.of_shape(images.shape[1:]).pictorial:
        callbacks["pictures"] = SampleGrids(
            directory, every, seed, run_log=run_log, attribution=attribution
        )
    elif mixture is not None:
        callbacks["pictures"] = DecisionSurface(
            directory, mixture, every=every, seed=seed, run_log=run_log
        )
    run_state = RunState(run_log, {})
    if reference is not None:
        callbacks["evaluation"] = Evaluate(
            directory,
            reference,
            every=monitoring.evaluate_every,
            budget=monitoring.evaluate_share,
            run_log=run_log,
            run_state=run_state,
            attribution=attribution,
            until=until,
            sources=None
            if translated is None
            else translated.scored.stored(reference.protocol.num_images),
        )
    run_state.callbacks = dict(callbacks)
    callbacks["checkpoints"] = Checkpoints(
        directory, every=monitoring.checkpoint_every, run_state=run_state
    )
    return callbacks


def load_reference(
    monitoring: Monitoring,
    data: ImageData,
    excluded: Container[str],
    stream: TextIO | None = None,
) -> Reference | None:
    """Chooses the real images that a run is scored against; `None` of too few.

    Args:
        monitoring: How many images, and whose features.
        data: All images of the data set.
        excluded: See `ganlab.evaluation.load_reference`.
        stream: Text stream for a progress bar, or `None`.
    """
    if len(data.images) < evaluation.MIN_IMAGES:
        return None
    bars = None if stream is None else StageBars(stream)
    return evaluation.load_reference(
        data,
        features=monitoring.features,
        excluded=excluded,
        num_images=monitoring.evaluate_images,
        progress=None if bars is None else functools.partial(bars, "real features"),
    )
