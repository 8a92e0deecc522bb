"""Arguments of fit, evaluate, predict and compile."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from citizen_cases.case import Group
from citizen_cases.parts import (
    FIT,
    IMAGES,
    LABELS,
    compiled,
    conditional,
    discriminator,
    generator,
    losses_by_hand,
    same,
    trains,
    weights,
)
from ganlab import GAN

group = Group("fit and compile")


def _validated(make: Any) -> bool:
    gan = compiled(optimizers=("sgd", "sgd"))
    history = gan.fit(IMAGES, **{**FIT, **make()}).history
    return np.isfinite(history["val_d_loss"]).all() and "val_loss" in history


VALIDATION = {
    "array": lambda: {"validation_data": IMAGES},
    "tuple": lambda: {"validation_data": (IMAGES, None)},
    "dataset": lambda: {
        "validation_data": tf.data.Dataset.from_tensor_slices(IMAGES).batch(5)
    },
    "split": lambda: {"validation_split": 0.25},
    "steps": lambda: {
        "validation_data": tf.data.Dataset.from_tensors(IMAGES).repeat(),
        "validation_steps": 2,
    },
}
for title, maker in VALIDATION.items():
    group.works(
        "the history has val_d_loss and val_loss",
        f"validation-{title}",
        f"Validation by {title}.",
    )(functools.partial(_validated, maker))


@group.works("its val_d_real is the discriminator's mean probability")
def validation_value():
    """`validation_data` and what it measures."""
    gan = compiled()
    history = gan.fit(IMAGES, validation_data=IMAGES[:8], **FIT).history
    logits = gan.discriminator(IMAGES[:8]).numpy()
    return np.isclose(history["val_d_real"][0], (1 / (1 + np.exp(-logits))).mean())


@group.works("each batch has latents of its own")
def validation_latents():
    """Four equal batches in `evaluate`."""
    gan = compiled()
    options = {"batch_size": 16, "verbose": 0, "return_dict": True}
    one = gan.evaluate(IMAGES, **options)["d_fake"]
    four = gan.evaluate(np.concatenate([IMAGES] * 4), **options)["d_fake"]
    return abs(one - four) > 1e-7 and one == gan.evaluate(IMAGES, **options)["d_fake"]


WEIGHTS = {
    "sample-weight": {"sample_weight": np.arange(16.0)},
    "class-weight": {"class_weight": {0: 9.0, 1: 1.0, 2: 1.0, 3: 1.0}},
}
for title, options in WEIGHTS.items():
    group.refused("sample_from_datasets", title, f"`fit` with {title}.")(
        functools.partial(
            lambda **options: conditional().fit(IMAGES, LABELS, **options, **FIT),
            **options,
        )
    )


@group.refused("sample_from_datasets")
def weights_in_dataset():
    """A data set of (images, labels, weights)."""
    parts = IMAGES, LABELS, np.ones(16)
    conditional().fit(tf.data.Dataset.from_tensor_slices(parts).batch(16), verbose=0)


@group.refused("sample_from_datasets")
def weights_in_batch():
    """`train_on_batch` with weights."""
    conditional().train_on_batch(IMAGES, LABELS, sample_weight=np.ones(16))


def _steps(expected: int, **options: Any) -> bool:
    gan = compiled()
    gan.fit(IMAGES, **{**FIT, **options})
    return gan.step.numpy() == expected


STEPS = {
    "epochs-0": (0, {"epochs": 0}),
    "initial-epoch": (1, {"initial_epoch": 4, "epochs": 5}),
    "steps-per-epoch": (2, {"batch_size": 4, "steps_per_epoch": 2}),
    "batch-larger-than-data": (1, {"batch_size": 999}),
    "batch-size-1": (16, {"batch_size": 1}),
    "batch-size-default": (1, {"batch_size": None}),
    "last-batch-partial": (4, {"batch_size": 5}),
}
for title, (count, options) in STEPS.items():
    group.works(f"it makes {count} step(s)", title, f"`fit` with {title}.")(
        functools.partial(_steps, count, **options)
    )


@group.works("the remainder of the last batch is cut")
def partial_batch_steps():
    """16 images in batches of 6, and 3 discriminator steps."""
    gan = compiled(discriminator_steps=3)
    return trains(gan, expected=None, batch_size=6) and gan.step.numpy() == 3


@group.works("the remainder of the last batch is cut")
def partial_batch_packing():
    """15 images in batches of 4, packed by 2."""
    gan = compiled(discriminating=discriminator(shape=(8, 8, 2)), model={"packing": 2})
    return (
        trains(gan, IMAGES[:15], expected=None, batch_size=4) and gan.step.numpy() == 4
    )


@group.refused("larger batch_size")
def batch_below_steps():
    """Batches of 2 images for 4 discriminator steps."""
    compiled(discriminator_steps=4).fit(IMAGES, batch_size=2, verbose=0)


@group.works("the order of the data does not enter, the images do")
def shuffled():
    """`fit(shuffle=True)` on one batch."""
    gan = compiled(optimizers=("sgd", "sgd"))
    return trains(gan, shuffle=True)


def _same_training(**options: Any) -> bool:
    gans = []
    for given in ({}, options):
        gan = compiled(optimizers=("sgd", "sgd"), **given)
        if gans:
            gan.set_weights(gans[0][1])
        start = gan.get_weights()
        gan.fit(IMAGES, **{**FIT, "batch_size": 4})
        gans.append((weights(gan), start))
    return same(gans[0][0], gans[1][0])


for title, options in {
    "run-eagerly": {"run_eagerly": True},
    "steps-per-execution": {"steps_per_execution": 2},
    "steps-per-execution-3": {"steps_per_execution": 3},
    "recompute": {"recompute": True},
}.items():
    group.works(
        "the weights are those without it",
        f"compile-{title}",
        f"`compile` with {title}.",
        slow=True,
    )(functools.partial(_same_training, **options))


@group.works("both learn", slow=True)
def compile_jit():
    """`compile(jit_compile=True)`, whose latents XLA draws."""
    return trains(compiled(jit_compile=True), expected=None)


COMPILE = {
    "metrics": ({"metrics": ["accuracy"]}, "ganlab.callbacks"),
    "weighted-metrics": ({"weighted_metrics": ["accuracy"]}, "leave it out"),
    "loss-weights": ({"loss_weights": [1, 2]}, "class_weight"),
    "typo": ({"regularizer": "r1"}, "regularizers"),
    "steps-0": ({"discriminator_steps": 0}, "discriminator_steps of 1 or more"),
    "updates": ({"updates": "both"}, "alternating"),
    "regularizers": ({"regularizers": "r3"}, "r1"),
    "augmentation": ({"augmentation": "flip"}, "diffaugment"),
    "keras-layer-augmentation": ({"augmentation": tf.image.flip_left_right}, "ganlab"),
    "noise": ({"instance_noise": -1.0}, "0 or more"),
    "class-weight-dictionary": ({"class_weight": {0: 1.0}}, "one number"),
}
for title, (options, fix) in COMPILE.items():
    group.refused(fix, f"compile-{title}", f"`compile` with {options}.")(
        functools.partial(compiled, **options)
    )


@group.refused("call compile")
def fit_before_compile():
    """`fit` before `compile`."""
    GAN(generator(), discriminator()).fit(IMAGES, verbose=0)


@group.refused("call compile")
def evaluate_before_compile():
    """`evaluate` before `compile`."""
    GAN(generator(), discriminator()).evaluate(IMAGES, verbose=0)


@group.refused("call compile")
def train_on_batch_before_compile():
    """`train_on_batch` before `compile`."""
    GAN(generator(), discriminator()).train_on_batch(IMAGES)


@group.works("it is the averaged generator")
def predict_before_compile():
    """`predict` and `sample` before `compile`."""
    gan = GAN(generator(), discriminator())
    latents = np.ones((2, 4), "float32")
    drawn = gan.predict(latents, verbose=0)
    return np.allclose(drawn, gan.generator(latents)) and len(gan.sample(3)) == 3


@group.works("its losses are the plain networks'")
def train_on_batch():
    """`train_on_batch(return_dict=True)`."""
    gan = compiled()
    expected = losses_by_hand(gan, IMAGES)
    logs = gan.train_on_batch(IMAGES, return_dict=True)
    return np.allclose([logs["d_loss"], logs["g_loss"]], expected, rtol=1e-4)


@group.works("its d_real is the discriminator's, and no weight moves")
def test_on_batch():
    """`test_on_batch(return_dict=True)`."""
    gan = compiled()
    before = gan.get_weights()
    logs = gan.test_on_batch(IMAGES, return_dict=True)
    logits = gan.discriminator(IMAGES).numpy()
    still = all(map(np.array_equal, before, gan.get_weights()))
    return still and np.isclose(logs["d_real"], (1 / (1 + np.exp(-logits))).mean())


@group.works("it is `predict`")
def predict_on_batch():
    """`predict_on_batch`."""
    gan = compiled()
    latents = np.ones((3, 4), "float32")
    return np.allclose(gan.predict_on_batch(latents), gan.generator(latents))


@group.refused("latents")
def predict_on_images():
    """`predict` on images, as a discriminator's user would."""
    compiled().predict(IMAGES, verbose=0)


@group.works("the second goes on from the first")
def fit_twice():
    """`fit` twice, as in a notebook."""
    gan = compiled()
    gan.fit(IMAGES, **FIT)
    return trains(gan) and gan.step.numpy() == 2


@group.works("the new optimizers and loss train on")
def compile_again():
    """`compile` again between two calls of `fit`."""
    gan = compiled()
    gan.fit(IMAGES, **FIT)
    gan.compile("sgd", "sgd", loss="hinge")
    return trains(gan, expected=None)


@group.works("it holds both networks, the average apart")
def summary():
    """`summary(expand_nested=True)`."""
    lines: list[str] = []
    compiled().summary(print_fn=lines.append, expand_nested=True)
    text = "\n".join(lines)
    return "averaged_generator" in text
