"""What every regularizer has, and the gradient norms that penalties are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, brief
from ganlab.networks.precision import as_float32
from ganlab.objectives.arguments import check_schedule, is_number, serialize


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What the discriminator made of the real or of the fake half of a batch.

    Args:
        inputs: Tensor `(batch, ...)`: the discriminator's inputs.
        logits: Float32 or float64 tensor `(batch, ...)`.
        input_gradients: Gradient of each image's logits, summed, in that image, a
            tensor like `images`, where it has been computed already; otherwise `None`.
        images: Tensor `(batch, ...)`: the images before augmentation and noise; by
            default the inputs.
        see: The function from these images to the inputs.
    """

    inputs: Any
    logits: Any
    input_gradients: Any = None
    images: Any = None
    see: Callable[[Any], Any] = lambda images: images


Critic = Callable[[Any], Any]
Output = DiscriminatorOutput
Schedule = float | Callable[[Any], Any]  # a number, or a function of the step


class Regularizer(keras.layers.Layer):
    """Base class: a weighted penalty that is added every so many steps.

    Args:
        weight: Float, 0 or more, or a function of the step from
            `keras.optimizers.schedules`.
        every: Integer `k`, 1 or more. The penalty is computed at every `k`-th
            step and counts `k` times there, so that its mean over steps is
            the same and most steps are cheaper. It shares the loss's
            optimizer step, so the optimizer needs no correction.

    Reference:
        [Karras et al., 2019](https://arxiv.org/abs/1912.04958), appendix B
    """

    needs_input_gradients = True  # the penalty depends on the critic's input gradients
    at_batch_inputs = False  # it does, and on those at the batch's own inputs alone

    def __init__(self, weight: Schedule, every: int = 1) -> None:
        super().__init__(dtype="float32", autocast=False)
        if not (is_number(every) and every >= 1 and every == int(every)):
            raise UserError(
                "Expected every as an integer of 1 or more, in steps. "
                f"Received: every={brief(every)}"
            )
        check_schedule("a weight", weight)
        self.weight: Schedule = weight
        self.every = int(every)
        self.built = True

    def weight_at(self, step: Any) -> Any:
        """The weight at a step, as a float or a float32 scalar."""
        return self.weight(step) if callable(self.weight) else self.weight

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        """Returns the unweighted penalty, a scalar of float32, or of float64 in that.

        Args:
            critic: Function from discriminator inputs to float32 or float64 logits
                `(batch, ...)`, with any labels already given. It updates no state.
            real: The `DiscriminatorOutput` for real images.
            fake: The `DiscriminatorOutput` for as many fake images.
            seed: Int tensor `(2,)`: seed of the penalty's random numbers.
        """
        raise NotImplementedError

    def after_step(
        self, discriminator: keras.Model, real: Output, fake: Output
    ) -> None:
        """Called after every discriminator step, with its outputs in that step."""

    def get_config(self) -> dict[str, Any]:
        weight = self.weight
        if callable(weight):
            weight = serialize(weight)
        return {"weight": weight, "every": self.every}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        if isinstance(config.get("weight"), dict):
            weight = keras.saving.deserialize_keras_object(config["weight"])
            config = {**config, "weight": weight}
        return cls(**config)


def per_sample_shape(inputs: Any) -> tuple[Any, ...]:
    """Shape that broadcasts one number a sample over a batch of inputs."""
    return (ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1))


def squared_gradient_norms(critic: Critic, output: DiscriminatorOutput) -> Any:
    """`|grad D|²` at each image: `(batch,)`, in float32, or float64 in that.

    The gradient is that in the image before augmentation, as in the code of
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676).
    """
    gradients = output.input_gradients
    if gradients is None:
        images = as_float32(output.inputs if output.images is None else output.images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(critic(output.see(images)))
        gradients = tape.gradient(total, images)
    gradients = as_float32(gradients)
    return ops.sum(ops.square(gradients), axis=list(range(1, len(gradients.shape))))


def gradient_norms(critic: Critic, inputs: Any) -> Any:
    """`|grad D|` at each input, itself differentiable where it is 0."""
    output = DiscriminatorOutput(inputs, None)
    return ops.sqrt(squared_gradient_norms(critic, output) + 1e-12)
