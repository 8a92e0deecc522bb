"""Optimizers: every one of Keras's, and what they can do."""

import functools
from typing import Any

import keras
import numpy as np
from keras import optimizers

from citizen_cases.case import Group
from citizen_cases.parts import (
    FIT,
    IMAGES,
    compiled,
    same,
    steps_by_hand,
    trains,
    weights,
)

group = Group("optimizers")
RIGHT = "both networks' weights are those of Keras's own `apply` by hand"
STOCK = {
    "sgd": optimizers.SGD,
    "rmsprop": optimizers.RMSprop,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
    "adadelta": optimizers.Adadelta,
    "adagrad": optimizers.Adagrad,
    "adamax": optimizers.Adamax,
    "adafactor": optimizers.Adafactor,
    "nadam": optimizers.Nadam,
    "ftrl": optimizers.Ftrl,
    "lion": optimizers.Lion,
    "lamb": optimizers.Lamb,
    "muon": optimizers.Muon,
}
OPTIONS = {
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "amsgrad": lambda: optimizers.Adam(amsgrad=True, beta_1=0.5),
    "clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.01),
    "clipvalue": lambda: optimizers.SGD(0.1, clipvalue=0.001),
    "global-clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.01),
    "weight-decay": lambda: optimizers.SGD(0.1, weight_decay=0.1),
    "use-ema": lambda: optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    "use-ema-overwrite": lambda: optimizers.SGD(
        0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=1
    ),
    "accumulation": lambda: optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "exponential-decay": lambda: optimizers.SGD(
        optimizers.schedules.ExponentialDecay(0.5, 1, 0.1)
    ),
    "cosine-decay": lambda: optimizers.SGD(
        optimizers.schedules.CosineDecay(0.5, 2, warmup_target=1.0, warmup_steps=1)
    ),
    "piecewise": lambda: optimizers.SGD(
        optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.01])
    ),
    "loss-scale": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1)),
}


def steps(make: Any) -> bool:
    """Whether two steps of 8 images are those by hand."""
    gan = compiled(optimizers=(make(), make()))
    by_hand = [_inner(make()), _inner(make())]
    expected = steps_by_hand(gan, [IMAGES[:8], IMAGES[8:]], by_hand)
    gan.fit(IMAGES, batch_size=8, shuffle=False, verbose=0)
    return same(weights(gan), expected)


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)


for title, maker in (STOCK | OPTIONS).items():
    group.works(RIGHT, f"optimizer-{title}", f"Two optimizers: {title}.")(
        functools.partial(steps, maker)
    )


class Plain(optimizers.Optimizer):
    """A user's own optimizer: gradient descent."""

    def __init__(self, learning_rate: float = 0.1, **options: Any) -> None:
        super().__init__(learning_rate, name="plain", **options)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign_sub(variable, gradient * learning_rate)


@group.works(RIGHT)
def own_optimizer():
    """A subclass of `keras.optimizers.Optimizer`."""
    return steps(Plain)


@group.works("both are made")
def optimizer_names():
    """Optimizers by name, in upper case."""
    return trains(compiled(optimizers=("RMSprop", "Adam")))


@group.works("both are made, with their rates")
def optimizer_config():
    """Optimizers as dictionaries of class name and config."""
    config = keras.optimizers.serialize(optimizers.Adam(0.5))
    gan = compiled(optimizers=(config, config))
    return float(gan.generator_optimizer.learning_rate) == 0.5


REFUSED = {
    "twice": (lambda one: compiled(optimizers=(one, one)), "Expected two optimizers"),
    "once": (lambda one: compiled(optimizers=(one,)), "gan.compile('adam', 'adam')"),
    "none": (lambda one: compiled(optimizers=()), "gan.compile('adam', 'adam')"),
    "unknown": (lambda one: compiled(optimizers=("adm", "adam")), "or its name"),
    "class": (
        lambda one: compiled(optimizers=(optimizers.Adam, optimizers.Adam)),
        "keras.optimizers.Adam(2e-4, beta_1=0.5)",
    ),
    "rate": (lambda one: compiled(optimizers=(1e-3, 1e-3)), "or its name"),
    "keyword": (
        lambda one: compiled(optimizers=(), optimizer=one),
        "pass generator_optimizer and discriminator_optimizer",
    ),
}
for title, (use, fix) in REFUSED.items():
    group.refused(fix, f"optimizer-{title}", f"Optimizers that do not fit: {title}.")(
        functools.partial(lambda use: use(optimizers.Adam()), use)
    )


@group.refused("make new ones")
def optimizer_of_another_model():
    """An optimizer that has trained another GAN."""
    pair = optimizers.Adam(), optimizers.Adam()
    compiled(optimizers=pair).fit(IMAGES, **FIT)
    compiled(optimizers=pair).fit(IMAGES, **FIT)


@group.works("the rates of both follow")
def rate_assigned():
    """A learning rate set between two calls of `fit`."""
    gan = compiled()
    gan.fit(IMAGES, **FIT)
    gan.optimizer.learning_rate = 0.0
    before = weights(gan)
    gan.fit(IMAGES, **FIT)
    return same(before, weights(gan), 0.0)


@group.works("the step is skipped, and the next one is not")
def loss_scale_overflow():
    """Loss scaling that overflows in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    scaled = [
        optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=2.0**60)
        for _ in range(2)
    ]
    gan = compiled(optimizers=scaled)
    before = weights(gan)
    gan.fit(IMAGES, **FIT)
    skipped = same(before, weights(gan), 0.0)
    finite = all(np.isfinite(value).all() for side in weights(gan) for value in side)
    return skipped and finite and float(scaled[0].dynamic_scale) < 2.0**60
