"""Losses by name, as objects and as functions."""

import functools
from typing import Any

import keras
from keras import ops

from citizen_cases.case import Group
from citizen_cases.parts import IMAGES, compiled, losses_by_hand, trains

group = Group("losses")
RIGHT = "labels 1 for real and 0 for fake, each side's mean; the generator's is of 1"


def towards(loss: keras.losses.Loss) -> Any:
    """Both losses by a loss of Keras's, from its own call."""

    def losses(real: Any, fake: Any) -> tuple[Any, Any]:
        ones, zeros = ops.ones_like(fake), ops.zeros_like(fake)
        return loss(ones, real) + loss(zeros, fake), loss(ones, fake)

    return losses


OBJECTS = {
    "binary-crossentropy": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    "label-smoothing": lambda: keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=0.2
    ),
    "focal": lambda: keras.losses.BinaryFocalCrossentropy(from_logits=True),
    "squared-error": keras.losses.MeanSquaredError,
    "absolute-error": keras.losses.MeanAbsoluteError,
    "log-cosh": keras.losses.LogCosh,
    "hinge": keras.losses.Hinge,
    "squared-hinge": keras.losses.SquaredHinge,
}
NAMES = {
    "binary_crossentropy": OBJECTS["binary-crossentropy"],
    "bce": OBJECTS["binary-crossentropy"],
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
}


def keras_loss(given: Any, make: Any) -> bool:
    given = given or make()
    gan = compiled(loss=given)
    return trains(gan, expected=losses_by_hand(gan, IMAGES, losses=towards(make())))


for title, maker in OBJECTS.items():
    group.works(RIGHT, f"loss-object-{title}", f"Keras's {title} as an object.")(
        functools.partial(keras_loss, None, maker)
    )
for title, maker in NAMES.items():
    group.works(RIGHT, f"loss-name-{title}", f'The name "{title}".')(
        functools.partial(keras_loss, title, maker)
    )


def wasserstein(real_logits: Any, fake_logits: Any) -> tuple[Any, Any]:
    """Both losses of Arjovsky's critic."""
    fake = ops.mean(fake_logits)
    return fake - ops.mean(real_logits), -fake


class Own(keras.losses.Loss):
    """A user's own loss of labels and logits."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 4


@group.works("its two numbers are both losses")
def loss_function():
    """A plain function of both sides' logits."""
    gan = compiled(loss=wasserstein)
    return trains(gan, expected=losses_by_hand(gan, IMAGES, losses=wasserstein))


@group.works(RIGHT)
def loss_own_class():
    """A subclass of `keras.losses.Loss`."""
    return keras_loss(Own(), Own)


@group.refused("keras.losses.BinaryCrossentropy(from_logits=True)")
def loss_function_of_labels():
    """A function of `(y_true, y_pred)`."""
    compiled(loss=lambda y_true, y_pred: ops.mean(y_true - y_pred))


@group.refused("return a pair")
def loss_function_of_one_number():
    """A function of both sides' logits that returns one number."""
    compiled(loss=lambda real, fake: ops.mean(real - fake)).fit(IMAGES, verbose=0)


@group.refused("reduce them to scalars")
def loss_function_unreduced():
    """A function that returns a loss for each sample."""
    compiled(loss=lambda real, fake: (fake - real, -fake)).fit(IMAGES, verbose=0)


REFUSED = {
    "probabilities": (keras.losses.BinaryCrossentropy, "(from_logits=True)"),
    "classes": (keras.losses.CategoricalCrossentropy, "use one of"),
    "unreduced": (
        lambda: keras.losses.MeanSquaredError(reduction="none"),
        "leave reduction out",
    ),
    "class": (lambda: keras.losses.MeanSquaredError, "pass an instance"),
    "list": (
        lambda: ["mse", "mse"],
        "Expected loss as a name, an AdversarialLoss, a keras.losses.Loss",
    ),
    "dictionary": (
        lambda: {"generator": "mse"},
        "Expected loss as a name, an AdversarialLoss, a keras.losses.Loss",
    ),
    "typo": (lambda: "non_saturated", "non_saturating"),
    "kl": (lambda: "kl_divergence", "binary_crossentropy"),
    "none": (
        lambda: None,
        "Expected loss as a name, an AdversarialLoss, a keras.losses.Loss",
    ),
}
for title, (maker, fix) in REFUSED.items():
    group.refused(fix, f"loss-{title}", f"A loss that does not fit: {title}.")(
        functools.partial(lambda make: compiled(loss=make()), maker)
    )
