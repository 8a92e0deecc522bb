"""How a model that is no `ganlab.GAN` is watched: as one of the same networks.

ganlab's callbacks ask a `GAN` for samples, logits and its step. A `Follower` makes one
of the user's two networks and lets it follow their training, which it never changes.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from ganlab.diagnosis.log import LOSSES
from ganlab.diagnosis.logs.columns import meaning_of
from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.networks.output_range import output_range

OPTIMIZER_NAMES = {
    "d": ("d_optimizer", "discriminator_optimizer", "disc_optimizer"),
    "g": ("g_optimizer", "generator_optimizer", "gen_optimizer"),
}
CLIP = 1e-7  # of probabilities, before their logit


class Follower:
    """A `GAN` of a user's networks that follows how their own model trains them.

    Args:
        model: The `keras.Model` that trains.
        generator: Its generator: a built `keras.Model` from latents to images.
        discriminator: Its discriminator, likewise, from images to logits or, after a
            sigmoid, to probabilities.
        num_classes: Integer, of networks that take labels too, or `None`.

    `gan` is the `GAN`. Its averaged generator is the generator as it is, its `step`
    counts batches, and its `trackers` hold what the model's `train_step` returns.
    `answer_range` is the range of what the discriminator ends on, or `None` of one
    without a bound. `logistic` states whether the discriminator's logits are known to
    be those of a probability. `misread` is `probabilities` where the discriminator ends
    on a sigmoid and the model's cross-entropy applies another, `logits` where neither
    does, and `None` elsewhere. `reason` says why the networks make no `GAN`, or is
    `None`; then `gan` has networks, step and trackers alone.
    """

    def __init__(
        self,
        model: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int | None = None,
    ) -> None:
        self.model = model
        self._num_classes = num_classes
        self.answer_range = output_range(discriminator)
        self.logistic, self.reason = False, None
        self.misread: str | None = None
        self.gan: Any
        try:
            self.gan = self._as_gan(generator, discriminator)
        except UserError as error:
            self.reason = str(error)
            self.gan = _Counter(generator, discriminator)
        self.gan.steps_per_execution = getattr(model, "steps_per_execution", 1)
        self.gan.stop_training = False
        self.begin_epoch()

    def _as_gan(self, generator: keras.Model, discriminator: keras.Model) -> GAN:
        ends_on_sigmoid = self.ends_on_probabilities
        if ends_on_sigmoid:
            discriminator = _with_logits(discriminator)
        gan = GAN(
            generator,
            discriminator,
            num_classes=self._num_classes,
            ema_decay=0.0,
            name="followed",
        )
        cross_entropies = _cross_entropies(self.model)
        self.logistic = ends_on_sigmoid or bool(cross_entropies)
        if cross_entropies and all(loss.from_logits for loss in cross_entropies):
            self.misread = "probabilities" if ends_on_sigmoid else None
        elif cross_entropies and not ends_on_sigmoid:
            self.misread = "logits" if self.answer_range is None else None
        gan.compile(
            keras.optimizers.SGD(),
            keras.optimizers.SGD(),
            loss="non_saturating" if self.logistic else "wasserstein",
        )
        return gan

    @property
    def ends_on_probabilities(self) -> bool:
        """Whether the discriminator's answers lie between 0 and 1."""
        return self.answer_range == (0.0, 1.0)

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The model's optimizers by `d` and `g`, where their names tell."""
        optimizers = {}
        for key, names in OPTIMIZER_NAMES.items():
            for name in names:
                optimizer = getattr(self.model, name, None)
                if isinstance(optimizer, keras.optimizers.Optimizer):
                    optimizers[key] = optimizer
                    break
        return optimizers

    def begin_epoch(self) -> None:
        """Forgets the sums of the last epoch, as Keras does."""
        means = [
            metric
            for metric in self.model.metrics
            if isinstance(metric, keras.metrics.Mean)
        ]
        self._means = {metric.name: _Since(metric) for metric in means}
        self._raw: dict[str, _Sum] = {}
        self._keys: dict[str, str] | None = None  # found at the epoch's first batch
        self.gan.trackers = {}

    def observe(self, step: int, logs: Mapping[str, Any]) -> dict[str, float]:
        """Takes in the numbers of the batches up to a step.

        Args:
            step: Integer: batches trained.
            logs: What Keras hands to callbacks.

        Returns:
            The numbers under ganlab's names.
        """
        steps = step - int(self.gan.step.numpy())
        self.gan.step.assign(step)
        if self._keys is None:
            found_keys = {name: find_loss(name, logs) for name in LOSSES}
            self._keys = {name: key for name, key in found_keys.items() if key}
        named = {}
        for name, key in self._keys.items():
            value = float(logs[key])
            named[name] = value
            if key in self._means:
                self.gan.trackers[name] = self._means[key]
            else:
                tracker = self._raw.setdefault(name, _Sum())
                tracker.add(value, steps)
                self.gan.trackers[name] = tracker
        return named

    def follow(self) -> None:
        """Sets the `GAN`'s averaged generator to the generator as it is now."""
        if self.reason is None:
            for variable, average in self.gan.ema_generator.pairs():
                average.assign(variable)  # to the bit, whatever it was


def find_loss(name: str, keys: Iterable[str]) -> str | None:
    """The key under which a log holds a network's loss, or `None`.

    >>> find_loss("d_loss", ["gen_loss", "disc_loss"])
    'disc_loss'

    Args:
        name: `d_loss` or `g_loss`.
        keys: Keys of a log.
    """
    meanings = [(meaning_of(key), key) for key in keys]
    ranks = [
        (meaning[1], key)
        for meaning, key in meanings
        if meaning is not None and meaning[0] == name
    ]
    return min(ranks)[1] if ranks else None


class _Counter:
    """What is left to watch of networks that make no `GAN`."""

    num_classes = None
    seed = 0

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.step = keras.Variable(0, dtype="int64", trainable=False)
        self.trackers: dict[str, Any] = {}


class _Since:
    """What a running mean has taken in since the epoch began."""

    def __init__(self, metric: keras.metrics.Mean) -> None:
        self._metric = metric
        self._began = float(metric.total), float(metric.count)

    @property
    def total(self) -> float:
        return float(self._metric.total) - self._began[0]

    @property
    def count(self) -> float:
        return float(self._metric.count) - self._began[1]


class _Sum:
    """The sum of numbers that come one by one."""

    def __init__(self) -> None:
        self.total = self.count = 0.0

    def add(self, value: float, weight: int) -> None:
        self.total += value * weight
        self.count += weight


def _cross_entropies(model: keras.Model) -> list[keras.losses.BinaryCrossentropy]:
    """The binary cross-entropies that a model holds, under whatever names."""
    losses = itertools.chain(vars(model).values(), [getattr(model, "loss", None)])
    return [
        loss for loss in losses if isinstance(loss, keras.losses.BinaryCrossentropy)
    ]


def _with_logits(discriminator: keras.Model) -> keras.Model:
    """The same layers, with the logit of the probability that they end on."""
    if not getattr(discriminator, "outputs", None):
        raise UserError(
            "Expected a functional or Sequential discriminator, or raw logits. "
            f"Received: {discriminator.name!r}, subclassed, which ends on a sigmoid; "
            "end it on Dense(1)"
        )
    probability = keras.ops.clip(discriminator.outputs[0], CLIP, 1.0 - CLIP)
    logit = keras.ops.log(probability) - keras.ops.log1p(-probability)
    return keras.Model(discriminator.inputs, logit, name=discriminator.name)
