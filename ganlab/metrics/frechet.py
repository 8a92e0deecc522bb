"""Fréchet distance of features, which on Inception's is FID."""

import numpy as np

from ganlab.metrics.resampling import Score, resampled_counts
from ganlab.metrics.validation import CHUNK, check_features, check_pair

MIN_EIGENVALUE_RATIO = 1e-9  # to the largest, of a well-conditioned matrix
MIN_PIVOT_RATIO = 1e-5  # likewise, of Cholesky's factor


class Moments:
    """Mean and covariance of features that arrive in chunks, in float64.

    Chunks are merged by the pairwise update of Chan, Golub and LeVeque, which
    does not cancel where the mean is large.

    Args:
        dim: Integer: width of the features.

    Reference:
        [Chan et al., 1979](http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf),
        equation 2.1
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean = np.zeros(dim)
        self._scatter = np.zeros((dim, dim))

    def update(self, features: np.ndarray) -> None:
        """Adds features `(n, d)`, n of 1 or more."""
        features = np.asarray(features, np.float64)
        count, mean = len(features), features.mean(axis=0)
        features = features - mean
        gap, total = mean - self.mean, self.count + count
        self._scatter += features.T @ features
        self._scatter += np.outer(gap, gap) * (self.count * count / total)
        self.mean = self.mean + gap * (count / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance `(d, d)`; takes 2 vectors or more."""
        return self._scatter / (self.count - 1)


def moments(features: np.ndarray) -> Moments:
    """`Moments` of features `(n, d)`, taken a chunk at a time."""
    features = check_features(features)
    accumulated = Moments(features.shape[1])
    for first in range(0, len(features), CHUNK):
        accumulated.update(features[first : first + CHUNK])
    return accumulated


