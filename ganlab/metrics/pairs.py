"""How near are images to each other: which modes are hit, missed, repeated?

Every score here is one of pairs of images. `compare` walks once over the pairs
within each set and between both, a block at a time, in float64: of 50,000
images the blocks take 50 MB. Distances and kernel come from the same matrix
product of centred features, so a large mean costs no precision.
"""

import itertools
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from ganlab.metrics.resampling import Score, resampled_counts, score_of_means
from ganlab.metrics.validation import checked_pair

BLOCK = 1024
ROUNDING = 1e-12  # of both squared lengths: nearer than that is a tie
MANIFOLD_NEIGHBORS = 3
DENSITY_NEIGHBORS = 5
KERNEL_SUBSETS = 100
KERNEL_SUBSET_SIZE = 1000
RARE = 0.01
AHEAD = 2  # blocks a core that are computed before they are read


@dataclass(frozen=True)
class Pairs:
    """What the walk over all pairs found; all arrays are one number an image.

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


def compare(real, fake, *, seed=0, subsets=None, progress=None):
    """Walks over all pairs of images.

    Args:
        real: Float array `(n, d)`, more vectors than `DENSITY_NEIGHBORS`.
        fake: Float array `(m, d)`, likewise.
        seed: Integer: seeds subsets and bootstrap.
        subsets: Two integer arrays `(subsets, size)` of indices for the kernel
            distance, or `None` to draw 100 of 1,000 images without repeats, or
            of all if there are fewer.
        progress: `None`, or a function of `(blocks done, blocks in all)`.

    Returns:
        `Pairs`.

    Raises:
        UserError: for too few, unequally wide or non-finite features.
    """
    real, fake = checked_pair(real, fake, least=DENSITY_NEIGHBORS + 1)
    if subsets is None:
        subsets = draw_subsets(len(real), len(fake), seed)
    weights = [
        np.concatenate([_membership(chosen, count), resampled_counts(count, [seed, k])])
        for k, (chosen, count) in enumerate(
            zip(subsets, (len(real), len(fake)), strict=True)
        )
    ]
    center = np.mean(real, axis=0, dtype=np.float64)
    sides = [_Side(features, center) for features in (real, fake)]
    counter = _Counter(sides, progress)
    near, kernel, same, ties = [], [], 0.0, 0
    for side, weight in zip(sides, weights, strict=True):
        radii, sums, ties = _within(side, weight, same, counter)
        near.append(radii)
        same = float(np.quantile(near[0][:, 0], RARE, method="lower"))
        # A pair of one image with itself, or with its own copy in a replicate, is none.
        own = (weight**2) @ side.kernel_with_itself
        kernel.append((sums - own) / (weight.sum(1) ** 2 - (weight**2).sum(1)))
    between, sums = _between(sides, near, weights, counter)
    kernel = kernel[0] + kernel[1] - 2 * sums / (weights[0].sum(1) * weights[1].sum(1))
    count = len(subsets[0])
    return Pairs(
        real_radii=near[0],
        fake_radii=near[1],
        same_distance=same,
        same_pairs=ties,
        kid=Score.of(kernel[:count].mean(), kernel[count:]),
        kid_subsets=kernel[:count],
        **between,
    )


def draw_subsets(num_real, num_fake, seed=0):
    """Indices of the kernel distance's subsets: one array for each side."""
    size = min(KERNEL_SUBSET_SIZE, num_real, num_fake)
    draws = np.random.default_rng(seed)
    pairs = [
        [draws.choice(count, size, replace=False) for count in (num_real, num_fake)]
        for _ in range(KERNEL_SUBSETS)
    ]
    return tuple(np.array(side) for side in zip(*pairs, strict=True))


def kid(real, fake, *, seed=0, subsets=None):
    """Kernel distance of features; on Inception's the field calls it KID.

        MMD² = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
        k(x, y) = (xᵀy / d + 1)³

    without pairs of an image with itself: unbiased at any count, 0 on average
    for equal distributions, and so at times below it. The value is the mean
    over subsets, as the field reports it; the interval that of all images, which
    is about twice too wide where the distributions are equal.

    Returns:
        A `Score`.

    Reference:
        [Bińkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4
    """
    return compare(real, fake, seed=seed, subsets=subsets).kid


