"""How long does a step take, and how many steps fit into a time?"""

import logging
import math
import time
from collections.abc import Callable
from typing import TextIO

import keras
from tqdm import tqdm

from ganlab.callbacks.periodic import Logs
from ganlab.config.settings import Monitoring, Recipe
from ganlab.errors import UserError
from ganlab.training import memory
from ganlab.training.build import build_gan, dtype_policy
from ganlab.training.data import TrainingData

LOGGER = logging.getLogger("ganlab")
MAX_STEPS, MAX_SECONDS = 100, 5.0  # that are measured, whichever is less
COMPILATIONS = 3.0  # first steps: the run's own, and its probe takes two
CHECKPOINTS_SHARE = 0.01  # of the time, and of all else that is written


class Pace(keras.callbacks.Callback):
    """Measures a hundred steps, or five seconds of them, at the beginning of `fit`.

    It stands before the callbacks whose time is not the step's. The first step, which
    compiles, is measured by itself: `compilation` are its seconds, and `step` the mean
    seconds of the others, `None` before there is one.

    Args:
        measured: Function that is called once, when the steps are measured.
        clock: Function without arguments that returns seconds.
    """

    def __init__(
        self,
        measured: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__()
        self.measured = measured
        self.clock = clock
        self.compilation, self._seconds = 0.0, 0.0
        self._count = 0  # of steps after the first one

    @property
    def step(self) -> float | None:
        """Mean seconds of a step."""
        return self._seconds / self._count if self._count else None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._count, self._seconds, self._first = 0, 0.0, True
        self._done = False

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._began = self.clock()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._done:
            return
        seconds = self.clock() - self._began
        if self._first:
            self.compilation, self._first = seconds, False
            return
        self._count += 1
        self._seconds += seconds
        if self._count >= MAX_STEPS or self._seconds >= MAX_SECONDS:
            self._done = True
            self.measured()


def announce(steps: int, share: float, stream: TextIO) -> Pace:
    """A `Pace` that says how long a run will take that ends at a step.

    Args:
        steps: Integer: the last step.
        share: See `training_share`.
        stream: Text stream, on which there may be a progress bar.
    """

    def say() -> None:
        left, seconds = steps - int(pace.model.step.numpy()), pace.step
        if left > 0 and seconds is not None:
            write = tqdm.write if stream.isatty() else print
            write(
                f"A step takes {duration(seconds)}: {left:,} more take about "
                f"{duration(left * seconds / share)}",
                file=stream,
            )

    pace = Pace(say)
    return pace


def training_share(monitoring: Monitoring, *, scored: bool) -> float:
    """The fraction of a run's time that is left to its steps, at least.

    Args:
        monitoring: The `Monitoring` that takes the rest.
        scored: Boolean: whether there is a reference to score against.
    """
    watching = monitoring.probe_share + CHECKPOINTS_SHARE
    if scored:
        watching += monitoring.evaluate_share
    return max(1.0 - watching, 0.1)


def check_minutes(minutes: float) -> None:
    """Raises `UserError` for a time that nothing can be trained in."""
    if not (math.isfinite(minutes) and minutes > 0):
        raise UserError(
            f"Expected minutes above 0. Received: {minutes}; give how long the run "
            "may take, such as 3"
        )


def steps_within(
    seconds: float, recipe: Recipe, monitoring: Monitoring, data: TrainingData
) -> int:
    """How many steps of a recipe fit into a time, measured on a GAN of its own.

    That GAN is thrown away, and the run begins anew: so it is that of a recipe with as
    many steps, to the bit, and what changes over a run does so over all of them.

    Args:
        seconds: Float: until the run is to end.
        recipe: A complete `Recipe`; its own length is not looked at.
        monitoring: The run's `Monitoring`.
        data: The run's `TrainingData`.

    Returns:
        An integer, 1 or more.
    """
    began = time.perf_counter()
    num_classes = len(data.train.class_names) if recipe.conditional else None
    batch_size = recipe.batch_size * recipe.discriminator_steps
    with dtype_policy(recipe.dtype_policy):
        gan = build_gan(recipe, num_classes)
        needed = memory.estimate(recipe, gan, data.train)
        memory.check_memory(needed, memory.available())
        pace = Pace(lambda: setattr(gan, "stop_training", True))
        gan.fit(
            data.train.batches(
                batch_size,
                seed=recipe.seed,
                labels=bool(recipe.conditional),
                flip=recipe.flip,
            ),
            steps_per_epoch=MAX_STEPS + 1,
            shuffle=False,
            verbose=0,
            callbacks=[pace],
        )
    left = seconds - (time.perf_counter() - began) - COMPILATIONS * pace.compilation
    step = pace.step or pace.compilation
    share = training_share(monitoring, scored=data.reference is not None)
    steps = max(1, int(left * share / step))
    LOGGER.info("A step takes %s: %s fit into the time", duration(step), f"{steps:,}")
    return steps


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(0.0321), duration(95.0), duration(200.0), duration(9000.0)
    ('32 ms', '95 s', '3.3 minutes', '2.5 hours')
    """
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours"
