"""Penalties that the discriminator minimises beside its loss.

A regularizer's `penalty(critic, real, fake, seed)` is a scalar; `after_step`
may change state.

    gradient_penalty, dragan   the gradient between or around images has norm 1
    r1, r2                     the gradient at real, or fake, images is 0
    lecam                      logits stay near those that the other side had
    weight_clipping            every weight lies in [-c, c]

Gradients are those of the logit, in the discriminator's own input or, of R1 and
R2, in the image before augmentation. They are taken in float32 whatever the
policy: half precision rounds small ones to 0. Where a sample has many logits,
such as patches, they are those of the logits' sum.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, brief, unknown_name
from ganlab.networks.precision import as_float32
from ganlab.objectives.arguments import add_averages, is_number
from ganlab.objectives.penalties import (
    Critic,
    DiscriminatorOutput,
    Regularizer,
    Schedule,
    gradient_norms,
    per_sample_shape,
    squared_gradient_norms,
)

__all__ = [
    "DRAGAN",
    "R1",
    "R2",
    "DiscriminatorOutput",
    "GradientPenalty",
    "LeCam",
    "Regularizer",
    "WeightClipping",
    "get",
    "per_sample_shape",
    "squared_gradient_norms",
]

Output = DiscriminatorOutput
OF_WEIGHTS = ("l1", "l2", "l1l2", "orthogonalregularizer")  # names of Keras's own


@keras.saving.register_keras_serializable(package="ganlab")
class GradientPenalty(Regularizer):
    """WGAN-GP: gradient norm 1 on straight lines between real and fake images.

        x_hat = e x + (1 - e) G(z),  e ~ U[0, 1], one an image
        s = sqrt(|grad D(x_hat)|² + 1e-12) / target - 1
        R = E[s²],  or one-sided  E[max(0, s)²]

    The small number sits inside the root, whose own gradient is infinite
    at 0.

    Args:
        weight: Float or schedule, lambda in the paper. Defaults to `10.0`.
        every: See `Regularizer`.
        target: Float above 0: the norm wanted. Defaults to `1.0`.
        one_sided: Boolean. `True` leaves smaller norms alone. Defaults to `False`.

    Reference:
        [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3;
        [Karras et al., 2017](https://arxiv.org/abs/1710.10196), appendix A.1, for
        the target;
        [Petzka et al., 2017](https://arxiv.org/abs/1709.08894), equation 8, for the
        one-sided form
    """

    def __init__(
        self,
        weight: Schedule = 10.0,
        every: int = 1,
        target: float = 1.0,
        one_sided: bool = False,
    ) -> None:
        super().__init__(weight, every)
        if not (is_number(target) and target > 0.0):
            raise UserError(
                f"Expected a target above 0. Received: target={brief(target)}"
            )
        self.target = target
        self.one_sided = one_sided

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        dtype = keras.backend.result_type(
            real.inputs.dtype, fake.inputs.dtype, "float32"
        )
        one, other = ops.cast(real.inputs, dtype), ops.cast(fake.inputs, dtype)
        fraction = _uniform(seed, per_sample_shape(one), dtype)
        mixed = fraction * one + (1.0 - fraction) * other
        excess = gradient_norms(critic, mixed) / self.target - 1.0
        return ops.mean(ops.square(ops.relu(excess) if self.one_sided else excess))

    def get_config(self) -> dict[str, Any]:
        own = {"target": self.target, "one_sided": self.one_sided}
        return {**super().get_config(), **own}


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
        inputs = as_float32(real.inputs)
        noise = _uniform(seed, ops.shape(inputs), inputs.dtype)
        perturbed = inputs + 0.5 * ops.std(inputs) * noise
        return ops.mean(ops.square(gradient_norms(critic, perturbed) - 1.0))


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
    real and of fake images, corrected for their start at 0. For small data.

    That is the paper's equation. The authors' code averages the present step in too,
    and takes `max(0, D(x) - a_F)²` and `max(0, a_R - D(G(z)))²`: it leaves alone
    logits beyond the other side's average, where the discriminator errs.

    Args:
        weight: Float or schedule, lambda in the paper. Defaults to `0.3`.
        every: See `Regularizer`.
        decay: Float in [0, 1). Weight of the past in both averages. Defaults
            to `0.99`.

    Reference:
        [Tseng et al., 2021](https://arxiv.org/abs/2104.03310), equation 5;
        [code](https://github.com/google/lecam-gan), `stylegan2/lecam_loss.py`
    """

    needs_input_gradients = False

    def __init__(
        self, weight: Schedule = 0.3, every: int = 1, decay: float = 0.99
    ) -> None:
        super().__init__(weight, every)
        if not (is_number(decay) and 0.0 <= decay < 1.0):
            raise UserError(
                "Expected a decay of 0 or more and under 1. "
                f"Received: decay={brief(decay)}"
            )
        self.decay = decay
        self.real_mean, self.fake_mean, self.steps = add_averages(
            self, "real_mean", "fake_mean", "steps"
        )

    def penalty(self, critic: Critic, real: Output, fake: Output, seed: Any) -> Any:
        def gap(logits: Any, mean: Any) -> Any:
            logits = as_float32(logits)
            return ops.mean(ops.square(logits - ops.cast(mean, logits.dtype)))

        return gap(real.logits, self.fake_mean) + gap(fake.logits, self.real_mean)

    def after_step(
        self, discriminator: keras.Model, real: Output, fake: Output
    ) -> None:
        decay, steps = ops.cast(self.decay, "float32"), self.steps + 1.0
        rate = (1.0 - decay) / (1.0 - decay**steps)
        self.steps.assign(steps)
        for mean, output in ((self.real_mean, real), (self.fake_mean, fake)):
            batch_mean = ops.cast(ops.mean(as_float32(output.logits)), mean.dtype)
            mean.assign(mean + rate * (batch_mean - mean))

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
        if not (is_number(limit) and limit > 0.0):
            raise UserError(f"Expected a limit above 0. Received: limit={brief(limit)}")
        self.limit = limit

    def after_step(
        self, discriminator: keras.Model, real: Output, fake: Output
    ) -> None:
        for variable in discriminator.trainable_variables:
            variable.assign(ops.clip(variable, -self.limit, self.limit))

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}


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
        UserError: for an unknown name, with the known ones, or for anything else,
            such as a regularizer of weights.
    """
    given: Iterable[Any]
    if regularizers is None:
        given = []
    elif isinstance(regularizers, str):
        given = regularizers.split("+")
    elif isinstance(regularizers, Iterable) and not isinstance(regularizers, Mapping):
        given = regularizers
    else:
        given = [regularizers]
    names = [
        part.strip().replace("-", "_") if isinstance(part, str) else part
        for part in given
    ]
    return [
        part if isinstance(part, Regularizer) else _by_name(part, weight, every)
        for part in names
        if not (isinstance(part, str) and part == "none")
    ]


def _by_name(given: Any, weight: float | None, every: int) -> Regularizer:
    cls = given if isinstance(given, type) else type(given)
    of_weights = issubclass(cls, keras.regularizers.Regularizer)
    if of_weights or (
        isinstance(given, str) and given.lower().replace("_", "") in OF_WEIGHTS
    ):
        raise UserError(
            "Expected a regularizer of the discriminator's logits or gradients. "
            f"Received: {brief(given)}, one of weights; pass it to a layer, as its "
            "kernel_regularizer"
        )
    if not isinstance(given, str):
        fix = f"; pass an instance, {given.__name__}()" if given is cls else ""
        raise UserError(
            "Expected regularizers as names joined by +, a Regularizer, or a list of "
            f"either. Received: {brief(given)}{fix}"
        )
    if given not in REGULARIZERS:
        raise unknown_name("regularizer", given, ["none", *REGULARIZERS])
    if given == "weight_clipping":
        if weight is not None or every != 1:
            raise UserError(
                "Expected weight_clipping without a weight, every step. Received: "
                f"weight={weight}, every={every}; leave both out"
            )
        return WeightClipping()
    options: dict[str, Any] = {} if weight is None else {"weight": weight}
    return REGULARIZERS[given](every=every, **options)
