"""What keeps the discriminator from running away?

A regularizer's `penalty(critic, real, fake, stream)` is a float32 scalar that
the discriminator minimises beside its loss; `after_step` may change state.

    gradient_penalty, dragan   the gradient at points between or around images is 1
    r1, r2                     the gradient at real, or fake, images is 0
    lecam                      logits stay near those that the other side had
    weight_clipping            every weight lies in [-c, c]

Gradients are those of the logit in the discriminator's own input, taken in
float32 whatever the policy: half precision rounds small ones to 0.
"""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, unknown_name


@dataclass(frozen=True)
class DiscriminatorOutput:
    """One side of a batch: what the discriminator saw, and what it said.

    Args:
        images: Tensor `(batch, ...)`: the discriminator's input.
        logits: Float32 tensor `(batch, 1)`.
        gradient: Of each logit in its image, a tensor like `images`, where it is
            known already.
    """

    images: Any
    logits: Any
    gradient: Any = None


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

    needs_input_gradients = True  # of the critic, in its input
    at_batch_inputs = False  # those gradients are at the images that it judged

    def __init__(self, weight, every=1):
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

    def weight_at(self, step):
        """The weight at a step, as a float or a float32 scalar."""
        return self.weight(step) if callable(self.weight) else self.weight

    def penalty(self, critic, real, fake, stream):
        """Returns the unweighted penalty, a float32 scalar.

        Args:
            critic: Function from images to float32 logits `(batch, 1)`, with
                any labels already given. It updates no state.
            real: A `DiscriminatorOutput`.
            fake: A `DiscriminatorOutput`, of as many images.
            stream: Int32 tensor `(2,)`: seed of what is drawn.
        """
        raise NotImplementedError

    def after_step(self, discriminator, real, fake):
        """Called after every step of the discriminator, with what it judged."""

    def get_config(self):
        weight = self.weight
        if callable(weight):
            weight = keras.saving.serialize_keras_object(weight)
        return {"weight": weight, "every": self.every}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("weight"), dict):
            weight = keras.saving.deserialize_keras_object(config["weight"])
            config = {**config, "weight": weight}
        return cls(**config)


@keras.saving.register_keras_serializable(package="ganlab")
class GradientPenalty(Regularizer):
    """WGAN-GP: slope 1 on straight lines between real and fake images.

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

    def __init__(self, weight=10.0, every=1):
        super().__init__(weight, every)

    def penalty(self, critic, real, fake, stream):
        share = _uniform(stream, per_sample_shape(real.images), real.images.dtype)
        mixed = share * real.images + (1.0 - share) * fake.images
        return _slope_from_one(critic, mixed)


@keras.saving.register_keras_serializable(package="ganlab")
class DRAGAN(Regularizer):
    """DRAGAN: slope 1 around real images.

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

    def __init__(self, weight=10.0, every=1):
        super().__init__(weight, every)

    def penalty(self, critic, real, fake, stream):
        images = real.images
        noise = _uniform(stream, ops.shape(images), images.dtype)
        return _slope_from_one(critic, images + 0.5 * ops.std(images) * noise)


@keras.saving.register_keras_serializable(package="ganlab")
class R1(Regularizer):
    """R1: slope 0 at real images.

        R = ½ E[|grad D(x)|²]

    Args:
        weight: Float or schedule, gamma in the paper; smaller where images have
            fewer pixels. Defaults to `0.05`, for 16 to 32 pixels a side.
        every: See `Regularizer`.

    Reference:
        [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 9
    """

    at_batch_inputs = True

    def __init__(self, weight=0.05, every=1):
        super().__init__(weight, every)

    def penalty(self, critic, real, fake, stream):
        return 0.5 * ops.mean(_squared_slope(critic, real))


@keras.saving.register_keras_serializable(package="ganlab")
class R2(Regularizer):
    """R2: slope 0 at fake images.

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

    def __init__(self, weight=0.05, every=1):
        super().__init__(weight, every)

    def penalty(self, critic, real, fake, stream):
        return 0.5 * ops.mean(_squared_slope(critic, fake))


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

    def __init__(self, weight=0.3, every=1, decay=0.99):
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

    def penalty(self, critic, real, fake, stream):
        real_gap = ops.square(real.logits - self.fake_mean)
        fake_gap = ops.square(fake.logits - self.real_mean)
        return ops.mean(real_gap) + ops.mean(fake_gap)

    def after_step(self, discriminator, real, fake):
        for mean, side in ((self.real_mean, real), (self.fake_mean, fake)):
            now = ops.mean(side.logits)
            mean.assign(self.decay * mean + (1.0 - self.decay) * now)

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}


@keras.saving.register_keras_serializable(package="ganlab")
class WeightClipping(Regularizer):
    """Clips every weight of the discriminator to [-c, c] after each step.

    How the first Wasserstein GAN bounded its critic's slope. It has no
    penalty.

    Args:
        limit: Float above 0, the `c` above. Defaults to `0.01`.

    Reference:
        [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), algorithm 1
    """

    needs_input_gradients = False

    def __init__(self, limit=0.01):
        super().__init__(weight=0.0)
        if not limit > 0.0:
            raise UserError(f"Expected a limit above 0. Received: limit={limit}")
        self.limit = limit

    def after_step(self, discriminator, real, fake):
        for variable in discriminator.trainable_variables:
            variable.assign(ops.clip(variable, -self.limit, self.limit))

    def get_config(self):
        return {"limit": self.limit}


def per_sample_shape(images):
    """Shape that broadcasts one number over each image of a batch."""
    return (ops.shape(images)[0], *[1] * (len(images.shape) - 1))


def _uniform(stream, shape, dtype):
    return tf.random.stateless_uniform(shape, stream, dtype=dtype)


def _squared_slope(critic, side):
    """`|grad D|²` of each image of a side, float32 `(batch,)`."""
    gradient = side.gradient
    if gradient is None:
        with tf.GradientTape() as tape:
            tape.watch(side.images)
            total = tf.reduce_sum(critic(side.images))
        gradient = tape.gradient(total, side.images)
    return ops.sum(ops.square(gradient), axis=list(range(1, len(gradient.shape))))


def _slope_from_one(critic, images):
    """`E[(|grad D| - 1)²]`, differentiable where the gradient is 0."""
    slope = ops.sqrt(_squared_slope(critic, DiscriminatorOutput(images, None)) + 1e-12)
    return ops.mean(ops.square(slope - 1.0))


REGULARIZERS = {
    "gradient_penalty": GradientPenalty,
    "r1": R1,
    "r2": R2,
    "dragan": DRAGAN,
    "lecam": LeCam,
    "weight_clipping": WeightClipping,
}


def get(regularizers, weight=None, every=1):
    """Returns regularizers for names of `REGULARIZERS`, such as `"r1+r2"`.

    Args:
        regularizers: `None` or `"none"`, names joined by `+`, one
            `Regularizer`, or a list of names and `Regularizer`s.
        weight: Weight of those given by name, or `None` for their own default.
        every: Steps between penalties of those given by name.

    Returns:
        A list of `Regularizer`s.

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
        _by_name(each, weight, every) if isinstance(each, str) else each
        for each in regularizers
    ]


def _by_name(given, weight, every):
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
    options = {} if weight is None else {"weight": weight}
    return REGULARIZERS[name](every=every, **options)
