"""Loads what a recipe trains on, what it holds out, and what it is scored against."""

from collections.abc import Callable
from dataclasses import dataclass

from ganlab import evaluation
from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.data.image_data import ImageData
from ganlab.data.loading import MAX_MEMORY, load_data
from ganlab.errors import UserError
from ganlab.training import translators


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
    max_memory: float = MAX_MEMORY,
) -> tuple[Recipe, ImageData]:
    """Loads the data of a recipe, and completes the recipe by it.

    Args:
        recipe: A `Recipe`.
        cache: See `ganlab.load_data`.
        progress: See there.
        max_memory: See there.

    Returns:
        The recipe with nothing left to the data, and the data.

    Raises:
        UserError: if the data is unusable.
    """
    data = load_data(
        recipe.data,
        image_size=recipe.image_size,
        channels=recipe.channels,
        background=recipe.background,
        cache=cache,
        max_memory=max_memory,
        progress=progress,
    )
    if recipe.model == "translator":
        translators.check_data(recipe, data)
        return complete(recipe, data.image_size, data.channels), data
    if data.sources is not None:
        raise UserError(
            f"Expected data without sources for model=gan. Received: {data.spec}; "
            "train a translator on it: --model translator"
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
