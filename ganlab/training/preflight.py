"""Finds mistakes of a run before it starts, from its recipe, data and networks."""

import logging
from collections.abc import Callable

import numpy as np

from ganlab import metrics
from ganlab.config.settings import Recipe
from ganlab.data.image_data import ImageData
from ganlab.data.kinds import scaled_count
from ganlab.data.loading import MAX_MEMORY
from ganlab.models.gan import GAN
from ganlab.training import memory
from ganlab.training.build import build_gan, check_names, dtype_policy
from ganlab.training.data import load_recipe_data
from ganlab.training.gan_checks import check_gan
from ganlab.training.problem import Problem, worst_first

LOGGER = logging.getLogger("ganlab")
MIN_IMAGES = 2000
MIN_BATCH_SIZE = 8
MAX_CLASS_RATIO = 10.0
MAX_REPEATED_FRACTION = 0.2
CONSTANT_FRACTION = {"warning": 0.01, "critical": 0.5}
MAX_UNSCALED = 15  # of 255
MAX_CHECKED, MIN_CHECKED = 2000, 128  # fewer of large images


def check(
    recipe: Recipe,
    cache: str = "memory",
    progress: Callable[[int, int], None] | None = None,
    max_memory: float = MAX_MEMORY,
) -> list[Problem]:
    """Looks for mistakes before training, with one batch.

    Args:
        recipe: A `ganlab.Recipe`.
        cache: See `ganlab.load_data`.
        progress: See there.
        max_memory: See there.

    Returns:
        Problems, critical ones first.

    Raises:
        UserError: if the data or the settings are unusable.
    """
    check_names(recipe)
    recipe, data = load_recipe_data(recipe, cache, progress, max_memory)
    summary = data.summary()
    data, _ = data.split(recipe.seed)
    data.steps_per_epoch(recipe.batch_size * recipe.discriminator_steps)
    num_classes = len(data.class_names) if recipe.conditional else None
    with dtype_policy(recipe.dtype_policy):
        gan = build_gan(recipe, num_classes)
        if not data.left_out:
            LOGGER.info(summary)
        return check_run(recipe, data, gan)


def check_run(recipe: Recipe, data: ImageData, gan: GAN) -> list[Problem]:
    """Checks the parts of a run; of a translator not the networks.

    Args:
        recipe: A complete `ganlab.Recipe`.
        data: The `ganlab.data.image_data.ImageData` that it would train on.
        gan: The `GAN` that it would train.

    Returns:
        Problems, critical ones first.
    """
    count = recipe.batch_size * recipe.discriminator_steps
    images, labels = data.take(min(max(count, 64), len(data)))
    labels = labels if recipe.conditional else None
    limits = memory.available()
    problems = [
        memory.check_memory(memory.estimate(recipe, gan, data), limits),
        *check_data(data),
        _check_number_of_images(recipe, data),
        _check_last_batch(count, data),
    ]
    if isinstance(gan, GAN):
        labels = None if labels is None else labels[:count]
        problems += [*check_gan(gan, images[:count], labels), _check_batch_size(recipe)]
    return worst_first(problems)


def _check_number_of_images(recipe: Recipe, data: ImageData) -> Problem | None:
    too_few = len(data) < MIN_IMAGES and data.kind.applies("too_few_images")
    if not too_few or recipe.augmentation != "none":
        return None
    return Problem(
        "too_few_images",
        "warning",
        f"{len(data):,} images without augmentation: the discriminator will "
        "learn them by heart",
        "augment, or add images",
        {"augmentation": "diffaugment"},
    )


def _check_batch_size(recipe: Recipe) -> Problem | None:
    normalizes = recipe.generator_normalization in (None, "batch")
    if recipe.batch_size >= MIN_BATCH_SIZE or not normalizes:
        return None
    return Problem(
        "small_batch",
        "warning",
        f"batch normalisation over {recipe.batch_size} images: what is trained "
        "is not what is exported",
        f"use batches of {MIN_BATCH_SIZE} or more, or normalise by layer",
        {"generator_normalization": "layer"},
    )


def _check_last_batch(batch_size: int, data: ImageData) -> Problem | None:
    left_out = len(data) % batch_size
    if left_out <= len(data) // 4:
        return None
    return Problem(
        "last_partial_batch",
        "note",
        f"{left_out:,} of {len(data):,} images are left out of each epoch, other "
        "ones each time",
        "use smaller batches",
    )


def check_data(data: ImageData) -> list[Problem]:
    """Checks images: constant, black, repeated, unbalanced by class.

    Args:
        data: A `ganlab.data.image_data.ImageData`.

    Returns:
        Problems, critical ones first.
    """
    images, _ = data.take(min(len(data), _num_checked(data)))
    flat = images.reshape(len(images), -1)
    may_be_constant = data.kind.applies("constant_images")
    return worst_first(
        [
            _check_constant(images) if may_be_constant else None,
            _check_levels(data),
            _check_repeated(flat),
            _check_classes(data),
        ]
    )


def _num_checked(data: ImageData) -> int:
    return scaled_count(MAX_CHECKED, MIN_CHECKED, data.sample_shape)


def _check_constant(images: np.ndarray) -> Problem | None:
    pixels = images.reshape(len(images), -1, images.shape[-1])
    constant = float((np.ptp(pixels, axis=1) == 0).all(axis=1).mean())
    if constant <= CONSTANT_FRACTION["warning"]:
        return None
    return Problem(
        "constant_images",
        "critical" if constant > CONSTANT_FRACTION["critical"] else "warning",
        f"{constant:.0%} of the images are one colour all over",
        "look at the data: images may be broken or masked",
    )


def _check_levels(data: ImageData) -> Problem | None:
    """Stored images of 0 and 1, or of 4 bits, that were not scaled to 0..255."""
    indices = np.arange(len(data.images)) if data.indices is None else data.indices
    highest = data.images[indices[: _num_checked(data)]].max()
    if data.images.dtype != np.uint8 or highest > MAX_UNSCALED:
        return None
    return Problem(
        "unscaled_images",
        "critical",
        f"no pixel is above {highest} of 255: the images are black",
        "scale them to 0..255",
    )


def _check_repeated(flat: np.ndarray) -> Problem | None:
    repeated = 1.0 - metrics.num_distinct(flat) / len(flat)
    if repeated <= MAX_REPEATED_FRACTION:
        return None
    return Problem(
        "duplicated_images",
        "warning",
        f"{repeated:.0%} of the images repeat another",
        "leave repeats out: they are learned by heart first",
    )


def _check_classes(data: ImageData) -> Problem | None:
    counts = data.class_counts()
    if len(counts) <= 1 or counts.max() <= MAX_CLASS_RATIO * max(counts.min(), 1):
        return None
    rarest = data.class_names[int(counts.argmin())]
    return Problem(
        "class_imbalance",
        "warning",
        f"{rarest} has {counts.min():,} images, the most frequent class "
        f"{counts.max():,}",
        "add images of rare classes, or leave the classes out",
    )
