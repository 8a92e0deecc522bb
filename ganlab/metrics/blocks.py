"""Blockwise products of two sets of features, on all cores.

All pairs of images are walked once, a block at a time, in float64: of 50,000 images
the blocks take 50 MB. Distances and kernel come from the same matrix product of
centred features, so a large mean costs no precision.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from ganlab.safety.limits import usable_cores

BLOCK = 1024
BLOCKS_AHEAD = 2  # of each core, computed before they are read

Progress = Callable[[int, int], None]
Measured = TypeVar("Measured")


class FeatureSet:
    """One set of features, centred; blocks are made float64 when they are due.

    Args:
        features: Float array `(n, d)`.
        center: Float64 array `(d,)`, which both sets are centred on.
    """

    def __init__(self, features: np.ndarray, center: np.ndarray) -> None:
        self.features, self.center = features, center
        self.count, self.dim = features.shape
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
        root = products / self.dim + 1.0
        self.kernel_with_itself = root * root * root

    def block(self, rows: slice) -> np.ndarray:
        """Centred float64 features of a slice."""
        block = np.asarray(self.features[rows], np.float64)
        return np.asarray(block - self.center)


class BlockCounter:
    """Tells how many blocks are done, of those within both sets and between them."""

    def __init__(
        self, real: FeatureSet, fake: FeatureSet, progress: Progress | None
    ) -> None:
        n, m = len(real.slices), len(fake.slices)
        self.total = n * (n + 1) // 2 + m * (m + 1) // 2 + n * m
        self.done, self.progress = 0, progress

    def __call__(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def walk(
    left: FeatureSet,
    right: FeatureSet,
    measure: Callable[[slice, slice, np.ndarray], Measured],
    counter: BlockCounter,
) -> Iterator[tuple[slice, slice, Measured]]:
    """Yields rows, columns and `measure(rows, columns, products)` of blocks, in order.

    Of a set with itself, one half of the blocks is all. Each core takes
    blocks of its own, for half of the work is not in the matrix product.
    """
    tasks = [
        (rows, columns)
        for row, rows in enumerate(left.slices)
        for columns in (right.slices[row:] if left is right else right.slices)
    ]

    def work(rows: slice, columns: slice) -> Measured:
        block = left.block(rows)
        other = block if left is right and rows == columns else right.block(columns)
        return measure(rows, columns, block @ other.T)

    cores = usable_cores()
    ahead = BLOCKS_AHEAD * cores
    # A few wait at a time, for results pile up if the reader is slow.
    waiting: deque[tuple[slice, slice, Future[Measured]]] = deque()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores) as pool:
        for task in itertools.chain(tasks, [None] * ahead):
            if task is not None:
                waiting.append((*task, pool.submit(work, *task)))
            if len(waiting) > ahead or (task is None and waiting):
                rows, columns, result = waiting.popleft()
                counter()
                yield rows, columns, result.result()


def kernel_block(
    left: FeatureSet,
    right: FeatureSet,
    rows: slice,
    columns: slice,
    products: np.ndarray,
) -> np.ndarray:
    """KID's kernel `(xᵀy / d + 1)³` of a block, from its centred products."""
    root = products + (left.tilts[rows, None] + (left.origin + left.dim))
    root += right.tilts[columns]
    root /= left.dim
    cube = root * root
    cube *= root
    return np.asarray(cube)


def squared_distances(
    left: FeatureSet,
    right: FeatureSet,
    rows: slice,
    columns: slice,
    products: np.ndarray,
) -> np.ndarray:
    """Squared distances of a block, in place of its centred products."""
    products *= -2
    products += left.lengths[rows, None]
    products += right.lengths[columns]
    return products
