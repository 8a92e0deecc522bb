"""Penalties that the discriminator minimises beside its loss.

A regularizer's `penalty(critic, real, fake, seed)` is a float32 scalar;
`after_step` may change state.

    gradient_penalty, dragan   the gradient between or around images has norm 1
    r1, r2                     the gradient at real, or fake, images is 0
    lecam                      logits stay near those that the other side had
    weight_clipping            every weight lies in [-c, c]

Gradients are those of the logit in the discriminator's own input, taken in
float32 whatever the policy: half precision rounds small ones to 0.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, unknown_name


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What the discriminator made of the real or of the fake half of a batch.

    Args:
        inputs: Tensor `(batch, ...)`: the discriminator's inputs.
        logits: Float32 tensor `(batch, 1)`.
        input_gradients: Gradient of each image's logits in that image, a tensor like
            `images`, where it has been computed already; otherwise `None`.
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
        if every < 1:
            raise UserError(
                f"Expected a penalty every 1 step or more. Received: every={every}"
            )
        if not callable(weight) and not weight >= 0.0:
            raise UserError(
                f"Expected a weight of 0 or more. Received: weight={weight}"
            )
        self.weight = weight
        self.every = every
        self.built = True

    def weight_at(self, step: Any) -> Any:
        """The weight at a step, as a float or a float32 scalar."""
        return self.weight(step) if callable(self.weight) else self.weight

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        """Returns the unweighted penalty, a float32 scalar.

        Args:
            critic: Function from discriminator inputs to float32 logits
                `(batch, 1)`, with any labels already given. It updates no state.
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
            weight = keras.saving.serialize_keras_object(weight)
        return {"weight": weight, "every": self.every}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        if isinstance(config.get("weight"), dict):
            weight = keras.saving.deserialize_keras_object(config["weight"])
            config = {**config, "weight": weight}
        return cls(**config)


@keras.saving.register_keras_serializable(package="ganlab")
class GradientPenalty(Regularizer):
    """WGAN-GP: gradient norm 1 on straight lines between real and fake images.

        x_hat = e x + (1 - e) G(z),  e ~ U[0, 1], one an image
        R = E[(sqrt(|grad D(x_hat)|² + 1e-12) - 1)²]

    The small number sits inside the root, whose own gradient is infinite
    at 0.

    Args:
        weight: Float or schedule, lambda in the paper. Defaults to `10.0`.
        every: See `Regularizer`.

    Reference:
        [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3
    """

    def __init__(self, weight: Schedule = 10.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        shape = per_sample_shape(real.inputs)
        fraction = _uniform(seed, shape, real.inputs.dtype)
        mixed = fraction * real.inputs + (1.0 - fraction) * fake.inputs
        return _gradient_norm_from_one(critic, mixed)


@keras.saving.register_keras_serializable(package="ganlab")
class DRAGAN(Regularizer):
    """DRAGAN: gradient norm 1 around real images.

        x_hat = x + ½ std(x) u,  u ~ U[0, 1] an element
        R = E[(sqrt(|grad D(x_hat)|² + 1e-12) - 1)²]

    with `std` the standard deviation of all elements of the batch. Noise is
    as in the authors' code: uniform, of one sign.

    Args:
        weight: Float or schedule, lambda in the paper. Defaults to `10.0`.
        every: See `Regularizer`.

    Reference:
        [Kodali et al., 2017](https://arxiv.org/abs/1705.07215), algorithm 1
    """

    def __init__(self, weight: Schedule = 10.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        inputs = real.inputs
        noise = _uniform(seed, ops.shape(inputs), inputs.dtype)
        perturbed = inputs + 0.5 * ops.std(inputs) * noise
        return _gradient_norm_from_one(critic, perturbed)


@keras.saving.register_keras_serializable(package="ganlab")
class R1(Regularizer):
    """R1: gradient 0 at real images.

        R = ½ E[|grad D(x)|²]

    Args:
        weight: Float or schedule, gamma in the paper; smaller where images have
            fewer pixels. Defaults to `0.05`, for 16 to 32 pixels a side.
        every: See `Regularizer`.

    Reference:
        [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 9
    """

    at_batch_inputs = True

    def __init__(self, weight: Schedule = 0.05, every: int = 1) -> None:
        super().__init__(weight, every)

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        return 0.5 * ops.mean(squared_gradient_norms(critic, real))


@keras.saving.register_keras_serializable(package="ganlab")
class R2(Regularizer):
    """R2: gradient 0 at fake images.

        R = ½ E[|grad D(G(z))|²]

    The generator is not trained through it.

    Args:
        weight: Float or schedule, gamma in the paper; smaller where images have
            fewer pixels. Defaults to `0.05`, for 16 to 32 pixels a side.
        every: See `Regularizer`.

    Reference:
        [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 10
    """

    at_batch_inputs = True

    def __init__(self, weight: Schedule = 0.05, every: int = 1) -> None:
        super().__init__(weight, every)

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        return 0.5 * ops.mean(squared_gradient_norms(critic, fake))


@keras.saving.register_keras_serializable(package="ganlab")
class LeCam(Regularizer):
    """LeCam: each side's logits stay near the other side's running mean.

        R = E[(D(x) - a_F)²] + E[(D(G(z)) - a_R)²]

    with `a_R` and `a_F` the averages over past steps of the mean logits of
    real and of fake images. For small data.

    Args:
        weight: Float or schedule, lambda in the paper. Defaults to `0.3`.
        every: See `Regularizer`.
        decay: Float in [0, 1). Weight of the past in both averages. Defaults
            to `0.99`.

    Reference:
        [Tseng et al., 2021](https://arxiv.org/abs/2104.03310), equation 5
    """

    needs_input_gradients = False

    def __init__(
        self, weight: Schedule = 0.3, every: int = 1, decay: float = 0.99
    ) -> None:
        super().__init__(weight, every)
        if not 0.0 <= decay < 1.0:
            raise UserError(
                f"Expected a decay of 0 or more and under 1. Received: decay={decay}"
            )
        self.decay = decay
        self.real_mean, self.fake_mean = (
            self.add_weight(
                shape=(),
                initializer="zeros",
                trainable=False,
                aggregation="mean",
                name=name,
            )
            for name in ("real_mean", "fake_mean")
        )

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        real_gap = ops.square(real.logits - self.fake_mean)
        fake_gap = ops.square(fake.logits - self.real_mean)
        return ops.mean(real_gap) + ops.mean(fake_gap)

    def after_step(
        self, discriminator: keras.Model, real: Output, fake: Output
    ) -> None:
        for mean, output in ((self.real_mean, real), (self.fake_mean, fake)):
            batch_mean = ops.mean(output.logits)
            mean.assign(self.decay * mean + (1.0 - self.decay) * batch_mean)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay}


@keras.saving.register_keras_serializable(package="ganlab")
class WeightClipping(Regularizer):
    """Clips every weight of the discriminator to [-c, c] after each step.

    How the first Wasserstein GAN bounded its critic's gradient. It has no
    penalty.

    Args:
        limit: Float above 0, the `c` above. Defaults to `0.01`.

    Reference:
        [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), algorithm 1
    """

    needs_input_gradients = False

    def __init__(self, limit: float = 0.01) -> None:
        super().__init__(weight=0.0)
        if not limit > 0.0:
            raise UserError(f"Expected a limit above 0. Received: limit={limit}")
        self.limit = limit

    def after_step(
        self, discriminator: keras.Model, real: Output, fake: Output
    ) -> None:
        for variable in discriminator.trainable_variables:
            variable.assign(ops.clip(variable, -self.limit, self.limit))

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}


