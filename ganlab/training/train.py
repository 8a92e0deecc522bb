"""Builds the GAN of a recipe and trains it into a run folder."""

import contextlib
import inspect
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import tensorflow as tf

from ganlab import evaluation, networks
from ganlab.callbacks import (
    Checkpoints,
    DecisionSurface,
    Evaluate,
    FailurePolicy,
    HealthProbe,
    ProgressBar,
    RunLog,
    SampleGrids,
    StageBars,
    TrainingMetrics,
    decoding_bar,
)
from ganlab.callbacks.periodic import Periodic
from ganlab.callbacks.probe import PROBE_IMAGES
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data import kinds
from ganlab.data.image_data import ImageData
from ganlab.data.loading import load_data
from ganlab.data.toy2d import MIXTURES
from ganlab.data.wait_timer import WaitTimer
from ganlab.errors import UserError, unknown_name
from ganlab.models.gan import GAN
from ganlab.models.saving import load_gan
from ganlab.networks import blocks
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives import losses, regularizers, schedules
from ganlab.runs import Run, RunFolder, load_run
from ganlab.training import preflight

PLAYERS = {
    "dcgan": (networks.dcgan_generator, networks.dcgan_discriminator),
    "resnet": (networks.resnet_generator, networks.resnet_discriminator),
    "r3gan": (networks.r3gan_generator, networks.r3gan_discriminator),
    "mlp": (networks.mlp_generator, networks.mlp_discriminator),
}
# Argument of a player's function -> field of the recipe.
FIELDS = {
    "generator": {
        "latent_dim": "latent_dim",
        "base_filters": "generator_filters",
        "num_blocks": "num_blocks",
        "upsampling": "upsampling",
        "kernel_size": "kernel_size",
        "activation": "generator_activation",
        "output_activation": "output_activation",
        "normalization": "generator_normalization",
        "attention": "attention",
        "conditioning": "generator_conditioning",
    },
    "discriminator": {
        "base_filters": "discriminator_filters",
        "num_blocks": "num_blocks",
        "downsampling": "downsampling",
        "kernel_size": "kernel_size",
        "activation": "discriminator_activation",
        "normalization": "discriminator_normalization",
        "spectral_norm": "spectral_norm",
        "attention": "attention",
        "minibatch_stddev": "minibatch_stddev",
        "packing": "packing",
        "conditioning": "discriminator_conditioning",
    },
}


@dataclass(frozen=True)
class Sets:
    """Images by what they are for.

    Args:
        data: `ImageData` to train on.
        held_out: `ImageData` that D is tested on, or `None` of few images.
        reference: `ganlab.evaluation.Reference` for scores, or `None`.
    """

    data: ImageData
    held_out: ImageData | None
    reference: evaluation.Reference | None


def build_gan(recipe, num_classes, steps_per_execution=1):
    """Builds and compiles the GAN that a complete recipe describes.

    Args:
        recipe: `Recipe` that its `completed` gave.
        num_classes: Integer, or `None` for noise alone.
        steps_per_execution: See `keras.Model.compile`.
    """
    keras.utils.set_random_seed(recipe.seed)
    generator, discriminator = build_players(recipe, num_classes)
    gan = GAN(
        generator,
        discriminator,
        num_classes=num_classes,
        packing=recipe.packing,
        ema_decay=recipe.ema_decay,
        seed=recipe.seed,
    )
    beta_2 = schedules.anneal(recipe.beta_2, recipe.final_beta_2, recipe.steps)
    accumulated = recipe.gradient_accumulation_steps
    generator_optimizer, discriminator_optimizer = (
        schedules.ScheduledAdam(
            schedules.anneal(rate, rate * recipe.final_rate_share, recipe.steps),
            beta_1=recipe.beta_1,
            beta_2=beta_2,
            global_clipnorm=recipe.gradient_clip,
            gradient_accumulation_steps=accumulated if accumulated > 1 else None,
        )
        for rate in (
            recipe.generator_learning_rate,
            recipe.discriminator_learning_rate,
        )
    )
    gan.compile(
        generator_optimizer,
        discriminator_optimizer,
        loss=losses.get(recipe.loss, recipe.label_smoothing),
        discriminator_steps=recipe.discriminator_steps,
        regularizers=_regularizers(recipe),
        augmentation=_augmentation(recipe),
        instance_noise=schedules.fade(recipe.instance_noise, recipe.steps),
        steps_per_execution=steps_per_execution,
        loss_scaling=recipe.loss_scaling,
        updates=recipe.updates,
        recompute=recipe.recompute,
    )
    return gan


