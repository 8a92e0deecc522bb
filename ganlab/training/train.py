"""Trains the GAN, or the translator, of a recipe into a run folder."""

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import keras

from ganlab import diagnosis
from ganlab.callbacks import FailurePolicy, ProgressBar, RunLog, decoding_bar
from ganlab.callbacks.evaluate import check_until
from ganlab.callbacks.failure_policy import ACTIONS
from ganlab.callbacks.keras_state import KerasState
from ganlab.callbacks.probe_samples import num_probed, num_samples
from ganlab.callbacks.training_metrics import NonFiniteError
from ganlab.callbacks.watching import Samples, load_reference, watching_callbacks
from ganlab.config.resolve import check_independent, stated_extractors
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data.image_data import ImageData
from ganlab.data.wait_timer import WaitTimer
from ganlab.diagnosis import report
from ganlab.errors import UserError, unknown_name
from ganlab.files import check_name, locked_folder
from ganlab.models.gan import GAN
from ganlab.runs import Run, RunFolder, load_run
from ganlab.safety import interruption
from ganlab.training import bfloat16, memory, pace, translators
from ganlab.training.black_box import BlackBox
from ganlab.training.build import build_gan, check_names, dtype_policy
from ganlab.training.data import TrainingData, load_recipe_data
from ganlab.training.epochs import AfterStep, FirstEpoch, StopAt
from ganlab.training.resuming import checked, load, start_of, step_of_start
from ganlab.training.rollback import roll_back, start_of_rollback

LOGGER = logging.getLogger("ganlab")


