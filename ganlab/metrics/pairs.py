"""Statistics of all pairs of images: nearest neighbours, manifolds, kernel sums."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ganlab.metrics.blocks import (
    BlockCounter,
    FeatureSet,
    Progress,
    kernel_block,
    squared_distances,
    walk,
)
from ganlab.metrics.resampling import Score, resampled_counts
from ganlab.metrics.validation import check_pair

MANIFOLD_NEIGHBORS = 3
DENSITY_NEIGHBORS = 5
TIE_ROUNDING = 1e-12  # of both squared lengths: nearer than that is a tie
SAME_IMAGE_QUANTILE = 0.01  # of real images' distances to their nearest real one
KID_SUBSETS = 100
KID_SUBSET_SIZE = 1000


@dataclass(frozen=True)
class PairStatistics:
    """Statistics of all pairs within and between two sets, one number an image.

    Args:
        real_radii: Float64 `(n, k)`: squared distances of each real image to
            its `k` nearest other real images, in order.
        fake_radii: Float64 `(m, k)`: likewise of fake images.
        precise: Boolean `(m,)`: whether a fake image lies on the real manifold.
        recalled: Boolean `(n,)`: whether a real image lies on the fake one.
        density: Float64 `(m,)`: real neighbourhoods it lies in, over their `k`.
        covered: Boolean `(n,)`: whether a fake image is among its nearest.
        nearest_real: Integer `(m,)`: the real image nearest to each fake one.
        nearest_real_distance: Float64 `(m,)`: its squared distance.
        nearest_fake: Integer `(n,)`: the fake image nearest to each real one.
        nearest_fake_distance: Float64 `(n,)`: its squared distance.
        same_distance: Float: squared distance up to which two images are taken
            for the same: all but 1 % of real images have no other as near.
        same_pairs: Integer: pairs of fake images that are the same.
        kid: A `Score`.
        kid_subsets: Float64: the KID of each subset.
    """

    real_radii: np.ndarray
    fake_radii: np.ndarray
    precise: np.ndarray
    recalled: np.ndarray
    density: np.ndarray
    covered: np.ndarray
    nearest_real: np.ndarray
    nearest_real_distance: np.ndarray
    nearest_fake: np.ndarray
    nearest_fake_distance: np.ndarray
    same_distance: float
    same_pairs: int
    kid: Score
    kid_subsets: np.ndarray


def pair_statistics(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    seed: int = 0,
    subsets: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Progress | None = None,
) -> PairStatistics:
    """Walks over all pairs of images.

    Args:
        real: Float array `(n, d)`, more vectors than `DENSITY_NEIGHBORS`.
        fake: Float array `(m, d)`, likewise.
        seed: Integer: seeds subsets and bootstrap.
        subsets: Two integer arrays `(subsets, size)` of indices for KID, or
            `None` for 100 of 1,000 images without repeats, or of all if there are
            fewer.
        progress: `None`, or a function of `(blocks done, blocks in all)`.

    Returns:
        `PairStatistics`.

    Raises:
        UserError: for too few, unequally wide or non-finite features.
    """
    real, fake = check_pair(real, fake, minimum=DENSITY_NEIGHBORS + 1)
    if subsets is None:
        subsets = draw_subsets(len(real), len(fake), seed)
    weights = [
        np.concatenate(
            [_as_weights(indices, count), resampled_counts(count, [seed, k])]
        )
        for k, (indices, count) in enumerate(
            zip(subsets, (len(real), len(fake)), strict=True)
        )
    ]
    center = np.asarray(np.mean(real, axis=0, dtype=np.float64))
    real_set, fake_set = FeatureSet(real, center), FeatureSet(fake, center)
    counter = BlockCounter(real_set, fake_set, progress)
    real_within = _within(real_set, weights[0], 0.0, counter)
    same_distance = float(
        np.quantile(real_within.radii[:, 0], SAME_IMAGE_QUANTILE, method="lower")
    )
    fake_within = _within(fake_set, weights[1], same_distance, counter)
    between = _between(
        (real_set, fake_set), (real_within.radii, fake_within.radii), weights, counter
    )
    kernel = (
        _mean_kernel(real_set, weights[0], real_within.kernel_sums)
        + _mean_kernel(fake_set, weights[1], fake_within.kernel_sums)
        - 2 * between.kernel_sums / (weights[0].sum(1) * weights[1].sum(1))
    )
    num_subsets = len(subsets[0])
    return PairStatistics(
        real_radii=real_within.radii,
        fake_radii=fake_within.radii,
        precise=between.precise,
        recalled=between.recalled,
        density=between.density / DENSITY_NEIGHBORS,
        covered=between.covered,
        nearest_real=between.nearest_real,
        nearest_real_distance=np.maximum(between.nearest_real_distance, 0.0),
        nearest_fake=between.nearest_fake,
        nearest_fake_distance=np.maximum(between.nearest_fake_distance, 0.0),
        same_distance=same_distance,
        same_pairs=fake_within.same_pairs,
        kid=Score.of(kernel[:num_subsets].mean(), kernel[num_subsets:]),
        kid_subsets=kernel[:num_subsets],
    )


def draw_subsets(
    num_real: int, num_fake: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of KID's subsets: one array for each set."""
    size = min(KID_SUBSET_SIZE, num_real, num_fake)
    generator = np.random.default_rng(seed)
    pairs = [
        [generator.choice(count, size, replace=False) for count in (num_real, num_fake)]
        for _ in range(KID_SUBSETS)
    ]
    real_indices, fake_indices = zip(*pairs, strict=True)
    return np.array(real_indices), np.array(fake_indices)


