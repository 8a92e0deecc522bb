"""Builds the networks, the optimizers and the compiled GAN of a recipe."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from ganlab import networks
from ganlab.config.resolve import network_arguments
from ganlab.config.settings import Recipe
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.networks import blocks
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives import losses, regularizers, schedules
from ganlab.objectives.augmentation import Augmentation
from ganlab.objectives.regularizers import Regularizer
from ganlab.training import translators

NETWORKS: dict[str, tuple[Callable[..., keras.Model], Callable[..., keras.Model]]] = {
    "dcgan": (networks.dcgan_generator, networks.dcgan_discriminator),
    "resnet": (networks.resnet_generator, networks.resnet_discriminator),
    "r3gan": (networks.r3gan_generator, networks.r3gan_discriminator),
    "projected": (networks.projected_generator, networks.projected_discriminator),
    "mlp": (networks.mlp_generator, networks.mlp_discriminator),
}


def check_names(recipe: Recipe) -> None:
    """Raises `UserError` for mistakes that show before data is read."""
    translators.check_settings(recipe)
    losses.get(recipe.loss, recipe.label_smoothing)
    build_regularizers(recipe)
    augmentation = build_augmentation(recipe)
    kind = kinds.of_spec(recipe.data)
    for name, given in (
        ("conditional", recipe.conditional),
        ("augmentation", augmentation is not None),
        ("flip", recipe.flip),
    ):
        if given and not kind.applies(name):
            raise UserError(
                f"Expected {recipe.data} without classes, augmentation and flips. "
                f"Received: {name}={getattr(recipe, name)}; leave it out"
            )
    if kind.pictorial and recipe.image_size is not None:
        blocks.check_image(recipe.image_size, recipe.channels or 1)


def build_gan(
    recipe: Recipe, num_classes: int | None, steps_per_execution: int = 1
) -> Any:
    """Builds and compiles the GAN, or the translator, that a complete recipe describes.

    Args:
        recipe: What `ganlab.config.resolve.complete` returned.
        num_classes: Integer, or `None` for noise alone.
        steps_per_execution: See `keras.Model.compile`.
    """
    keras.utils.set_random_seed(recipe.seed)
    if recipe.model == "translator":
        gan: Any = translators.build_translator(recipe)
    else:
        generator, discriminator = build_networks(recipe, num_classes)
        gan = GAN(
            generator,
            discriminator,
            num_classes=num_classes,
            packing=recipe.packing,
            ema_decay=recipe.ema_decay,
            seed=recipe.seed,
            # of the data, which `ganlab.data` scales so, whatever the generator reaches
            output_range=(-1.0, 1.0) if kinds.of_spec(recipe.data).pictorial else None,
        )
    gan.compile(
        _build_optimizer(recipe, recipe.generator_learning_rate),
        _build_optimizer(recipe, recipe.discriminator_learning_rate),
        loss=losses.get(recipe.loss, recipe.label_smoothing),
        discriminator_steps=recipe.discriminator_steps,
        regularizers=build_regularizers(recipe),
        augmentation=build_augmentation(recipe),
        instance_noise=schedules.fade(recipe.instance_noise, recipe.steps),
        steps_per_execution=steps_per_execution,
        loss_scaling=recipe.loss_scaling,
        updates=recipe.updates,
        recompute=recipe.recompute,
        skip_non_finite=recipe.skip_non_finite,
    )
    return gan


def build_networks(
    recipe: Recipe, num_classes: int | None
) -> tuple[keras.Model, keras.Model]:
    """Builds the generator and the discriminator of a complete recipe.

    Raises:
        UserError: if the network has no part for something that is set.
    """
    network = recipe.network
    if network is None or network not in kinds.of_spec(recipe.data).networks:
        raise UserError(
            "Expected the network mlp for toy 2-D mixtures and another for images. "
            f"Received: {network} for {recipe.data}; leave the network out"
        )
    options: dict[str, Any] = {}
    if kinds.of_spec(recipe.data).pictorial:
        options = {
            "image_size": recipe.image_size,
            "channels": recipe.channels,
            "num_classes": num_classes,
        }
    make_generator, make_discriminator = NETWORKS[network]
    return (
        make_generator(**options, **network_arguments(recipe, "generator")),
        make_discriminator(**options, **network_arguments(recipe, "discriminator")),
    )


def _build_optimizer(recipe: Recipe, rate: float | None) -> keras.optimizers.Optimizer:
    if rate is None:
        raise UserError(
            "Expected a complete recipe. Received: no learning rate; complete it"
        )
    batches = recipe.gradient_accumulation_steps
    return schedules.ScheduledAdam(
        schedules.anneal(rate, rate * recipe.final_rate_share, recipe.steps),
        beta_1=recipe.beta_1,
        beta_2=schedules.anneal(recipe.beta_2, recipe.final_beta_2, recipe.steps),
        global_clipnorm=recipe.gradient_clip,
        gradient_accumulation_steps=batches if batches > 1 else None,
    )


def build_regularizers(recipe: Recipe) -> list[Regularizer]:
    """Builds the regularizers, whose weights fade as the recipe says."""
    built = regularizers.get(
        recipe.regularizer, recipe.regularizer_weight, recipe.regularizer_every
    )
    for regularizer in built:
        weight = regularizer.weight
        if not callable(weight):
            regularizer.weight = schedules.anneal(
                weight, weight * recipe.final_weight_share, recipe.steps
            )
    return built


def build_augmentation(recipe: Recipe) -> Augmentation | None:
    """Builds the augmentation, or returns `None` without one."""
    if recipe.augmentation == "diffaugment":
        return augmentations.DiffAugment(recipe.augmentation_policy)
    return augmentations.get(recipe.augmentation)


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Sets Keras's dtype policy, and the earlier one again at the end."""
    earlier = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(earlier)
