"""NDB: the number of statistically different bins, as a fraction."""

import functools
import hashlib
from typing import Any

import numpy as np

from ganlab.metrics.resampling import Score, resampled_counts
from ganlab.metrics.validation import check_pair

STARTS = 5
MIN_IMAGES_PER_BIN = 10


def ndb(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    bins: int = 100,
    level: float = 0.05,
    seed: int = 0,
) -> Score:
    """NDB, over the number of bins: bins that real and fake images fill unequally.

    Real images are clustered by k-means, and each image of either set counts in
    the cluster whose centre is nearest. A bin differs if the two-sample z test
    of its fractions says so at `level`, so that of two draws of one distribution
    about 5 % do. K-means ends elsewhere from each start (and, by rounding, on
    each processor), so the value is the mean over five starts.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(m, d)`.
        bins: Integer: clusters; at most one for every 10 real images.
        level: Float: of the test.
        seed: Integer: seeds k-means and the bootstrap.

    Returns:
        A `Score` in [0, 1]. Its interval is that of one start, whose bins are drawn
        anew.

    Reference:
        [Richardson and Weiss, 2018](https://arxiv.org/abs/1805.12462), section 3
    """
    real, fake = check_pair(real, fake)
    bins = max(min(bins, len(real) // MIN_IMAGES_PER_BIN), 2)
    fractions, replicates = [], []
    for start in range(STARTS):
        real_clusters, fake_clusters = clusters(real, fake, bins, seed + start)
        differs = bins_differ(
            np.bincount(real_clusters, minlength=bins),
            np.bincount(fake_clusters, minlength=bins),
            level,
        )
        fractions.append(differs.mean())
        replicates.append(resampled_counts(bins, [seed, start]) @ differs / bins)
    return Score.of(float(np.mean(fractions)), np.concatenate(replicates))


def clusters(
    real: np.ndarray, fake: np.ndarray, num_clusters: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The k-means cluster of each real and each fake image; real ones decide.

    Returns:
        Two integer arrays, `(n,)` and `(m,)`.
    """
    means = _k_means(_Rows(np.asarray(real, np.float32)), num_clusters, seed)
    return (
        means.predict(np.asarray(real, np.float32)),
        means.predict(np.asarray(fake, np.float32)),
    )


class _Rows:
    """An array that is equal to another of the same content."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = np.ascontiguousarray(values)
        self._digest = values.shape, hashlib.sha256(self.values.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rows) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)


@functools.lru_cache(maxsize=STARTS)  # one real set, scored against again and again
def _k_means(rows: _Rows, num_clusters: int, seed: int) -> Any:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(num_clusters, random_state=seed, n_init=1, batch_size=2048)
    return means.fit(rows.values)


def bins_differ(
    real_counts: np.ndarray, fake_counts: np.ndarray, level: float = 0.05
) -> np.ndarray:
    """Whether the two-sample z test tells the fractions of each bin apart.

    Args:
        real_counts: Integer array `(bins,)`: real images in each bin.
        fake_counts: Integer array `(bins,)`.
        level: Float: of the test.

    Returns:
        Boolean array `(bins,)`.
    """
    from scipy.stats import norm

    real_total, fake_total = real_counts.sum(), fake_counts.sum()
    pooled = (real_counts + fake_counts) / (real_total + fake_total)
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / real_total + 1 / fake_total))
    gap = np.abs(real_counts / real_total - fake_counts / fake_total)
    p_values = 2 * norm.sf(gap / np.where(deviation > 0, deviation, 1.0))
    return np.asarray(p_values < level)
