"""Healthy cases: GANs of sound settings, drawn at random."""

from typing import Any

import numpy as np

from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.labs.cases import Case

Random = np.random.Generator

DATA = ("emoji", "mnist", "fashion_mnist")
TOYS = ("ring", "grid")
TOY_FRACTION = 0.15
TOY_STEPS = 1200


def draw_healthy(seed: int) -> Case:
    """Draws a GAN of sound settings, which is a function of the seed."""
    random = np.random.default_rng([seed, 15])
    toy = random.random() < TOY_FRACTION
    return (draw_toy if toy else draw_image)(seed, random)


def draw_image(seed: int, random: Random) -> Case:
    """Draws a GAN of pictures."""
    trainer = choose(random, "ganlab", "keras")
    losses = {
        "ganlab": ("non_saturating", "hinge", "least_squares", "relativistic"),
        "keras": ("cross_entropy", "cross_entropy", "hinge", "least_squares"),
    }
    loss = choose(random, *losses[trainer], "wasserstein")
    if loss == "wasserstein":
        penalty = 10.0
    elif loss in ("relativistic", "least_squares"):
        penalty = 1.0
    else:
        penalty = choose(random, 0.0, 1.0, 1.0)
    steep = loss in ("wasserstein", "relativistic") or penalty
    symmetric = random.random() < 0.7
    rate = float(10 ** random.uniform(-3.6, -3.1))
    probabilities = trainer == "keras" and loss == "cross_entropy"
    return Case(
        seed,
        trainer,
        choose(random, *DATA),
        conditional=bool(random.random() < 0.3),
        value_range="symmetric" if symmetric else "unit",
        output="tanh" if symmetric else "sigmoid",
        generator=choose(random, "transposed", "transposed", "resized"),
        discriminator=choose(random, "strided", "strided", "pooled", "dense"),
        width=choose(random, 8, 8, 12),
        latent_dim=choose(random, 16, 32, 64, 100),
        kernel_size=choose(random, 4, 4, 6),
        generator_activation=choose(random, "relu", "leaky_relu", "elu", "silu"),
        discriminator_activation=choose(random, "leaky_relu", "leaky_relu", "silu"),
        generator_normalization="batch",
        discriminator_normalization=(
            "none" if steep else choose(random, "dropout", "dropout", "layer")
        ),
        end="sigmoid" if probabilities and random.random() < 0.5 else "linear",
        loss=loss,
        penalty=penalty,
        fake_label=int(random.integers(2)),
        optimizer=choose(random, "adam", "adam", "adam", "rmsprop"),
        rates=(rate, rate * float(2 ** random.uniform(-1, 0.5))),
        beta_1=choose(random, 0.0, 0.5),
        discriminator_steps=choose(random, 1, 2) if loss == "wasserstein" else 1,
        batch_size=choose(random, 16, 24, 32),
    )


def draw_toy(seed: int, random: Random) -> Case:
    """Draws a GAN of a toy mixture."""
    trainer = choose(random, "ganlab", "keras")
    loss = "wasserstein"
    if trainer == "ganlab":
        loss = choose(random, "relativistic", "relativistic", "wasserstein")
    rate = float(10 ** random.uniform(-3.0, -2.6))
    data, penalty = choose(random, *TOYS), 0.1
    if loss == "relativistic":  # as ganlab's own, which goes with the mixture's size
        recipe = complete(Recipe(data=data, regularizer="r1+r2"), None, None)
        penalty = recipe.as_dict()["regularizer_weight"]
    return Case(
        seed,
        trainer,
        data,
        generator="dense",
        discriminator="dense",
        width=choose(random, 8, 16),
        latent_dim=choose(random, 2, 8, 16),
        generator_activation=choose(random, "relu", "leaky_relu", "silu"),
        discriminator_activation=choose(random, "relu", "leaky_relu"),
        generator_normalization="none",
        discriminator_normalization="none",
        output="linear",
        loss=loss,
        penalty=penalty,
        rates=(rate, rate),
        beta_1=0.0,
        discriminator_steps=3 if loss == "wasserstein" else 1,
        batch_size=64,
        steps=TOY_STEPS,
    )


def choose(random: Random, *values: Any) -> Any:
    """One of the values."""
    return values[int(random.integers(len(values)))]