def manifold_scores(pairs, seed=0):
    """Precision, recall, density and coverage of `Pairs`.

    Balls around each image reach to its k-th nearest other of its set. Precision
    is the share of fake images within a ball around a real one, recall that of
    real images within a ball around a fake one (k = 3, border included). Density
    counts the real balls that a fake image lies in, over k, and passes 1 where
    fakes crowd; coverage is the share of real images with a fake one in their
    ball (k = 5, border left out). Two large draws of one distribution have a
    density of 1 and a coverage of 1 - 2⁻⁵ = 0.97.

    Returns:
        A dict of `Score`s.

    Reference:
        [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), equations
        1 and 2; [Naeem et al., 2020](https://arxiv.org/abs/2002.09797),
        equations 3 and 4
    """
    values = {
        "precision": pairs.precise,
        "recall": pairs.recalled,
        "density": pairs.density,
        "coverage": pairs.covered,
    }
    return {name: score_of_means(each, seed) for name, each in values.items()}


def repetition_scores(pairs, seed=0):
    """How often generated images repeat each other, or real ones.

    Two images are taken for the same if they are nearer than all but 1 % of
    real images are to their nearest real one. So a perfect generator scores 0.01
    in each, if it is given as many images as there are real ones.

    - `duplicate_share`: generated images that are the same as another.
    - `copied_share`: generated images that are the same as a real one. Where
      the real images are those it was trained on, it has memorised them.

    Returns:
        A dict of `Score`s.

    Reference:
        [Arora and Zhang, 2017](https://arxiv.org/abs/1706.08224), who look at
        the nearest pairs by eye
    """
    same = pairs.same_distance
    return {
        "duplicate_share": score_of_means(pairs.fake_radii[:, 0] <= same, seed),
        "copied_share": score_of_means(pairs.nearest_real_distance <= same, seed),
    }


def birthday_support(pairs):
    """How many different images a generator can draw, by the birthday paradox.

        support ≈ s (s - 1) / (2 pairs that are the same)

    for `s` draws of a uniform choice among `support` images; what is the same
    is told as in `repetition_scores`.

    Returns:
        A float; infinity if no two are the same.

    Reference:
        [Arora and Zhang, 2017](https://arxiv.org/abs/1706.08224), section 2
    """
    count = len(pairs.precise)
    if not pairs.same_pairs:
        return float("inf")
    return count * (count - 1) / (2 * pairs.same_pairs)


class _Side:
    """One set of features, centred; blocks are made float64 when they are due."""

    def __init__(self, features, center):
        self.features, self.center = features, center
        self.count = len(features)
        self.slices = [
            slice(first, min(first + BLOCK, self.count))
            for first in range(0, self.count, BLOCK)
        ]
        self.lengths = np.empty(self.count)
        self.tilts = np.empty(self.count)  # (x - c)ᵀ c
        for rows in self.slices:
            block = self.block(rows)
            self.lengths[rows] = np.einsum("nd,nd->n", block, block)
            self.tilts[rows] = block @ center
        self.origin = float(center @ center)
        products = self.lengths + 2 * self.tilts + self.origin
        self.kernel_with_itself = _kernel(products, features.shape[1])

    def block(self, rows):
        """Centred float64 features of a slice."""
        return np.asarray(self.features[rows], np.float64) - self.center


class _Counter:
    """Tells how many blocks are done."""

    def __init__(self, sides, progress):
        here, there = (len(side.slices) for side in sides)
        self.total = here * (here + 1) // 2 + there * (there + 1) // 2 + here * there
        self.done, self.progress = 0, progress

    def __call__(self):
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _walk(left, right, measure, counter):
    """What `measure(rows, columns, products)` says of each block, in order.

    Of a side with itself, one half of the blocks is all. Each core takes
    blocks of its own, for half of the work is not in the matrix product.
    """
    tasks = [
        (rows, columns)
        for row, rows in enumerate(left.slices)
        for columns in (right.slices[row:] if left is right else right.slices)
    ]

    def work(task):
        rows, columns = task
        block = left.block(rows)
        other = block if left is right and rows == columns else right.block(columns)
        return measure(rows, columns, block @ other.T)

    known = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    ahead = AHEAD * cores
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores) as pool:
        waiting: deque = deque()  # a few, for results pile up if the reader is slow
        for task in itertools.chain(tasks, [None] * ahead):
            if task is not None:
                waiting.append((task, pool.submit(work, task)))
            if len(waiting) > ahead or (task is None and waiting):
                task, result = waiting.popleft()
                counter()
                yield *task, result.result()


def _kernel(products, dim):
    root = products / dim + 1.0
    return root * root * root


def _kernel_block(left, right, rows, columns, product):
    """The kernel of a block, from the centred products."""
    dim = left.features.shape[1]
    root = product + (left.tilts[rows, None] + (left.origin + dim))
    root += right.tilts[columns]
    root /= dim
    cube = root * root
    cube *= root
    return cube


