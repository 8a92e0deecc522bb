"""What both networks minimise: loss, penalties, augmentation and noise in one."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, brief
from ganlab.networks.precision import as_float32
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives import losses, regularizers
from ganlab.objectives.arguments import check_schedule, is_number, serialize
from ganlab.objectives.regularizers import (
    DiscriminatorOutput,
    Regularizer,
    Schedule,
)

LOG_KEYS = (
    "loss",
    "d_loss",
    "g_loss",
    "d_real",
    "d_fake",
    "d_accuracy_real",
    "d_accuracy_fake",
    "d_gradient_norm",
    "g_gradient_norm",
)


@keras.saving.register_keras_serializable(package="ganlab")
@dataclass(frozen=True)
class Objective:
    """What both networks minimise.

        D minimises  loss.discriminator + sum of weighted penalties
                     + class_weight * (cross-entropy of real images' classes
                                       + cross-entropy of fake images' classes)
        G minimises  loss.generator
                     + class_weight * cross-entropy of fake images' classes

    with the class terms only for an auxiliary classifier. Names are resolved and
    checked once, when the objective is made.

    Args:
        loss: A name, an `AdversarialLoss`, a `keras.losses.Loss` or a function: see
            `ganlab.losses.get`.
        regularizers: Names of `ganlab.regularizers.REGULARIZERS` joined by `+`, such
            as `"r1+r2"`, a `Regularizer`, or a list of either.
        augmentation: A name of `ganlab.augmentation.AUGMENTATIONS`, an
            `Augmentation`, or `None`; applied to all discriminator inputs.
        instance_noise: Float, or a function of the step from
            `keras.optimizers.schedules`: standard deviation of Gaussian noise on all
            discriminator inputs, on the scale of images in [-1, 1].
        class_weight: Float, 0 or more: weight of the auxiliary classifier's
            cross-entropy, where there is one.

    Raises:
        UserError: for an unknown name, with the known ones, an object of another
            kind, or a negative number.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661);
        [Odena et al., 2016 (AC-GAN)](https://arxiv.org/abs/1610.09585)
    """

    loss: Any = "non_saturating"
    regularizers: Any = None
    augmentation: Any = None
    instance_noise: Schedule = 0.0
    class_weight: float = 1.0

    def __post_init__(self) -> None:
        resolved = {
            "loss": losses.get(self.loss),
            "regularizers": tuple(regularizers.get(self.regularizers)),
            "augmentation": augmentations.get(self.augmentation),
        }
        for name, value in resolved.items():
            object.__setattr__(self, name, value)
        check_schedule("instance noise", self.instance_noise)
        if not (is_number(self.class_weight) and self.class_weight >= 0.0):
            raise UserError(
                "Expected class_weight as one number of 0 or more. "
                f"Received: {brief(self.class_weight)}; it weighs the auxiliary "
                "classifier's cross-entropy, not single classes"
            )

    @property
    def penalties(self) -> tuple[Regularizer, ...]:
        """The regularizers that add to the loss."""
        return tuple(
            regularizer for regularizer in self.regularizers if regularizer.weight
        )

    @property
    def gradient_penalties(self) -> tuple[Regularizer, ...]:
        """The penalties on the discriminator's input gradients."""
        return tuple(
            penalty for penalty in self.penalties if penalty.needs_input_gradients
        )

    def log_keys(self, auxiliary: bool) -> list[str]:
        """The log keys of training with it.

        Args:
            auxiliary: Boolean. Whether the discriminator classifies too.
        """
        keys = [*LOG_KEYS]
        if self.penalties:
            keys.append("d_penalty")
        if auxiliary:
            keys += ["d_class_loss", "g_class_loss"]
        if self.augmentation is not None and self.augmentation.adapts:
            keys.append("augment_probability")
        return keys

    def check_fits(self, sample_shape: tuple[int, ...], *, auxiliary: bool) -> None:
        """Raises `UserError` for what these networks have no use for.

        Args:
            sample_shape: Shape of what the generator gives.
            auxiliary: Boolean. Whether the discriminator classifies too.
        """
        if self.class_weight != 1.0 and not auxiliary:
            raise UserError(
                "Expected a discriminator of [logits, class_logits] for class_weight. "
                f"Received: class_weight={self.class_weight} and one of logits alone; "
                "leave it out"
            )
        if self.augmentation is not None and len(sample_shape) != 3:
            raise UserError(
                "Expected augmentation of images alone. Received: a generator of "
                f"{sample_shape}; leave augmentation out"
            )

    def evaluate(self, outputs: Any, labels: Any) -> dict[str, Any]:
        """Both losses, and how well real is told from fake.

        Args:
            outputs: A pair: the discriminator's outputs for real and for as many fake
                images; logits of any shape, or logits and class logits.
            labels: Int tensor `(batch,)`, or `None`.

        Returns:
            A dict from log keys to float32 scalars (losses of float64 logits are
            float64); `d_class_loss` is that of real and of fake images together.
        """
        (real_logits, *real_classes), (fake_logits, *fake_classes) = (
            [as_float32(output) for output in _as_list(side)] for side in outputs
        )
        real_margins, fake_margins = self.loss.margins(real_logits, fake_logits)
        logs = {
            "d_loss": self.loss.discriminator(real_logits, fake_logits),
            "g_loss": self.loss.generator(real_logits, fake_logits),
            "d_real": ops.mean(ops.sigmoid(real_margins)),
            "d_fake": ops.mean(ops.sigmoid(fake_margins)),
            "d_accuracy_real": ops.mean(ops.cast(real_margins > 0, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(fake_margins < 0, "float32")),
        }
        on_real, on_fake = (
            [
                ops.mean(
                    keras.losses.sparse_categorical_crossentropy(
                        labels, class_logits, from_logits=True
                    )
                )
                for class_logits in classes
            ]
            for classes in (real_classes, fake_classes)
        )
        if on_real:
            logs["d_class_loss"] = on_real[0] + on_fake[0]
            logs["g_class_loss"] = on_fake[0]
        return logs

    def total(self, key: str, logs: dict[str, Any]) -> Any:
        """The loss of `d` or `g`, its part of the auxiliary classifier's included."""
        total = logs[f"{key}_loss"]
        if f"{key}_class_loss" in logs:
            total += self.class_weight * logs[f"{key}_class_loss"]
        return total

    def perturb(
        self,
        images: Any,
        step: Any,
        *,
        image_range: tuple[float, float] = (-1.0, 1.0),
        augmentation_seed: Callable[[], Any],
        noise_seed: Callable[[], Any],
    ) -> Any:
        """Augments images, and adds the instance noise of a step.

        Both are as strong in images of another range as in those in [-1, 1]. A seed
        is made only where it is used, for a step has many.
        """
        if self.augmentation is not None:
            images = self.augmentation.augment_range(
                images, augmentation_seed(), image_range
            )
        noise = self.instance_noise
        if callable(noise) or noise:
            deviation = ops.cast(noise(step) if callable(noise) else noise, "float32")
            deviation *= (image_range[1] - image_range[0]) / 2
            normal = tf.random.stateless_normal(ops.shape(images), noise_seed())
            images += ops.cast(deviation * normal, images.dtype)
        return images

    def after_step(
        self,
        discriminator: keras.Model,
        real: DiscriminatorOutput,
        fake: DiscriminatorOutput,
    ) -> dict[str, Any]:
        """Updates regularizers and augmentation; returns what is logged of them."""
        for regularizer in self.regularizers:
            regularizer.after_step(discriminator, real, fake)
        if self.augmentation is None:
            return {}
        margins, _ = self.loss.margins(real.logits, fake.logits)
        self.augmentation.after_step(margins)
        if not self.augmentation.adapts:
            return {}
        return {"augment_probability": self.augmentation.probability}

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, serialised."""
        config = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: serialize(value)
            if callable(value)
            else keras.saving.serialize_keras_object(value)
            for name, value in config.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Objective":
        """Returns the objective that `get_config` described."""
        return cls(**keras.saving.deserialize_keras_object(config))


def _as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