def build_players(recipe, num_classes):
    """Builds the generator and the discriminator of a complete recipe.

    Raises:
        UserError: if the network has no part for something that is set.
    """
    if recipe.network not in kinds.of_spec(recipe.data).networks:
        raise UserError(
            "Expected the network mlp for points and another for images. Received: "
            f"{recipe.network} for {recipe.data}; leave the network out"
        )
    if recipe.network == "mlp":
        return (
            networks.mlp_generator(
                latent_dim=recipe.latent_dim,
                activation=recipe.generator_activation or "relu",
                normalization=recipe.generator_normalization,
            ),
            networks.mlp_discriminator(
                packing=recipe.packing,
                activation=recipe.discriminator_activation,
                minibatch_stddev=recipe.minibatch_stddev,
            ),
        )
    return tuple(
        _build_player(recipe, make, role, num_classes)
        for make, role in zip(
            PLAYERS[recipe.network], ("generator", "discriminator"), strict=True
        )
    )


def _build_player(recipe, make, role, num_classes):
    """Calls `make` with what it takes of the recipe's fields for that role."""
    options, plain = {}, Recipe()
    known = inspect.signature(make).parameters
    for argument, field in FIELDS[role].items():
        value = getattr(recipe, field)
        if value is None:
            continue
        if argument in known:
            options[argument] = value
        elif value != getattr(plain, field):
            raise UserError(
                f"Expected no {field.replace('_', ' ')} with network="
                f"{recipe.network}, which has none. Received: {value}; choose "
                "another network"
            )
    return make(recipe.image_size, recipe.channels, num_classes=num_classes, **options)


def _regularizers(recipe):
    """The recipe's regularizers, their weights fading as it says."""
    found = regularizers.get(
        recipe.regularizer, recipe.regularizer_weight, recipe.regularizer_every
    )
    for each in found:
        each.weight = schedules.anneal(
            each.weight, each.weight * recipe.final_weight_share, recipe.steps
        )
    return found


def _augmentation(recipe):
    if recipe.augmentation == "diffaugment":
        return augmentations.DiffAugment(recipe.augmentation_policy)
    return augmentations.get(recipe.augmentation)


def train_gan(
    recipe,
    out,
    *,
    monitoring=Monitoring(),
    epochs=None,
    resume=False,
    on_failure="warn",
    stream=None,
    callbacks=(),
):
    """Trains the GAN of a recipe into a run folder.

    Args:
        recipe: A `Recipe`. What it leaves to the data is filled in.
        out: The run folder: new or empty, or with `resume` one that holds a
            run of this recipe.
        monitoring: A `Monitoring`: what watches the run.
        epochs: Integer: passes over the data, instead of `recipe.steps`.
        resume: Boolean. Goes on from the newest checkpoint in `out`.
        on_failure: What is done about findings: see `ganlab.callbacks.Policy`.
        stream: Text stream for progress bars, such as `sys.stderr`, or `None`.
        callbacks: Keras callbacks beside ganlab's own.

    Returns:
        The `Run`.

    Raises:
        UserError: if `out` holds something already, or the data is unusable.
        RunError: if a loss is no longer finite.
    """
    out = Path(out)
    if not resume:
        RunFolder(out).check_new()
    _check_names(recipe)
    out.mkdir(parents=True, exist_ok=True)
    try:
        return _train(
            recipe, monitoring, out, epochs, resume, on_failure, stream, callbacks
        )
    except UserError:
        with contextlib.suppress(OSError):
            out.rmdir()
        raise


