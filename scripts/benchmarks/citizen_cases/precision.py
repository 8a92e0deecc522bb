"""Precisions of own networks, none of which has a float32 last layer."""

import functools
from typing import Any

import keras
import numpy as np
from keras import layers

from citizen_cases.case import Group
from citizen_cases.parts import (
    FIT,
    IMAGES,
    compiled,
    discriminator,
    generator,
    losses_by_hand,
    trains,
)

group = Group("precision")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "wasserstein": {"loss": "wasserstein"},
    "r1": {"regularizers": "r1"},
    "penalty": {"regularizers": "gradient_penalty", "loss": "wasserstein"},
    "steps": {"discriminator_steps": 2},
    "augmented": {"augmentation": "diffaugment"},
    "ada": {"augmentation": "ada"},
    "alternating": {"updates": "alternating"},
    "recompute": {"recompute": True},
    "noise": {"instance_noise": 0.1},
}
POLICIES = {
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
    "float64": "float64",
}
TOLERANCES = {"bfloat16": 0.02, "float16": 3e-3, "float64": 1e-5}
CHANGED = ("steps", "augmented", "ada", "noise", "alternating")  # other logits


def in_policy(policy: str, name: str) -> bool:
    keras.config.set_dtype_policy(POLICIES[policy])
    gan = compiled(**OPTIONS[name])
    expected: Any = None
    if name == "wasserstein" or name == "penalty":
        real = gan.discriminator(IMAGES)
        fake = gan.discriminator(gan.generator(gan.training_latents(16)))
        real, fake = (np.mean(np.array(value, "float64")) for value in (real, fake))
        expected = (fake - real, -fake)
    elif name not in CHANGED:
        expected = losses_by_hand(gan, IMAGES)
    return trains(gan, expected=expected, tolerance=TOLERANCES[policy])


for kind in POLICIES:
    for title in OPTIONS:
        group.works(
            "its losses are the plain networks', and both learn",
            f"{kind}-{title}",
            f"Own networks in {kind}, {title}.",
            slow=title in ("ada", "recompute", "noise"),
        )(functools.partial(in_policy, kind, title))


@group.works("the penalty is float32's")
def r1_in_half_precision():
    """R1 on images in [-1, 1] times 9, in mixed float16."""

    def penalty(policy: str) -> float:
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        start = layers.Rescaling(1 / 9, dtype="float32")
        networks = generator(layers.Activation("tanh")), discriminator(start)
        gan = compiled(*networks, regularizers="r1")
        return gan.fit(IMAGES, **FIT).history["d_penalty"][0]

    return abs(penalty("mixed_float16") / penalty("float32") - 1) < 0.01


@group.works("its losses are the plain networks', and both learn")
def float64_generator_alone():
    """A generator in float64 under a discriminator in float32."""
    keras.config.set_dtype_policy("float64")
    network = generator()
    keras.config.set_dtype_policy("float32")
    return trains(compiled(network))


@group.works("its losses are the plain networks', and both learn")
def floatx_float64():
    """`keras.config.set_floatx("float64")` as a notebook's first line."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    return trains(compiled())


@group.works("samples are uint8, and equal to the generator's own to 1 level")
def float16_sample():
    """Sampling of a generator in mixed float16."""
    keras.config.set_dtype_policy("mixed_float16")
    gan = compiled(generator(layers.Activation("tanh")))
    from ganlab import draw_latents

    drawn = np.array(gan.generator(draw_latents(4, 4, seed=0)), "float32")
    return np.abs(gan.sample(4).astype(int) - (drawn + 1) * 127.5).max() <= 1.5