def train(
    recipe: Recipe,
    out: Path | str,
    *,
    monitoring: Monitoring = Monitoring(),
    on_failure: str = "warn",
    max_rollbacks: int = 2,
    epochs: int | None = None,
    minutes: float | None = None,
    until: tuple[str, float] | None = None,
    resume: bool = False,
    change_settings: bool = False,
    keep_schedules: bool = False,
    stream: TextIO | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> Run:
    """Trains the GAN of a recipe into a run folder.

    With `on_failure="rollback"`, a run that fails, or whose numbers are not finite any
    more, goes back to its best checkpoint (to the newest in the latter case, where none
    was scored) and on with a change that was not tried before. Every rollback is an
    event of the log, and what was logged after the checkpoint is kept:
    `ganlab.runs.RunFolder.attempt`.

    Ctrl-C, SIGTERM and SIGHUP end the run after the step that it is at, with a
    checkpoint, unless the caller handles them. However a run ends, its report is
    written.

    Args:
        recipe: A `Recipe`. What it leaves to the data is filled in.
        out: The run folder: new or empty, or with `resume` one that holds a
            run of this recipe.
        monitoring: A `Monitoring`: what watches the run.
        on_failure: What to do when a critical finding appears: `none`, `warn`,
            `stop` or `rollback`. See `ganlab.callbacks.FailurePolicy`.
        max_rollbacks: Integer: rollbacks in all, at most.
        epochs: Integer: passes over the data, instead of `recipe.steps`.
        minutes: Float: about how long it may take, likewise; with `resume`, from now
            on. The first steps are measured, and `recipe.steps` is set to as many as
            fit: see `ganlab.training.pace`.
        until: The name of a score and its value, such as `("fid", 5.0)`: the run also
            ends at the first evaluation that is as good. See
            `ganlab.callbacks.Evaluate`.
        resume: Boolean. Goes on from the newest whole checkpoint in `out`; where there
            is none, from step 0.
        change_settings: Boolean: whether `resume` may go on with other settings than
            the run began with; only such as leave the networks as they are.
        keep_schedules: Boolean: whether schedules stay as long as they were where
            `resume` goes on with other `recipe.steps`, instead of following them.
        stream: Text stream for progress bars, such as `sys.stderr`, or `None`.
        callbacks: Keras callbacks beside ganlab's own. `resume` goes on with what they
            count: see `ganlab.callbacks.keras_state.KerasState`.

    Returns:
        The `Run`. Its `failure` is the finding that ended training, or `None`.

    Raises:
        UserError: if `out` holds something already or a run of another recipe, another
            process trains into it, or the data is unusable.
        RunError: if a loss or a gradient is no longer finite.
        KeyboardInterrupt: `safety.interruption.Interrupted`, if a signal ended the run.
    """
    began = time.perf_counter()
    folder = RunFolder(out)
    if minutes is not None:
        pace.check_minutes(minutes)
        if epochs is not None:
            raise UserError(
                f"Expected epochs or minutes. Received: {epochs} and {minutes}; leave "
                "one out"
            )
    check_until(until)
    if on_failure not in ACTIONS:
        raise unknown_name("action on failure", on_failure, ACTIONS)
    if resume:
        check_name(folder.path)
    else:
        folder.check_new()
    check_names(recipe)
    check_independent(stated_extractors(recipe.as_dict()), monitoring.features)
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        with (
            interruption.handled(),
            locked_folder(folder.path) as check_folder,
            _reported(folder),
        ):
            folder.remove_leftovers()
            run, data = _prepare(recipe, folder, monitoring, epochs, resume, stream)
            if until is not None and data.reference is None:
                raise UserError(
                    "Expected enough images to score against, to train until a score. "
                    f"Received: {data.train.spec}; leave until out"
                )
            if resume:
                run = checked(run, load_run(folder.path), change_settings)
            if minutes is not None:
                left = 60.0 * minutes - (time.perf_counter() - began)
                steps = pace.steps_within(left, run.recipe, monitoring, data)
                steps += step_of_start(run) if resume else 0
                run = run.with_recipe(run.recipe.replace(steps=steps))
            attempt = functools.partial(
                _attempt,
                data=data,
                on_failure=on_failure,
                stream=stream,
                callbacks=list(callbacks),
                check_folder=check_folder,
                keep_schedules=keep_schedules,
                until=until,
            )
            return _with_rollbacks(
                attempt, run, resume, max_rollbacks if on_failure == "rollback" else 0
            )
    except BaseException:
        with contextlib.suppress(OSError):
            folder.path.rmdir()  # which fails unless it is empty
        raise


@contextlib.contextmanager
def _reported(folder: RunFolder) -> Iterator[None]:
    """Writes the report at the end of the block, however that comes."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError, UserError):
            _write_report(folder)
        raise
    _write_report(folder)


def _write_report(folder: RunFolder) -> None:
    if folder.holds_log():
        interruption.hold()
        report.write(report.examine(folder.path), folder.path)


def _with_rollbacks(
    attempt: Callable[..., Run], run: Run, resume: bool, max_rollbacks: int
) -> Run:
    """Trains, and goes back and on with a change while the run fails."""
    tried: list[dict[str, Any]] | None = None
    while True:
        error = None
        try:
            run = attempt(run, resume=resume)
        except NonFiniteError as raised:
            error = raised
            findings = diagnosis.diagnose(diagnosis.read(run.folder.path))
            named = [finding for finding in findings if finding.name == "non_finite"]
            run = replace(run, failure=named[0] if named else None)
        if tried is None:
            tried = run.folder.changes_of_rollbacks()
        change = None
        if run.failure is not None and len(tried) < max_rollbacks:
            change = diagnosis.next_change(run.failure, run.settings, tried)
        if change is None or start_of_rollback(run) is None:
            if error is not None:
                raise error
            return run
        tried.append(change)
        run, resume = roll_back(run, change, len(tried)), True


def _prepare(
    recipe: Recipe,
    folder: RunFolder,
    monitoring: Monitoring,
    epochs: int | None,
    resume: bool,
    stream: TextIO | None,
) -> tuple[Run, TrainingData]:
    """Loads the data, and completes the recipe by it."""
    progress = None if stream is None else decoding_bar(stream)
    recipe, data = load_recipe_data(
        recipe, monitoring.cache, progress, monitoring.max_data_memory
    )
    training_data, held_out = data.split(recipe.seed)
    steps_per_epoch = training_data.steps_per_epoch(
        recipe.batch_size * recipe.discriminator_steps
    )
    if epochs is not None:
        recipe = recipe.replace(steps=epochs * steps_per_epoch)
    run = Run(
        folder,
        recipe,
        monitoring,
        num_images=len(training_data),
        class_names=training_data.class_names if recipe.conditional else (),
        skipped=training_data.skipped,
        class_counts=tuple(map(int, training_data.class_counts())),
        attribution=training_data.attribution,
    )
    frozen = stated_extractors(recipe.as_dict())
    reference = load_reference(monitoring, data, frozen, stream)
    summary = "" if data.left_out else data.summary()
    return run, TrainingData(training_data, held_out, reference, summary)


def _attempt(
    run: Run,
    data: TrainingData,
    *,
    resume: bool,
    on_failure: str,
    stream: TextIO | None,
    callbacks: Sequence[keras.callbacks.Callback],
    check_folder: Callable[[], None],
    keep_schedules: bool,
    until: tuple[str, float] | None,
) -> Run:
    """Builds or loads the GAN and trains it until the end or a failure."""
    recipe = run.recipe
    with dtype_policy(recipe.dtype_policy):
        checkpoint, notes = start_of(run) if resume else (None, {})
        if checkpoint is not None:
            gan = load(checkpoint, run, None if keep_schedules else notes.get("recipe"))
        else:
            gan = build_gan(recipe, run.num_classes)
            memory.report(memory.estimate(recipe, gan, data.train))
        run.save()
        if stream is not None and not resume:
            bfloat16.advise(gan, recipe)
        progress = None if stream is None else ProgressBar(recipe.steps, stream)
        start_step = int(gan.step.numpy())
        if start_step >= recipe.steps:
            LOGGER.warning(
                "Already at step %d of %d; go on with more --steps",
                start_step,
                recipe.steps,
            )
            if "callbacks" not in notes:
                return replace(run, failure=None)
        if data.summary:
            LOGGER.info(data.summary)
        run_log = RunLog(run.folder.path, start_step, run.settings, notes.get("log"))
        policy = FailurePolicy(run.folder.path, run_log, on_failure, stream=stream)
        succeeded: bool | None = False
        with interruption.handled():
            try:
                _fit(
                    gan,
                    run,
                    data,
                    run_log,
                    policy,
                    checkpoint,
                    callbacks,
                    progress,
                    check_folder,
                    until,
                )
                succeeded = policy.finding is None
            except KeyboardInterrupt:
                succeeded = None
                raise
            finally:
                if progress is not None:
                    progress.close()
                run_log.close(succeeded)
    return replace(run, failure=policy.finding)


def _fit(
    gan: GAN,
    run: Run,
    data: TrainingData,
    run_log: RunLog,
    policy: FailurePolicy,
    checkpoint: Path | None,
    callbacks: Sequence[keras.callbacks.Callback],
    progress: ProgressBar | None,
    check_folder: Callable[[], None],
    until: tuple[str, float] | None,
) -> None:
    """Trains up to the recipe's last step, with the run's monitoring.

    Where the last step was trained, what was still to be done after it is done.
    """
    recipe = run.recipe
    batch_size = recipe.batch_size * recipe.discriminator_steps
    steps_per_epoch = data.train.steps_per_epoch(batch_size)
    start_step = int(gan.step.numpy())
    timer = WaitTimer()
    batches_from = functools.partial(
        data.train.batches,
        batch_size,
        seed=recipe.seed,
        labels=bool(recipe.conditional),
        flip=recipe.flip,
    )

    def probed(images: ImageData, count: int) -> Samples:
        samples, labels = images.take(count)
        return samples, labels if recipe.conditional else None

    monitoring = watching_callbacks(
        run_log,
        run.monitoring,
        data.train.spec,
        probed(data.train, num_samples(data.train.sample_shape)),
        None
        if data.held_out is None
        else probed(data.held_out, num_probed(data.held_out.sample_shape)),
        reference=data.reference,
        batch_size=recipe.batch_size,
        step_size=batch_size,
        seed=recipe.seed,
        timer=timer,
        black_box=BlackBox(
            run.folder, batches_from, lambda: build_gan(recipe, run.num_classes)
        ),
        attribution=data.train.attribution,
        until=until,
        translated=translators.watched(data.train, data.held_out),
    )
    checkpoints = monitoring.pop("checkpoints")
    state = checkpoints.run_state
    keras_state = KerasState(callbacks, steps_per_epoch)
    state.callbacks |= {"failure policy": policy, "callbacks": keras_state}
    state.recipe = recipe.as_dict()
    if checkpoint is not None:
        state.restore(checkpoint)
    bars: list[keras.callbacks.Callback] = []
    if progress is not None:
        share = pace.training_share(run.monitoring, scored=data.reference is not None)
        bars = [pace.announce(recipe.steps, share, progress.stream), progress]
    epoch, batch = divmod(start_step, steps_per_epoch)
    trained = start_step >= recipe.steps
    try:
        gan.fit(
            timer.watch(batches_from(start_step=start_step)),
            steps_per_epoch=steps_per_epoch,
            initial_epoch=epoch,
            epochs=epoch if trained else recipe.steps // steps_per_epoch + 2,
            shuffle=False,
            verbose=0,
            callbacks=[
                *bars[:1],
                AfterStep(interruption.hold),
                AfterStep(check_folder),
                *monitoring.values(),
                policy,
                *callbacks,
                keras_state,
                checkpoints,
                FirstEpoch(steps_per_epoch - batch),
                StopAt(recipe.steps),
                *bars[1:],
                AfterStep(interruption.heed),
            ],
        )
    except KeyboardInterrupt as stop:
        if interruption.is_held() or not isinstance(stop, interruption.Interrupted):
            interruption.hold()
            checkpoints.run_at_end()
        raise