def _within(side, weight, same, counter):
    """Of one set: distances to the nearest, weighted kernel sums, pairs within."""

    def measure(rows, columns, products):
        twice = 1 if rows == columns else 2
        kernel = _kernel_block(side, side, rows, columns, products)
        sums = twice * np.einsum(
            "wn,wn->w", weight[:, rows] @ kernel, weight[:, columns]
        )
        squared = _squared(side, side, rows, columns, products)
        if rows == columns:
            np.fill_diagonal(squared, np.inf)
        ties = np.count_nonzero(squared <= same) * twice // 2
        return sums, ties, _smallest(squared), _smallest(squared.T)

    near = np.full((side.count, DENSITY_NEIGHBORS), np.inf)
    sums, ties = np.zeros(len(weight)), 0
    for rows, columns, (part, tied, of_rows, of_columns) in _walk(
        side, side, measure, counter
    ):
        sums += part
        ties += tied
        near[rows] = _smallest(np.concatenate([near[rows], of_rows], axis=1))
        if rows != columns:
            near[columns] = _smallest(
                np.concatenate([near[columns], of_columns], axis=1)
            )
    near.sort(axis=1)
    # What is less than rounding is a copy.
    near[near < 2 * ROUNDING * side.lengths[:, None]] = 0.0
    return near, sums, int(ties)


def _squared(left, right, rows, columns, products):
    """Squared distances of a block, in place of its centred products."""
    products *= -2
    products += left.lengths[rows, None]
    products += right.lengths[columns]
    return products


def _smallest(squared):
    """The smallest few of each row, in any order."""
    wanted = DENSITY_NEIGHBORS
    if squared.shape[1] <= wanted:
        return squared
    return np.partition(squared, wanted - 1, axis=1)[:, :wanted]


def _between(sides, near, weights, counter):
    """What is known of each image from the other set, and weighted kernel sums."""
    real, fake = sides
    manifold, close = MANIFOLD_NEIGHBORS - 1, DENSITY_NEIGHBORS - 1

    def measure(rows, columns, products):
        kernel = _kernel_block(real, fake, rows, columns, products)
        sums = np.einsum(
            "wn,wn->w", weights[0][:, rows] @ kernel, weights[1][:, columns]
        )
        slack = np.add.outer(
            ROUNDING * real.lengths[rows], ROUNDING * fake.lengths[columns]
        )
        squared = _squared(real, fake, rows, columns, products)
        squared -= slack
        real_ball, fake_ball = near[0][rows], near[1][columns]
        found = {
            "precise": (squared <= real_ball[:, manifold, None]).any(axis=0),
            "recalled": (squared <= fake_ball[:, manifold]).any(axis=1),
            "least": (_least(squared, columns), _least(squared.T, rows)),
        }
        slack *= 2
        squared += slack
        within = squared < real_ball[:, close, None]
        return sums, found | {
            "density": within.sum(axis=0),
            "covered": within.any(axis=1),
        }

    sums = np.zeros(len(weights[0]))
    precise, density = np.zeros(fake.count, bool), np.zeros(fake.count)
    recalled, covered = np.zeros(real.count, bool), np.zeros(real.count, bool)
    nearest = [np.zeros(side.count, np.int64) for side in sides]
    distance = [np.full(side.count, np.inf) for side in sides]
    for rows, columns, (part, found) in _walk(real, fake, measure, counter):
        sums += part
        precise[columns] |= found["precise"]
        recalled[rows] |= found["recalled"]
        density[columns] += found["density"]
        covered[rows] |= found["covered"]
        for k, own in enumerate((rows, columns)):
            which, least = found["least"][k]
            nearer = least < distance[k][own]
            distance[k][own] = np.where(nearer, least, distance[k][own])
            nearest[k][own] = np.where(nearer, which, nearest[k][own])
    return {
        "precise": precise,
        "recalled": recalled,
        "density": density / DENSITY_NEIGHBORS,
        "covered": covered,
        "nearest_fake": nearest[0],
        "nearest_real": nearest[1],
        "nearest_fake_distance": np.maximum(distance[0], 0.0),
        "nearest_real_distance": np.maximum(distance[1], 0.0),
    }, sums


def _least(squared, columns):
    """Of each row, which column is the nearest, and its squared distance."""
    which = squared.argmin(axis=1)
    return which + columns.start, squared[np.arange(len(squared)), which]


def _membership(chosen, count):
    """Turns rows of indices into rows of weights."""
    weights = np.zeros((len(chosen), count))
    np.put_along_axis(weights, np.asarray(chosen), 1.0, axis=1)
    return weights
