"""Loads what a recipe trains on, what it holds out, and what it is scored against."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from ganlab import evaluation
from ganlab.callbacks import StageBars
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data.image_data import ImageData
from ganlab.data.loading import load_data
from ganlab.errors import UserError


@dataclass(frozen=True)
class TrainingData:
    """Data of one run by its use.

    Args:
        train: `ImageData` to train on.
        held_out: `ImageData` that the discriminator never trains on, or `None` of
            few images.
        reference: `ganlab.evaluation.Reference` for scores, or `None` of too few
            images.
        summary: What is said of all data before training; empty where loading did.
    """

    train: ImageData
    held_out: ImageData | None
    reference: evaluation.Reference | None
    summary: str = ""


def load_recipe_data(
    recipe: Recipe,
    cache: str = "memory",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Recipe, ImageData]:
    """Loads the data of a recipe, and completes the recipe by it.

    Args:
        recipe: A `Recipe`.
        cache: See `ganlab.load_data`.
        progress: See there.

    Returns:
        The recipe with nothing left to the data, and the data.

    Raises:
        UserError: if the data is unusable.
    """
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
    recipe = complete(recipe, data.image_size, data.channels)
    return recipe.replace(conditional=conditional), data


def load_reference(
    monitoring: Monitoring, data: ImageData, stream: TextIO | None = None
) -> evaluation.Reference | None:
    """Chooses the real images that a run is scored against; `None` of too few.

    Args:
        monitoring: How many images, and whose features.
        data: All images of the data set.
        stream: Text stream for a progress bar, or `None`.
    """
    if len(data.images) < evaluation.MIN_IMAGES:
        return None
    bars = None if stream is None else StageBars(stream)
    reference = evaluation.load_reference(
        data,
        features=monitoring.features,
        num_images=monitoring.evaluate_images,
        progress=None if bars is None else functools.partial(bars, "real features"),
    )
    if bars is not None:
        bars.close()
    return reference
