"""The lower bound of log p(x) that a variational autoencoder trains by, part by part.

All in nats; each function keeps the dtype that it is given.
"""

import math
from typing import Any

from keras import ops

LOG_2_PI = math.log(2.0 * math.pi)


def gaussian_kl(means: Any, log_variances: Any) -> Any:
    """KL divergence of diagonal Gaussians from N(0, I), of each component by itself.

        KL(N(m, v) || N(0, 1)) = (m^2 + v - log v - 1) / 2

    Args:
        means: Float tensor `(..., latent_dim)`.
        log_variances: Float tensor of that shape.

    Returns:
        Float tensor of that shape, 0 or more.

    Reference:
        [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), appendix B
    """
    excess = ops.expm1(log_variances) - log_variances
    return 0.5 * (ops.square(means) + excess)


def log_normal(values: Any, means: Any, log_variances: Any) -> Any:
    """Log density of diagonal Gaussians, summed over the last axis.

    Args:
        values: Float tensor `(..., latent_dim)`.
        means: Float tensor that broadcasts with it.
        log_variances: Likewise.

    Returns:
        Float tensor `(...)`.
    """
    squares = ops.square(values - means) * ops.exp(-log_variances)
    return -0.5 * ops.sum(squares + log_variances + LOG_2_PI, axis=-1)


def floored(divergences: Any, free_bits: float) -> Any:
    """The rate that is minimised, with a floor under each component's part.

        sum_j max(free_bits, mean_x KL_j(x))

    Below the floor a component costs nothing more, so it is not driven out of use.

    Args:
        divergences: Float tensor `(batch, latent_dim)`: see `gaussian_kl`.
        free_bits: Float, 0 or more: nats of each component.

    Returns:
        A scalar.

    Reference:
        [Kingma et al., 2016](https://arxiv.org/abs/1606.04934), equation 15
    """
    return ops.sum(ops.maximum(ops.mean(divergences, axis=0), free_bits))


def importance_weighted(log_weights: Any) -> Any:
    """The importance-weighted bound of log p(x), which is the ELBO for one sample.

        L_k = log 1/k sum_i w_i,  w_i = p(x, z_i) / q(z_i | x)

    It rises with `k` and tends to log p(x).

    Args:
        log_weights: Float tensor `(k, batch)`: `log w`.

    Returns:
        Float tensor `(batch,)`.

    Reference:
        [Burda et al., 2015](https://arxiv.org/abs/1509.00519), equation 8
    """
    count = float(log_weights.shape[0])
    return ops.logsumexp(log_weights, axis=0) - math.log(count)
