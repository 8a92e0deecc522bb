"""Perceptual path length: how smoothly a generator's images change."""

import numpy as np

from ganlab.metrics.resampling import Score, score_of_means
from ganlab.metrics.validation import check_pair

TRIMMED_QUANTILES = (0.01, 0.99)


def path_lengths(
    before: np.ndarray, after: np.ndarray, epsilon: float, seed: int = 0
) -> Score:
    """Perceptual path length, in the features that are given.

        mean |f(G(slerp(z, z', t + ε))) - f(G(slerp(z, z', t)))|² / ε²

    How far images move for a small step between two latents: a smooth
    generator's move little everywhere. The upper and lower 1 % are left out,
    as the paper's code does.

    Args:
        before: Float array `(n, d)`: features at `t`.
        after: Float array `(n, d)`: features at `t + ε`.
        epsilon: Float: the step, as a fraction of the way between two latents.
        seed: Integer: seeds the bootstrap.

    Returns:
        A `Score` in squared units of the features.

    Reference:
        [Karras et al., 2018](https://arxiv.org/abs/1812.04948), section 4.1, with
        LPIPS in place of the features
    """
    before, after = check_pair(before, after)
    lengths = np.square(np.asarray(after, np.float64) - before).sum(axis=1) / epsilon**2
    low, high = np.quantile(lengths, TRIMMED_QUANTILES)
    return score_of_means(lengths[(lengths >= low) & (lengths <= high)], seed)
