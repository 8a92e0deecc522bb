"""Discriminators of patches, as those of pix2pix and CycleGAN."""

import functools
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from citizen_cases.case import Group
from citizen_cases.parts import FIT, IMAGES, LABELS, compiled, patches, trains

group = Group("patches")


def _softplus(values: Any) -> Any:
    return np.logaddexp(0.0, values)


LOSSES = {  # of the logits of real and of fake patches
    "minimax": lambda r, f: (_softplus(-r) + _softplus(f), -_softplus(f)),
    "non_saturating": lambda r, f: (_softplus(-r) + _softplus(f), _softplus(-f)),
    "least_squares": lambda r, f: ((r - 1) ** 2 / 2 + f**2 / 2, (f - 1) ** 2 / 2),
    "hinge": lambda r, f: (np.maximum(0, 1 - r) + np.maximum(0, 1 + f), -f),
    "wasserstein": lambda r, f: (f - r, -f),
    "relativistic": lambda r, f: (_softplus(f - r), _softplus(r - f)),
    "relativistic_average": lambda r, f: (
        _softplus(f.mean() - r) + _softplus(f - r.mean()),
        _softplus(r.mean() - f) + _softplus(r - f.mean()),
    ),
}


def _logits(gan: Any) -> tuple[np.ndarray, np.ndarray]:
    fake = gan.generator(gan.training_latents(16))
    real, fake = gan.discriminator(IMAGES), gan.discriminator(fake)
    return real.numpy(), fake.numpy()


def patch_loss(name: str) -> bool:
    gan = compiled(discriminating=patches(), loss=name)
    by_hand = [value.mean() for value in LOSSES[name](*_logits(gan))]
    if name == "relativistic_average":
        real, fake = _logits(gan)
        _, of_patch = _relativistic_average(real, fake)
        by_hand = of_patch
    return trains(gan, expected=by_hand)


def _relativistic_average(real: Any, fake: Any) -> tuple[Any, list[float]]:
    """The mean is that of a side's batch, patch by patch."""
    losses = LOSSES["relativistic_average"](real, fake)
    return None, [value.mean() for value in losses]


for title in LOSSES:
    group.works(
        "its losses are the means over all patches",
        f"patch-{title}",
        f"A patch discriminator with the {title} loss.",
    )(functools.partial(patch_loss, title))


@group.works("the penalty is that of the sum of an image's mean logit")
def patch_r1():
    """A patch discriminator under R1."""
    gan = compiled(discriminating=patches(), regularizers="r1")
    return trains(gan)


for title in ("r2", "gradient_penalty", "dragan", "lecam", "weight_clipping"):
    group.works(
        "the losses are those without it, and both learn",
        f"patch-{title}",
        f"A patch discriminator under {title}.",
    )(
        functools.partial(
            lambda name: trains(compiled(discriminating=patches(), regularizers=name)),
            title,
        )
    )


@group.works("two packed images are judged at once")
def patch_packing():
    """A patch discriminator of two packed images."""
    gan = compiled(discriminating=patches((8, 8, 2)), model={"packing": 2})
    return trains(gan, expected=None)


@group.works("each part of the batch is judged, and the last trains the generator")
def patch_steps():
    """A patch discriminator of two steps to the generator's one."""
    gan = compiled(discriminating=patches(), discriminator_steps=2)
    return trains(gan, expected=None) and gan.step.numpy() == 1


@group.works("the accuracies are those over patches")
def patch_evaluate():
    """A patch discriminator in `evaluate`."""
    gan = compiled(discriminating=patches())
    logs = gan.evaluate(IMAGES, batch_size=16, verbose=0, return_dict=True)
    share = np.mean(gan.discriminator(IMAGES).numpy() > 0)
    return np.isclose(logs["d_accuracy_real"], share)


@group.works("classes may be a map of the image's size")
def patch_of_classes():
    """A patch discriminator of images and a class, embedded as a channel."""
    from citizen_cases.parts import conditional_generator

    pixels, label = keras.Input((8, 8, 1)), keras.Input((1,), dtype="int32")
    embedded = layers.Reshape((8, 8, 1))(layers.Embedding(4, 64)(label))
    joined = layers.Concatenate()([pixels, embedded])
    network = keras.Model([pixels, label], layers.Conv2D(1, 4, 2)(joined))
    gan = compiled(conditional_generator(), network, model={"num_classes": 4})
    return trains(gan, IMAGES, LABELS, expected=None)


@group.works("the logits may be of rank 1")
def flat_logits():
    """A discriminator that gives `(batch,)`."""
    pixels = keras.Input((8, 8, 1))
    kernel = layers.Conv2D(1, 3)
    trained = keras.Model(pixels, ops.mean(kernel(pixels), axis=(1, 2, 3)))
    return trains(compiled(discriminating=trained))


@group.refused("join them by keras.layers.Concatenate")
def two_scales():
    """A discriminator of two scales, which returns two maps of logits."""
    pixels = keras.Input((8, 8, 1))
    small = layers.AveragePooling2D(2)(pixels)
    maps = [layers.Conv2D(1, 3)(pixels), layers.Conv2D(1, 3)(small)]
    compiled(discriminating=keras.Model(pixels, maps)).fit(IMAGES, **FIT)