def _check_names(recipe):
    """Raises `UserError` for what can be told before data is read."""
    losses.get(recipe.loss, recipe.label_smoothing)
    _regularizers(recipe)
    augmentation = _augmentation(recipe)
    if recipe.network not in (None, *PLAYERS):
        raise unknown_name("network", recipe.network, PLAYERS)
    kind = kinds.of_spec(recipe.data)
    if (recipe.conditional and not kind.applies("conditional")) or (
        augmentation is not None and not kind.applies("augmentation")
    ):
        raise UserError(
            f"Expected points of {recipe.data} without classes and augmentation. "
            f"Received: conditional={recipe.conditional}, augmentation="
            f"{recipe.augmentation}; leave them out"
        )
    if kind.pictorial and recipe.image_size is not None:
        blocks.check_image(recipe.image_size, recipe.channels or 1)


def bfloat16_would_help(recipe):
    """Whether this run would train faster in bfloat16, on this processor.

    It does where the processor multiplies in it and there is no GPU; not with
    the network mlp, whose layers are small, nor with penalties on gradients, which
    are computed in float32.
    """
    if recipe.dtype_policy != "float32" or recipe.network == "mlp":
        return False
    if any(each.needs_input_gradients for each in _regularizers(recipe)):
        return False
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    known = {"avx512_bf16", "amx_bf16"} & set(about.split())
    return bool(known) and not tf.config.list_physical_devices("GPU")


def check(recipe, progress=None, cache="memory"):
    """Looks for mistakes before training, with one batch.

    Args:
        recipe: A `Recipe`.
        progress: See `ganlab.load_data`.
        cache: See there.

    Returns:
        A list of `ganlab.training.preflight.Problem`s, critical ones first.

    Raises:
        UserError: if the data or the settings are unusable.
    """
    _check_names(recipe)
    recipe, everything = _load(recipe, cache, progress)
    data, _ = everything.split(recipe.seed)
    data.steps_per_epoch(recipe.batch_size * recipe.discriminator_steps)
    with _dtype_policy(recipe.dtype_policy):
        classes = len(data.class_names) if recipe.conditional else None
        return preflight.check_recipe(recipe, data, build_gan(recipe, classes))


def _load(recipe, cache, progress):
    """The data of a recipe, and the recipe with nothing left to it."""
    data = load_data(
        recipe.data,
        image_size=recipe.image_size,
        channels=recipe.channels,
        cache=cache,
        progress=progress,
    )
    conditional = recipe.conditional
    if conditional is None:
        conditional = len(data.class_names) > 1
    if conditional and not data.class_names:
        raise UserError(
            f"Expected data with classes for a conditional GAN. Received: {data.spec} "
            "without labels; leave out --conditional"
        )
    recipe = recipe.completed(data.image_size, data.channels)
    return recipe.replace(conditional=conditional), data


def _train(recipe, monitoring, out, epochs, resume, on_failure, stream, callbacks):
    progress = None if stream is None else decoding_bar(stream)
    recipe, everything = _load(recipe, monitoring.cache, progress)
    data, held_out = everything.split(recipe.seed)
    steps_per_epoch = data.steps_per_epoch(
        recipe.batch_size * recipe.discriminator_steps
    )
    if epochs is not None:
        recipe = recipe.replace(steps=epochs * steps_per_epoch)
    class_names = data.class_names if recipe.conditional else ()
    counts = tuple(map(int, data.class_counts()))
    run = Run(
        RunFolder(out), recipe, monitoring, len(data), class_names, data.skipped, counts
    )
    if resume:
        _check_same_data(load_run(out), run)
    reference = load_reference(monitoring, everything, stream)
    with _dtype_policy(recipe.dtype_policy):
        gan = (
            load_gan(run.folder.find_checkpoint())
            if resume
            else build_gan(recipe, len(class_names) or None)
        )
        run.save()
        if stream is not None and not resume and bfloat16_would_help(recipe):
            logging.getLogger("ganlab").warning(
                "This processor multiplies in bfloat16: --dtype-policy mixed_bfloat16 "
                "trains faster, the more the larger the images"
            )
        if stream is not None:
            callbacks = [*callbacks, ProgressBar(recipe.steps, stream)]
        sets = Sets(data, held_out, reference)
        failure = _fit(gan, run, sets, (on_failure, stream), callbacks)
    return replace(run, failure=failure)


