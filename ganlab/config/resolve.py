"""Settings that a recipe leaves to the data and to the network."""

from collections.abc import Container, Mapping
from typing import Any

from ganlab.config.settings import Recipe
from ganlab.config.table import rows
from ganlab.data import kinds
from ganlab.data.sizes import ImageSize, sides
from ganlab.data.toy2d import Mixture, find_mixture
from ganlab.errors import UserError
from ganlab.features.efficientnet import EFFICIENTNET

TRANSLATOR_RATE = 2e-4
GRADIENT_PENALTIES = ("r1", "r2", "r1+r2")


def complete(
    recipe: Recipe, image_size: ImageSize | None, channels: int | None
) -> Recipe:
    """Returns the recipe with nothing left to the data but `conditional`.

    Images under 64 pixels: both networks learn at 5e-4. From 64 pixels on at 2e-4.
    The `dcgan` discriminator has batch normalisation under 64 pixels, unless it is
    held by a regularizer or by spectral normalisation; from 64 pixels on it wins at
    once with it. Latents have 64 components. The `r3gan` networks learn at 1e-3, and
    R1 and R2 weigh 0.5 on them.

    Toy 2-D mixtures: the MLPs learn at 5e-4, or with a regularizer at 2e-3, from 2
    latent components; without one they have batch normalisation and maxout, as
    PacGAN's. The weight of R1 and R2, which is that of a squared gradient, is 0.02
    times the square of the outermost centre's distance.

    Translators learn at 2e-4, on pairs unless the data are two domains.

    Args:
        recipe: A `Recipe`.
        image_size: See `ganlab.data.sizes`; `None` for toy 2-D mixtures. The shorter
            side decides.
        channels: 1 to 4, or `None` for toy 2-D mixtures.
    """
    if recipe.model == "translator":
        return _complete_translator(recipe, image_size, channels)
    kind = kinds.of_spec(recipe.data)
    mixture = find_mixture(recipe.data)
    if mixture is None:
        defaults = _image_defaults(recipe, image_size)
    else:
        defaults = _mixture_defaults(recipe, mixture)
    defaults |= {"network": kind.networks[0], "latent_dim": kind.latent_dim}
    unset = {
        name: value for name, value in defaults.items() if getattr(recipe, name) is None
    }
    if len(kind.networks) == 1:
        unset["network"] = kind.networks[0]
    return recipe.replace(image_size=image_size, channels=channels, **unset)


def _complete_translator(
    recipe: Recipe, image_size: ImageSize | None, channels: int | None
) -> Recipe:
    unpaired = recipe.data.startswith("domains:")
    return recipe.replace(
        image_size=image_size,
        channels=channels,
        conditional=False,
        training=recipe.training or ("contrastive" if unpaired else "paired"),
        generator_learning_rate=recipe.generator_learning_rate or TRANSLATOR_RATE,
        discriminator_learning_rate=recipe.discriminator_learning_rate
        or TRANSLATOR_RATE,
    )


def stated_extractors(settings: Mapping[str, Any]) -> set[str]:
    """SPECs of the features that settings state a discriminator is made of.

    >>> stated_extractors({"network": "projected"}), stated_extractors({})
    ({'efficientnet-lite0'}, set())

    Args:
        settings: Those of a recipe, by name; a card of an artifact may state them.
    """
    imagenet = settings.get("frozen_features", "imagenet") == "imagenet"
    frozen = settings.get("network") == "projected" and imagenet
    return {EFFICIENTNET} if frozen else set()


def check_independent(frozen: Container[str], features: str | None) -> None:
    """Raises `UserError` for scores in features that were trained on.

    Args:
        frozen: SPECs of what a discriminator is made of.
        features: SPEC of an extractor, or `None` for the default, which never is one.
    """
    if features is not None and features in frozen:
        raise trained_on(features)


def trained_on(features: str) -> UserError:
    """The error of scores in features that the discriminator is made of."""
    return UserError(
        "Expected features that the discriminator is not made of, for it teaches the "
        f"generator those. Received: {features} for network=projected; choose other "
        "--features, such as inception or model:FILE"
    )


def _is_free(recipe: Recipe) -> bool:
    """Whether nothing limits the discriminator."""
    return recipe.regularizer == "none" and not recipe.spectral_norm


def _image_defaults(recipe: Recipe, image_size: ImageSize | None) -> dict[str, Any]:
    small = image_size is not None and min(sides(image_size)) < 64
    rate = 5e-4 if small else 2e-4
    if recipe.network == "r3gan":
        rate = 1e-3
    defaults: dict[str, Any] = {
        "generator_learning_rate": rate,
        "discriminator_learning_rate": rate,
    }
    if recipe.network in (None, "dcgan"):
        normalization = "batch" if small and _is_free(recipe) else "none"
        defaults["discriminator_normalization"] = normalization
    if recipe.network == "r3gan" and recipe.regularizer in GRADIENT_PENALTIES:
        defaults["regularizer_weight"] = 0.5
    return defaults


def _mixture_defaults(recipe: Recipe, mixture: Mixture) -> dict[str, Any]:
    free = _is_free(recipe)
    rate = 2e-3
    if free:
        rate = 1e-3 if recipe.network == "r3gan" else 5e-4
    defaults: dict[str, Any] = {
        "generator_learning_rate": rate,
        "discriminator_learning_rate": rate,
        "generator_normalization": "batch" if free else "none",
        "discriminator_activation": "maxout" if free else "leaky_relu",
    }
    if recipe.regularizer in GRADIENT_PENALTIES:
        reach = float(abs(mixture.centers).max())
        defaults["regularizer_weight"] = round(0.02 * reach**2, 4)
    return defaults


def network_arguments(recipe: Recipe, role: str) -> dict[str, Any]:
    """Returns the arguments that a network's function takes from a complete recipe.

    Args:
        recipe: A complete `Recipe`.
        role: `"generator"` or `"discriminator"`.

    Raises:
        UserError: if a setting is changed that the network of images does not have.
    """
    arguments = {}
    for name, setting in rows(Recipe).items():
        argument = getattr(setting, role)
        value = getattr(recipe, name)
        if argument is None or value is None:
            continue
        if recipe.network in setting.networks:
            arguments[argument] = value
        elif value != setting.default and kinds.of_spec(recipe.data).pictorial:
            raise UserError(
                f"Expected no {setting.words} with network={recipe.network}, which has "
                f"none. Received: {value}; choose another network"
            )
    return arguments