def frechet_from_moments(real: Moments, fake: Moments) -> float:
    """Fréchet distance between two Gaussians, given their `Moments`.

    See `frechet_distance`.
    """
    real_factor, fake_factor = _factor(real.covariance), _factor(fake.covariance)
    cross = _singular_values(real_factor.T @ fake_factor).sum()
    return _distance(real, fake, cross)


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Fréchet distance between two Gaussians fitted to features.

        |m_r - m_f|² + Tr(C_r + C_f - 2 (C_r C_f)^½)

    in the square of the features' units; 0 for equal moments. With factors
    `C = F Fᵀ` the trace of the root is the sum of the singular values of
    `F_rᵀ F_f`, which holds to rounding where a covariance is singular, as it
    is for constant features or fewer images than features. The distance falls
    as images are added, by about `d²/n` terms: compare equal counts alone, or
    see `frechet_infinity`.

    Args:
        real: Float array `(n, d)`, 2 vectors or more.
        fake: Float array `(m, d)`, likewise.

    Returns:
        A float, computed in float64.

    Raises:
        UserError: for too few, unequally wide or non-finite features.

    Reference:
        [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), equation 6
    """
    real, fake = check_pair(real, fake)
    return frechet_from_moments(moments(real), moments(fake))


def frechet_score(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> Score:
    """`frechet_distance` as a `Score`.

    Refitting both covariances to every replicate is slow, and biased anew. The
    distance's change is linear in small changes of its moments instead, so
    every image has an influence,

        on m_f, C_f:  2 (m_f - m_r)ᵀ x + xᵀ (I - T) x - Tr((I - T) C_f)

    for a generated image `x` less the mean, where `T` is the matrix of the
    optimal transport from fake to real, and the replicates are the distance
    plus means of resampled influences.

    Returns:
        A `Score`; its interval is that of the distance at this count.

    Reference:
        [Efron, 1982](https://doi.org/10.1137/1.9781611970319), chapter 6, the
        infinitesimal jackknife
    """
    real, fake = check_pair(real, fake)
    real_moments, fake_moments = moments(real), moments(fake)
    real_factor = _factor(real_moments.covariance)
    fake_factor = _factor(fake_moments.covariance)
    product = real_factor.T @ fake_factor
    cross = _singular_values(product).sum()
    distance = _distance(real_moments, fake_moments, cross)
    # With M = F_rᵀ F_f = U S Vᵀ, transport from fake to real is F_r U S⁻¹ Uᵀ F_rᵀ, and
    # back F_f V S⁻¹ Vᵀ F_fᵀ, where F_f V = F_f Mᵀ U S⁻¹.
    squares, left = np.linalg.eigh(product @ product.T)
    kept = squares > MIN_EIGENVALUE_RATIO * squares.max(initial=0.0)
    values, left = np.sqrt(squares[kept]), left[:, kept]
    right = product.T @ left / values
    gap = fake_moments.mean - real_moments.mean
    to_fake = fake_factor @ right / np.sqrt(values)
    to_real = real_factor @ left / np.sqrt(values)
    influences = (
        _influence(real, real_moments.mean, -gap, to_fake),
        _influence(fake, fake_moments.mean, gap, to_real),
    )
    replicates = np.full(1, distance)
    for side, influence in enumerate(influences):
        counts = resampled_counts(len(influence), [seed, side])
        replicates = replicates + counts @ influence / len(influence)
    return Score.of(distance, replicates)


def frechet_infinity(
    real: np.ndarray, fake: np.ndarray, seed: int = 0, distance: float | None = None
) -> float | None:
    """Fréchet distance extrapolated to infinitely many images.

    At `n` images the distance is about `a + b / n`. It is taken of all images
    and averaged over two random halves of both sets; the line through the two
    meets 1/n = 0 at

        2 FD(n) - FD(n / 2)

    Both use every image once, so that chance moves them together.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(m, d)`.
        seed: Integer: seeds how the sets are cut.
        distance: `frechet_distance(real, fake)`, where it is known already.

    Returns:
        A float, which may be just under 0 for equal distributions; `None` where
        half of either set has fewer images than features.

    Reference:
        [Chong and Forsyth, 2019](https://arxiv.org/abs/1911.07023), section 3,
        who fit the line to random subsets of the generated images alone
    """
    real, fake = check_pair(real, fake)
    if min(len(real), len(fake)) // 2 < max(real.shape[1], 2):
        return None
    generator = np.random.default_rng(seed)
    real_halves, fake_halves = (
        np.array_split(generator.permutation(len(features)), 2)
        for features in (real, fake)
    )
    half_distances = [
        frechet_from_moments(moments(real[real_half]), moments(fake[fake_half]))
        for real_half, fake_half in zip(real_halves, fake_halves, strict=True)
    ]
    if distance is None:
        distance = frechet_distance(real, fake)
    return float(2 * distance - np.mean(half_distances))


def _factor(covariance: np.ndarray) -> np.ndarray:
    """A matrix `F` with `F Fᵀ = C`; of a singular `C`, what is not rounding.

    Cholesky's factor is a third of the work, but the root of rounding leaks
    into it where `C` is nearly singular.
    """
    try:
        factor = np.linalg.cholesky(covariance)
        pivots = np.diagonal(factor)
        if pivots.min() > MIN_PIVOT_RATIO * pivots.max():
            return factor
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(covariance)
    rounding = values[-1] * len(values) * np.finfo(np.float64).eps
    kept = values > max(rounding, 0.0)
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _singular_values(matrix: np.ndarray) -> np.ndarray:
    """Singular values of a matrix, without those of rounding.

    The roots of the eigenvalues of `M Mᵀ` take a third of the time, and are as
    good unless some are tiny beside the largest.
    """
    if 0 in matrix.shape:
        return np.zeros(0)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    squares = np.linalg.eigvalsh(matrix @ matrix.T)
    if squares[0] > MIN_EIGENVALUE_RATIO * squares[-1]:
        return np.asarray(np.sqrt(squares))
    return np.linalg.svd(matrix, compute_uv=False)


def _distance(real: Moments, fake: Moments, cross: float) -> float:
    gap = fake.mean - real.mean
    variances = np.trace(real.covariance) + np.trace(fake.covariance)
    return float(gap @ gap + variances - 2 * cross)


def _influence(
    features: np.ndarray, mean: np.ndarray, gap: np.ndarray, transport_root: np.ndarray
) -> np.ndarray:
    """Influence of each image; `R Rᵀ` of the root is the transport to the other set."""
    influence = np.empty(len(features))
    for first in range(0, len(features), CHUNK):
        x = np.asarray(features[first : first + CHUNK], np.float64) - mean
        quadratic = np.einsum("nd,nd->n", x, x)
        moved = x @ transport_root
        quadratic -= np.einsum("nd,nd->n", moved, moved)
        influence[first : first + CHUNK] = quadratic + 2 * (x @ gap)
    return np.asarray(influence - influence.mean())
