"""Builds the networks, the optimizers and the compiled GAN of a recipe."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras

from ganlab import networks
from ganlab.config.settings import Recipe
from ganlab.data import kinds
from ganlab.errors import UserError, unknown_name
from ganlab.models.gan import GAN
from ganlab.networks import blocks
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives import losses, regularizers, schedules
from ganlab.objectives.augmentation import Augmentation
from ganlab.objectives.regularizers import Regularizer

NETWORKS: dict[str, tuple[Callable[..., keras.Model], Callable[..., keras.Model]]] = {
    "dcgan": (networks.dcgan_generator, networks.dcgan_discriminator),
    "resnet": (networks.resnet_generator, networks.resnet_discriminator),
    "r3gan": (networks.r3gan_generator, networks.r3gan_discriminator),
    "mlp": (networks.mlp_generator, networks.mlp_discriminator),
}
# Argument of a network's function -> field of the recipe.
GENERATOR_FIELDS = {
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
}
DISCRIMINATOR_FIELDS = {
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
}


def check_names(recipe: Recipe) -> None:
    """Raises `UserError` for mistakes that show before data is read."""
    losses.get(recipe.loss, recipe.label_smoothing)
    build_regularizers(recipe)
    augmentation = build_augmentation(recipe)
    if recipe.network not in (None, *NETWORKS):
        raise unknown_name("network", recipe.network, NETWORKS)
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


def build_gan(
    recipe: Recipe, num_classes: int | None, steps_per_execution: int = 1
) -> GAN:
    """Builds and compiles the GAN that a complete recipe describes.

    Args:
        recipe: What `Recipe.completed` returned.
        num_classes: Integer, or `None` for noise alone.
        steps_per_execution: See `keras.Model.compile`.
    """
    keras.utils.set_random_seed(recipe.seed)
    generator, discriminator = build_networks(recipe, num_classes)
    gan = GAN(
        generator,
        discriminator,
        num_classes=num_classes,
        packing=recipe.packing,
        ema_decay=recipe.ema_decay,
        seed=recipe.seed,
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
            "Expected the network mlp for points and another for images. Received: "
            f"{network} for {recipe.data}; leave the network out"
        )
    if network == "mlp":
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
    make_generator, make_discriminator = NETWORKS[network]
    return (
        _build_network(recipe, make_generator, GENERATOR_FIELDS, num_classes),
        _build_network(recipe, make_discriminator, DISCRIMINATOR_FIELDS, num_classes),
    )


def _build_network(
    recipe: Recipe,
    make: Callable[..., keras.Model],
    fields: dict[str, str],
    num_classes: int | None,
) -> keras.Model:
    """Calls `make` with those of the recipe's fields that it takes."""
    options: dict[str, Any] = {}
    default = Recipe()
    parameters = inspect.signature(make).parameters
    for argument, field in fields.items():
        value = getattr(recipe, field)
        if value is None:
            continue
        if argument in parameters:
            options[argument] = value
        elif value != getattr(default, field):
            raise UserError(
                f"Expected no {field.replace('_', ' ')} with network="
                f"{recipe.network}, which has none. Received: {value}; choose "
                "another network"
            )
    return make(recipe.image_size, recipe.channels, num_classes=num_classes, **options)


def _build_optimizer(recipe: Recipe, rate: float | None) -> keras.optimizers.Optimizer:
    if rate is None:
        raise UserError(
            "Expected a complete recipe. Received: no learning rate; call completed"
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
        regularizer.weight = schedules.anneal(
            regularizer.weight,
            regularizer.weight * recipe.final_weight_share,
            recipe.steps,
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