def _as_weights(indices: np.ndarray, count: int) -> np.ndarray:
    """Turns rows of indices into rows of weights."""
    weights = np.zeros((len(indices), count))
    np.put_along_axis(weights, np.asarray(indices), 1.0, axis=1)
    return weights


def _mean_kernel(
    features: FeatureSet, weights: np.ndarray, sums: np.ndarray
) -> np.ndarray:
    """Mean kernel of the pairs within a set, for each row of weights.

    A pair of one image with itself, or with its own copy in a replicate, is none.
    """
    with_itself = (weights**2) @ features.kernel_with_itself
    return np.asarray(
        (sums - with_itself) / (weights.sum(1) ** 2 - (weights**2).sum(1))
    )


class _Within(NamedTuple):
    radii: np.ndarray
    kernel_sums: np.ndarray
    same_pairs: int


class _WithinBlock(NamedTuple):
    kernel_sums: np.ndarray
    same_pairs: int
    row_distances: np.ndarray
    column_distances: np.ndarray


def _within(
    features: FeatureSet,
    weights: np.ndarray,
    same_distance: float,
    counter: BlockCounter,
) -> _Within:
    """Of one set: distances to the nearest, weighted kernel sums, pairs the same."""

    def measure(rows: slice, columns: slice, products: np.ndarray) -> _WithinBlock:
        multiplicity = 1 if rows == columns else 2
        kernel = kernel_block(features, features, rows, columns, products)
        kernel_sums = multiplicity * np.einsum(
            "wn,wn->w", weights[:, rows] @ kernel, weights[:, columns]
        )
        squared = squared_distances(features, features, rows, columns, products)
        if rows == columns:
            np.fill_diagonal(squared, np.inf)
        same_pairs = int(np.count_nonzero(squared <= same_distance)) * multiplicity // 2
        return _WithinBlock(
            kernel_sums, same_pairs, _smallest(squared), _smallest(squared.T)
        )

    radii = np.full((features.count, DENSITY_NEIGHBORS), np.inf)
    kernel_sums, same_pairs = np.zeros(len(weights)), 0
    for rows, columns, block in walk(features, features, measure, counter):
        kernel_sums += block.kernel_sums
        same_pairs += block.same_pairs
        radii[rows] = _smallest(
            np.concatenate([radii[rows], block.row_distances], axis=1)
        )
        if rows != columns:
            radii[columns] = _smallest(
                np.concatenate([radii[columns], block.column_distances], axis=1)
            )
    radii.sort(axis=1)
    # What is less than rounding is a copy.
    radii[radii < 2 * TIE_ROUNDING * features.lengths[:, None]] = 0.0
    return _Within(radii, kernel_sums, int(same_pairs))


