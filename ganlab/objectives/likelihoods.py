"""Likelihoods of an image given its code, the distortion of a VAE with the sign turned.

A decoder gives each pixel's mean; a likelihood states the distribution around it.
"""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, brief, unknown_name
from ganlab.objectives.bound import LOG_2_PI

BINARIZATIONS = ("sample", "threshold")
SMALL_LOGIT = 0.1  # under which the normaliser is a series, of an error under 1e-10
MIN_LOG_VARIANCE = -12.0  # approached, never reached
SPEED = 20.0  # of the log variance by its weight, whose steps are a network's


class Likelihood(keras.layers.Layer):
    """Base class: `log p(x | z)` of images whose pixels are independent given `z`.

    `takes` says what it is computed from: the decoder's `images`, in its range, or the
    `logits` of images in [0, 1].
    """

    takes = "logits"

    def __init__(self) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.built = True

    def prepare(self, images: Any, seed: Any = None) -> Any:
        """Images as they are encoded and judged.

        Args:
            images: Float tensor `(batch, ...)`: in [0, 1] where `takes` is `logits`.
            seed: Int tensor `(2,)`, or `None` for images that depend on nothing else.
        """
        return images

    def log_density(self, images: Any, outputs: Any) -> Any:
        """Log density of each pixel, in nats.

        Args:
            images: What `prepare` gave.
            outputs: Float tensor that broadcasts with it: what `takes` names.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Likelihood":
        """Returns the likelihood that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="ganlab")
class Bernoulli(Likelihood):
    """Binary pixels: `log p(x | z) = x log p + (1 - x) log(1 - p)`.

    Grey pixels are made binary first: no density of them is a Bernoulli's.

    Args:
        binarize: `"sample"`: a pixel is 1 with its grey value as probability, drawn
            anew in every step. `"threshold"`: where it is over one half. Where nothing
            may be random, as in `encode`, the threshold is taken always.

    Reference:
        [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), appendix C.1;
        [Burda et al., 2015](https://arxiv.org/abs/1509.00519), section 5.1
    """

    def __init__(self, binarize: str = "sample") -> None:
        super().__init__()
        if binarize not in BINARIZATIONS:
            raise unknown_name("binarize", binarize, BINARIZATIONS)
        self.binarize = binarize

    def prepare(self, images: Any, seed: Any = None) -> Any:
        if seed is None or self.binarize == "threshold":
            limits: Any = 0.5
        else:
            limits = tf.random.stateless_uniform(
                ops.shape(images), seed, dtype=images.dtype
            )
        return ops.cast(images > limits, images.dtype)

    def log_density(self, images: Any, outputs: Any) -> Any:
        return images * outputs - ops.softplus(outputs)

    def get_config(self) -> dict[str, Any]:
        return {"binarize": self.binarize}


@keras.saving.register_keras_serializable(package="ganlab")
class ContinuousBernoulli(Likelihood):
    """Grey pixels in [0, 1], the Bernoulli's exponential family made a density.

        log p(x | z) = x log p + (1 - x) log(1 - p) + log C(p)
        C(p) = 2 atanh(1 - 2 p) / (1 - 2 p),  or 2 at p = 1/2

    By the logit `l = log p / (1 - p)` that is `C = l / tanh(l / 2)`. The decoder must
    end on `ganlab.networks.Langevin`, for the mean of a pixel is not `p`.

    Reference:
        [Loaiza-Ganem & Cunningham, 2019](https://arxiv.org/abs/1907.06845), section 3
    """

    def log_density(self, images: Any, outputs: Any) -> Any:
        return images * outputs - ops.softplus(outputs) + log_normalizer(outputs)


def log_normalizer(logits: Any) -> Any:
    """`log C` of the continuous Bernoulli, `log 2 + l^2 / 12 - 7 l^4 / 1440` near 0."""
    small = ops.abs(logits) < SMALL_LOGIT
    square = ops.square(ops.where(small, logits, 0.0))
    series = math.log(2.0) + square / 12.0 - 7.0 * ops.square(square) / 1440.0
    safe = ops.abs(ops.where(small, 1.0, logits))
    return ops.where(small, series, ops.log(safe) - ops.log(ops.tanh(0.5 * safe)))


@keras.saving.register_keras_serializable(package="ganlab")
class Gaussian(Likelihood):
    """Pixels with one variance around their mean, which is trained too.

        log p(x | z) = -((x - m)^2 / v + log v + log 2 pi) / 2

    In units of the decoder's range. The best `v` is the mean squared error, so that
    distortion and rate are weighed by the data, not by hand. It stays above exp(-12).

    Args:
        variance: Float above 0: what it is at first, or always if it is not learned.
        learned: Boolean.

    Reference:
        [Rybkin et al., 2020 (sigma-VAE)](https://arxiv.org/abs/2006.13202), section 3
    """

    takes = "images"

    def __init__(self, variance: float = 1.0, learned: bool = True) -> None:
        super().__init__()
        if not (isinstance(variance, (int, float)) and 1e-5 <= variance < math.inf):
            raise UserError(
                "Expected a finite variance of 1e-5 or more. Received: "
                f"{brief(variance)}"
            )
        if not isinstance(learned, bool):
            raise UserError(f"Expected learned as a boolean. Received: {learned!r}")
        self.variance, self.learned = float(variance), learned
        above = math.log(variance) - MIN_LOG_VARIANCE
        raw = above + math.log(-math.expm1(-above))  # whose softplus that is
        self.raw = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(raw / SPEED),
            trainable=learned,
            name="raw_log_variance",
        )

    @property
    def log_variance(self) -> Any:
        """The present log variance, a float32 scalar."""
        raw = SPEED * ops.convert_to_tensor(self.raw)
        return MIN_LOG_VARIANCE + ops.softplus(raw)

    def log_density(self, images: Any, outputs: Any) -> Any:
        log_variance = ops.cast(self.log_variance, outputs.dtype)
        squares = ops.square(images - outputs) * ops.exp(-log_variance)
        return -0.5 * (squares + log_variance + LOG_2_PI)

    def get_config(self) -> dict[str, Any]:
        return {"variance": self.variance, "learned": self.learned}


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "continuous_bernoulli": ContinuousBernoulli,
}


def get(likelihood: Any) -> Likelihood:
    """A likelihood by its name, or as it is given.

    Raises:
        UserError: for an unknown name, or for what is no `Likelihood`.
    """
    if isinstance(likelihood, Likelihood):
        return likelihood
    if not isinstance(likelihood, str):
        raise UserError(
            "Expected a likelihood by name or as an object of ganlab.likelihoods. "
            f"Received: {brief(likelihood)}; pass 'gaussian'"
        )
    name = likelihood.replace("-", "_")
    if name not in LIKELIHOODS:
        raise unknown_name("likelihood", likelihood, LIKELIHOODS)
    return LIKELIHOODS[name]()
