"""What the codes of an autoencoder carry, and how they lie: pure functions, float64.

`means` and `log_variances` are arrays `(n, latent_dim)`, those of `q(z | x)` for n
images.
"""

import numpy as np

ACTIVE_VARIANCE = 0.01  # Burda's threshold


def kl_by_dimension(means: np.ndarray, log_variances: np.ndarray) -> np.ndarray:
    """Mean KL divergence of each component from N(0, 1), in nats: `(latent_dim,)`.

    >>> kl_by_dimension(np.array([[1.0, 0.0]]), np.zeros((1, 2))).tolist()
    [0.5, 0.0]
    """
    means, log_variances = (np.asarray(x, np.float64) for x in (means, log_variances))
    excess = np.expm1(log_variances) - log_variances
    return np.asarray(0.5 * (np.square(means) + excess).mean(axis=0))


def active_units(means: np.ndarray) -> np.ndarray:
    """Which components of the codes depend on the image: `(latent_dim,)` of booleans.

        A_j = Var_x(E_q(z_j | x)) > 0.01

    Reference:
        [Burda et al., 2015](https://arxiv.org/abs/1509.00519), section 5.2

    >>> active_units(np.array([[1.0, 0.1], [-1.0, -0.05]])).tolist()
    [True, False]
    """
    variances = np.asarray(means, np.float64).var(axis=0)
    return np.asarray(variances > ACTIVE_VARIANCE)


def prior_gap(
    means: np.ndarray, log_variances: np.ndarray, seed: int = 0
) -> float | None:
    """By how many nats a Gaussian fitted to codes describes others better than N(0, I).

    Codes are drawn from `q(z | x)`. The Gaussian is fitted to those of one half of the
    images; the mean difference of the log densities is that over the other half. So
    many nats of the rate are paid for where codes lie as a whole, and say nothing of
    the image; samples are drawn where no code lies.

    Args:
        means: Array of the means.
        log_variances: Array of the log variances.
        seed: Integer: seeds the codes.

    Returns:
        A float, under 0 where the fit is worse; `None` of fewer images than 4 times the
        components.

    Reference:
        [Hoffman & Johnson, 2016](http://approximateinference.org/accepted/HoffmanJohnson2016.pdf);
        [Rosca et al., 2018](https://arxiv.org/abs/1802.06847), section 3
    """
    means, log_variances = (np.asarray(x, np.float64) for x in (means, log_variances))
    noise = np.random.default_rng(seed).standard_normal(means.shape)
    codes = means + np.exp(0.5 * log_variances) * noise
    fitted, others = codes[::2], codes[1::2]
    if len(codes) < 4 * means.shape[1] or not np.isfinite(codes).all():
        return None
    mean, covariance = fitted.mean(axis=0), np.cov(fitted, rowvar=False)
    covariance = np.atleast_2d(covariance)
    centered = others - mean
    sign, log_determinant = np.linalg.slogdet(covariance)
    if sign <= 0:
        return None
    squares = (centered @ np.linalg.inv(covariance) * centered).sum(axis=1)
    own = -0.5 * (squares + log_determinant)
    prior = -0.5 * np.square(others).sum(axis=1)
    return float((own - prior).mean())