def _smallest(squared: np.ndarray) -> np.ndarray:
    """The smallest `DENSITY_NEIGHBORS` of each row, in any order."""
    if squared.shape[1] <= DENSITY_NEIGHBORS:
        return squared
    smallest = np.partition(squared, DENSITY_NEIGHBORS - 1, axis=1)
    return smallest[:, :DENSITY_NEIGHBORS].copy()  # a view would keep the block


class _Between(NamedTuple):
    """Whole sets, or of a block its rows (real) and columns (fake)."""

    kernel_sums: np.ndarray
    precise: np.ndarray
    recalled: np.ndarray
    density: np.ndarray
    covered: np.ndarray
    nearest_fake: np.ndarray
    nearest_fake_distance: np.ndarray
    nearest_real: np.ndarray
    nearest_real_distance: np.ndarray


def _between(
    sets: tuple[FeatureSet, FeatureSet],
    radii: tuple[np.ndarray, np.ndarray],
    weights: list[np.ndarray],
    counter: BlockCounter,
) -> _Between:
    """Statistics of each image against the other set, and weighted kernel sums."""
    real, fake = sets
    manifold, density = MANIFOLD_NEIGHBORS - 1, DENSITY_NEIGHBORS - 1

    def measure(rows: slice, columns: slice, products: np.ndarray) -> _Between:
        kernel = kernel_block(real, fake, rows, columns, products)
        kernel_sums = np.einsum(
            "wn,wn->w", weights[0][:, rows] @ kernel, weights[1][:, columns]
        )
        slack = np.add.outer(
            TIE_ROUNDING * real.lengths[rows], TIE_ROUNDING * fake.lengths[columns]
        )
        squared = squared_distances(real, fake, rows, columns, products)
        squared -= slack
        real_radii, fake_radii = radii[0][rows], radii[1][columns]
        precise = np.any(squared <= real_radii[:, manifold, None], axis=0)
        recalled = np.any(squared <= fake_radii[:, manifold], axis=1)
        nearest_fake, nearest_fake_distance = _nearest(squared, columns)
        nearest_real, nearest_real_distance = _nearest(squared.T, rows)
        slack *= 2
        squared += slack
        inside = squared < real_radii[:, density, None]
        return _Between(
            kernel_sums,
            precise,
            recalled,
            inside.sum(axis=0),
            np.any(inside, axis=1),
            nearest_fake,
            nearest_fake_distance,
            nearest_real,
            nearest_real_distance,
        )

    whole = _Between(
        np.zeros(len(weights[0])),
        np.zeros(fake.count, bool),
        np.zeros(real.count, bool),
        np.zeros(fake.count),
        np.zeros(real.count, bool),
        np.zeros(real.count, np.int64),
        np.full(real.count, np.inf),
        np.zeros(fake.count, np.int64),
        np.full(fake.count, np.inf),
    )
    for rows, columns, block in walk(real, fake, measure, counter):
        whole.kernel_sums[:] += block.kernel_sums
        whole.precise[columns] |= block.precise
        whole.recalled[rows] |= block.recalled
        whole.density[columns] += block.density
        whole.covered[rows] |= block.covered
        _keep_nearer(
            whole.nearest_fake[rows],
            whole.nearest_fake_distance[rows],
            block.nearest_fake,
            block.nearest_fake_distance,
        )
        _keep_nearer(
            whole.nearest_real[columns],
            whole.nearest_real_distance[columns],
            block.nearest_real,
            block.nearest_real_distance,
        )
    return whole


def _nearest(squared: np.ndarray, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """For each row, its nearest column and their squared distance."""
    nearest = squared.argmin(axis=1)
    return nearest + columns.start, squared[np.arange(len(squared)), nearest]


def _keep_nearer(
    nearest: np.ndarray,
    distances: np.ndarray,
    other_nearest: np.ndarray,
    other_distances: np.ndarray,
) -> None:
    """Writes what is nearer into `nearest` and `distances`."""
    nearer = other_distances < distances
    nearest[nearer] = other_nearest[nearer]
    distances[nearer] = other_distances[nearer]
