"""Builds the translator of a recipe, and says what it takes and is watched by."""

import math
from typing import Any

from ganlab import networks
from ganlab.callbacks.translation_grids import NUM_SOURCES
from ganlab.callbacks.watching import Translated
from ganlab.config.network_settings import NetworkSettings
from ganlab.config.settings import Recipe
from ganlab.config.table import rows
from ganlab.data.image_data import ImageData
from ganlab.data.pairs import SPECS, source_channels
from ganlab.data.sizes import sides
from ganlab.errors import UserError
from ganlab.models.translator import Translator

TAKEN = ("generator_filters", "discriminator_filters", "spectral_norm")
MAX_HALVINGS = 4  # of the U-Net
HALVINGS_OF_PATCHES = {128: 3, 48: 2, 0: 1}  # by the shorter side, from which on


def check_settings(recipe: Recipe) -> None:
    """Raises `UserError` for settings that the recipe's model has not."""
    if recipe.model != "translator":
        if recipe.training is not None:
            raise UserError(
                f"Expected training with model=translator alone. Received: "
                f"{recipe.training}; add --model translator, or leave it out"
            )
        return
    settings = {**rows(NetworkSettings), "conditional": rows(Recipe)["conditional"]}
    for name, setting in settings.items():
        value = getattr(recipe, name)
        if name not in TAKEN and value and value != setting.default:
            raise UserError(
                f"Expected no {setting.words} with model=translator, which has none. "
                f"Received: {value}; leave it out"
            )


def check_data(recipe: Recipe, data: ImageData) -> None:
    """Raises `UserError` for data that a translator cannot be trained on."""
    if data.sources is None:
        raise UserError(
            "Expected data with sources for model=translator, such as "
            f"{', '.join(SPECS)}. Received: {data.spec}"
        )
    if recipe.training == "paired" and not data.paired:
        raise UserError(
            f"Expected pairs for training=paired. Received: {data.spec}, of which "
            "nothing belongs together; choose cycle or contrastive"
        )


def build_translator(recipe: Recipe) -> Translator:
    """Builds the networks and the translator that a complete recipe describes.

    Pairs are translated by a U-Net that halves as often as the sides allow, 4 times at
    most, two sets of images by a residual network. Patches that are judged have 70
    pixels where the shorter side has 128 or more, 34 from 48 on, or 16.

    Raises:
        UserError: for sides that the network cannot halve.
    """
    if recipe.image_size is None or recipe.channels is None:
        raise UserError(
            "Expected a complete recipe. Received: no image size or channels; complete "
            "it"
        )
    size, channels = sides(recipe.image_size), recipe.channels
    of_source = source_channels(recipe.data, channels)
    paired = recipe.training == "paired"
    halvings = next(
        count for least, count in HALVINGS_OF_PATCHES.items() if min(size) >= least
    )

    def generator(of: int, to: int, name: str) -> Any:
        filters = recipe.generator_filters
        if not paired:
            return networks.resnet_translator(
                size, to, source_channels=of, base_filters=filters, name=name
            )
        common = math.gcd(*size)
        stages = min(MAX_HALVINGS, max(1, (common & -common).bit_length() - 1))
        return networks.unet_generator(
            size, to, source_channels=of, base_filters=filters, stages=stages, name=name
        )

    def discriminator(of: int, beside: int, name: str) -> Any:
        return networks.patch_discriminator(
            size,
            of,
            source_channels=beside,
            base_filters=recipe.discriminator_filters,
            stages=halvings,
            spectral_norm=recipe.spectral_norm,
            name=name,
        )

    inverse = {}
    if recipe.training == "cycle":
        inverse = {
            "inverse_generator": generator(channels, of_source, "inverse_generator"),
            "inverse_discriminator": discriminator(
                of_source, 0, "inverse_discriminator"
            ),
        }
    return Translator(
        generator(of_source, channels, "generator"),
        discriminator(channels, of_source if paired else 0, "discriminator"),
        training=recipe.training or "paired",
        ema_decay=recipe.ema_decay,
        seed=recipe.seed,
        output_range=(-1.0, 1.0),
        **inverse,
    )


def watched(train: ImageData, held_out: ImageData | None) -> Translated | None:
    """What a translator is watched by: held-out sources, and those that it trains on.

    Args:
        train: What it trains on.
        held_out: What it does not train on, or `None` of few images.

    Returns:
        `None` for data without sources.
    """
    data = held_out or train
    if data.sources is None or train.sources is None:
        return None
    count = min(len(data), len(data.sources), NUM_SOURCES)
    return Translated(
        data.sources.stored(count),
        data.stored(count) if data.paired else None,
        train.sources,
    )