def load_reference(monitoring, data, stream=None):
    """Real images that the run's are held against; `None` of too few.

    Args:
        monitoring: A `Monitoring`.
        data: The `ImageData` that it trains on.
        stream: Text stream for a progress bar, or `None`.
    """
    if len(data.images) < evaluation.MIN_IMAGES:
        return None
    bars = StageBars(stream)
    reference = evaluation.load_reference(
        data,
        features=monitoring.features,
        num_images=monitoring.evaluate_images,
        progress=None
        if stream is None
        else lambda done, count: bars("real features", done, count),
    )
    bars.close()
    return reference


def _check_same_data(before, now):
    for what in ("num_images", "class_names"):
        if getattr(before, what) != getattr(now, what):
            raise UserError(
                f"Expected the data that the run began with, {what.replace('_', ' ')} "
                f"{getattr(before, what)}. Received: {getattr(now, what)}; restore the "
                "data, or start a new run"
            )


def _fit(gan, run, sets, policy, callbacks):
    """Trains; returns the finding that ended it, or `None`."""
    recipe, data = run.recipe, sets.data
    batch_size = recipe.batch_size * recipe.discriminator_steps
    steps_per_epoch = data.steps_per_epoch(batch_size)
    start_step = int(gan.step.numpy())
    if start_step >= recipe.steps:
        logging.getLogger("ganlab").warning(
            "Already at step %d of %d; go on with more --steps",
            start_step,
            recipe.steps,
        )
        return None
    timer = WaitTimer()
    batches = data.batches(
        batch_size,
        seed=recipe.seed,
        start_step=start_step,
        labels=recipe.conditional,
        flip=recipe.flip,
    )
    directory = run.folder.path
    run_log = RunLog(directory, start_step, run.settings)
    own = watching_callbacks(directory, recipe, run.monitoring, sets, run_log, timer)
    action, stream = policy
    own["policy"] = FailurePolicy(directory, run_log, action, stream=stream)
    try:
        gan.fit(
            timer.watch(batches),
            steps_per_epoch=steps_per_epoch,
            initial_epoch=start_step // steps_per_epoch,
            epochs=recipe.steps // steps_per_epoch + 2,
            shuffle=False,
            verbose=0,
            callbacks=[*own.values(), _StopAt(recipe.steps), *callbacks],
        )
    except KeyboardInterrupt:
        own["checkpoints"].act_at_end()
        raise
    finally:
        run_log.close()
    return own["policy"].finding


def watching_callbacks(directory, recipe, monitoring, sets, run_log, timer):
    """What is attached to every run: numbers, signals, sample grids, scores.

    Args:
        directory: `Path` of the run folder.
        recipe: A complete `Recipe`.
        monitoring: A `Monitoring`.
        sets: `Sets`.
        run_log: A `RunLog`.
        timer: The `WaitTimer` that times the data.

    Returns:
        A dict from a name to a callback; no scores without a reference.
    """
    data, held_out = sets.data, sets.held_out
    pictures = {
        "every": monitoring.sample_every,
        "seed": recipe.seed,
        "run_log": run_log,
    }
    if data.kind.pictorial:
        grids = SampleGrids(directory, **pictures)
    else:
        mixture = MIXTURES[data.spec]
        grids = DecisionSurface(directory, mixture, **pictures)
    images, labels = data.take(PROBE_IMAGES)
    unseen, unseen_labels = held_out.take(PROBE_IMAGES) if held_out else (None, None)
    found = {
        "numbers": TrainingMetrics(
            run_log,
            recipe.batch_size * recipe.discriminator_steps,
            monitoring.log_every,
            timer,
        ),
        "signals": HealthProbe(
            run_log,
            images,
            unseen,
            labels if recipe.conditional else None,
            unseen_labels if recipe.conditional else None,
            batch_size=recipe.batch_size,
            every=monitoring.probe_every,
            budget=monitoring.probe_share,
            seed=recipe.seed,
        ),
        "sample grids": grids,
        "checkpoints": Checkpoints(directory, every=monitoring.checkpoint_every),
    }
    if sets.reference is not None:
        found["scores"] = Evaluate(
            directory,
            sets.reference,
            every=monitoring.evaluate_every,
            budget=monitoring.evaluate_share,
            run_log=run_log,
        )
    return found


class _StopAt(Periodic):
    """Ends training at a step, in the middle of an epoch if need be."""

    def act(self, step):
        self.model.stop_training = True


@contextlib.contextmanager
def _dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