def per_sample_shape(inputs: Any) -> tuple[Any, ...]:
    """Shape that broadcasts one number a sample over a batch of inputs."""
    return (ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1))


def squared_gradient_norms(critic: Critic, output: DiscriminatorOutput) -> Any:
    """`|grad D|²` at each image, a float32 tensor `(batch,)`.

    The gradient is that in the image before augmentation, as in the code of
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676).
    """
    gradients = output.input_gradients
    if gradients is None:
        images = output.inputs if output.images is None else output.images
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(critic(output.see(images)))
        gradients = tape.gradient(total, images)
    return ops.sum(ops.square(gradients), axis=list(range(1, len(gradients.shape))))


def _gradient_norm_from_one(critic: Critic, inputs: Any) -> Any:
    """`E[(|grad D| - 1)²]`, differentiable where the gradient is 0."""
    output = DiscriminatorOutput(inputs, None)
    norms = ops.sqrt(squared_gradient_norms(critic, output) + 1e-12)
    return ops.mean(ops.square(norms - 1.0))


def _uniform(seed: Any, shape: Any, dtype: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, dtype=dtype)


REGULARIZERS: dict[str, type[Regularizer]] = {
    "gradient_penalty": GradientPenalty,
    "r1": R1,
    "r2": R2,
    "dragan": DRAGAN,
    "lecam": LeCam,
    "weight_clipping": WeightClipping,
}


def get(
    regularizers: str | Regularizer | Iterable[str | Regularizer] | None,
    weight: float | None = None,
    every: int = 1,
) -> list[Regularizer]:
    """Returns regularizers for names of `REGULARIZERS`, such as `"r1+r2"`.

    Args:
        regularizers: `None` or `"none"`, names joined by `+`, one
            `Regularizer`, or an iterable of names and `Regularizer`s.
        weight: Weight of those given by name, or `None` for their own default.
        every: Steps between penalties of those given by name.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    if regularizers is None or regularizers == "none":
        return []
    if isinstance(regularizers, str):
        regularizers = regularizers.split("+")
    elif isinstance(regularizers, Regularizer):
        return [regularizers]
    return [
        _by_name(regularizer, weight, every)
        if isinstance(regularizer, str)
        else regularizer
        for regularizer in regularizers
    ]


def _by_name(given: str, weight: float | None, every: int) -> Regularizer:
    name = given.strip().replace("-", "_")
    if name not in REGULARIZERS:
        raise unknown_name("regularizer", given, ["none", *REGULARIZERS])
    if name == "weight_clipping":
        if weight is not None or every != 1:
            raise UserError(
                "Expected weight_clipping without a weight, every step. Received: "
                f"weight={weight}, every={every}; leave both out"
            )
        return WeightClipping()
    options: dict[str, Any] = {} if weight is None else {"weight": weight}
    return REGULARIZERS[name](every=every, **options)
