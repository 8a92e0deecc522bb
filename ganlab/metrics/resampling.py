"""Scores with bootstrap intervals.

A score is a number of finitely many images, and other images would move it. Each
comes with the interval of 95 % of the bootstrap's replicates, for which real and
generated images are drawn anew, with replacement, from those at hand. An interval
says how much chance moved the score, not how biased it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

REPLICATES = 300
LEVEL = 0.95


@dataclass(frozen=True)
class Score:
    """A number with its uncertainty.

    Args:
        value: Float.
        low: Float: lower end of the 95 % bootstrap interval.
        high: Float: its upper end.
        standard_error: Float: standard deviation of the replicates.
    """

    value: float
    low: float
    high: float
    standard_error: float

    @classmethod
    def of(cls, value: float, replicates: np.ndarray) -> "Score":
        """Makes a score of a value and its bootstrap replicates."""
        tail = 50 * (1 - LEVEL)
        low, high = np.percentile(replicates, [tail, 100 - tail])
        return cls(
            float(value), float(low), float(high), float(np.std(replicates, ddof=1))
        )

    def moved_to(self, value: float) -> "Score":
        """The score at another value, its interval moved with it."""
        gap = value - self.value
        return Score(value, self.low + gap, self.high + gap, self.standard_error)

    def scaled(self, factor: float) -> "Score":
        """Value, interval and standard error times a factor."""
        return Score(
            factor * self.value,
            factor * self.low,
            factor * self.high,
            factor * self.standard_error,
        )

    def __str__(self) -> str:
        low, high = format_number(self.low), format_number(self.high)
        return f"{format_number(self.value)} [{low}, {high}]"


def format_number(value: float) -> str:
    """Three significant digits, without an exponent where it can be helped.

    >>> format_number(1234.5), format_number(12.345), format_number(0.012345)
    ('1234', '12.3', '0.0123')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(2 - size, 0), 6)}f}"


def resampled_counts(
    num_images: int, seed: int | Sequence[int], replicates: int = REPLICATES
) -> np.ndarray:
    """How often each image is drawn in each bootstrap replicate.

    Args:
        num_images: Integer.
        seed: Integer, or a list of them.
        replicates: Integer.

    Returns:
        Float64 array `(replicates, num_images)`; each row sums to `num_images`.

    Reference:
        [Efron, 1979](https://doi.org/10.1214/aos/1176344552)
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((replicates, num_images))
    for row in counts:
        drawn = generator.integers(num_images, size=num_images)
        row[:] = np.bincount(drawn, minlength=num_images)
    return counts


def score_of_means(values: np.ndarray, seed: int = 0) -> Score:
    """The mean of one number an image, as a `Score`.

    Args:
        values: Float or boolean array `(n,)`.
        seed: Integer: seeds the bootstrap.
    """
    values = np.asarray(values, np.float64)
    counts = resampled_counts(len(values), seed)
    return Score.of(values.mean(), counts @ values / len(values))
