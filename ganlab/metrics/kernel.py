"""Kernel inception distance (KID)."""

import numpy as np

from ganlab.metrics.pairs import pair_statistics
from ganlab.metrics.resampling import Score


def kid(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    seed: int = 0,
    subsets: tuple[np.ndarray, np.ndarray] | None = None,
) -> Score:
    """KID of features: the squared maximum mean discrepancy of a cubic kernel.

        MMD² = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
        k(x, y) = (xᵀy / d + 1)³

    without pairs of an image with itself: unbiased at any count, 0 on average
    for equal distributions, and so at times below it. The value is the mean
    over subsets, as the field reports it; the interval that of all images, which
    is about twice too wide where the distributions are equal.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(m, d)`.
        seed: Integer: seeds subsets and bootstrap.
        subsets: See `ganlab.metrics.pair_statistics`.

    Returns:
        A `Score`.

    Reference:
        [Bińkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4
    """
    return pair_statistics(real, fake, seed=seed, subsets=subsets).kid
