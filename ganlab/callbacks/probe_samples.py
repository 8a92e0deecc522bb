"""What do samples say by themselves: of the data, its labels, and what moves fakes?

Measures of a probe in NumPy. They look for faults of what training is given and how
its parts are joined, which no loss shows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ganlab import metrics
from ganlab.data.kinds import scaled_count

MAX_SAMPLES, MIN_SAMPLES = 512, 64  # of the data: distances take milliseconds
MAX_PROBED, MIN_PROBED = 64, 16  # through both networks


def num_samples(sample_shape: Sequence[int]) -> int:
    """How many samples of the data are looked at: fewer of large ones.

    >>> [num_samples((side, side, 3)) for side in (64, 128, 256, 512)]
    [512, 512, 128, 64]
    """
    return scaled_count(MAX_SAMPLES, MIN_SAMPLES, sample_shape)


def num_probed(sample_shape: Sequence[int]) -> int:
    """How many samples go through both networks: fewer of large ones.

    >>> [num_probed((side, side, 3)) for side in (64, 128, 256, 512)]
    [64, 64, 16, 16]
    """
    return scaled_count(MAX_PROBED, MIN_PROBED, sample_shape)


def data_measures(
    real: np.ndarray, labels: np.ndarray | None, *, pictorial: bool
) -> dict[str, float]:
    """Measures of real samples that no network changes.

    - `real_nonfinite_share`: fraction of values that are NaN or infinite.
    - `real_distinct_share`: distinct samples over all; pictures that are equal in
      8 bits are one.
    - `real_constant_share`: fraction of pictures whose pixels are all equal.
    - `label_information`: how much more often than by chance a sample's nearest has
      its label, in standard errors; left out without labels.

    Args:
        real: Float array `(n, ...)`; `num_samples` are looked at.
        labels: Integer array `(n,)`, or `None`.
        pictorial: Whether samples are pictures.
    """
    flat = np.asarray(real[: num_samples(real.shape[1:])], np.float64)
    flat = flat.reshape(len(flat), -1)
    finite = np.isfinite(flat)
    measures = {"real_nonfinite_share": float(1.0 - finite.mean())}
    flat = np.where(finite, flat, 0.0)
    rows = flat
    if pictorial:
        span = float(np.ptp(flat))
        rows = np.round((flat - flat.min()) * 255.0 / span) if span else flat
        measures["real_constant_share"] = float(np.mean(np.ptp(rows, axis=1) == 0.0))
    measures["real_distinct_share"] = metrics.num_distinct(rows) / len(rows)
    if labels is not None and len(flat) > 1:
        measures["label_information"] = _label_information(
            flat, np.asarray(labels[: len(flat)]).reshape(-1)
        )
    return measures


def _label_information(flat: np.ndarray, labels: np.ndarray) -> float:
    """By how many standard errors nearest neighbours share a label beyond chance."""
    distances = metrics.squared_pixel_distances(flat)
    np.fill_diagonal(distances, np.inf)
    shared = np.mean(labels[distances.argmin(axis=1)] == labels)
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    chance = float(np.square(shares).sum())
    error = np.sqrt(chance * (1.0 - chance) / len(labels))
    return float((shared - chance) / error) if error > 0 else 0.0


def effect(changed: np.ndarray, fake: np.ndarray, real: np.ndarray) -> float:
    """Mean |changed - fake| over the range of the real samples.

    Args:
        changed: Float array `(n, ...)`: fakes of other latents, or of other labels.
        fake: Float array of the same shape.
        real: Float array `(m, ...)`.

    Returns:
        A float; under 1/510 8-bit images are the same. Infinity where real samples
        are all one value, for then nothing can be told.
    """
    low, high = np.percentile(real, [1, 99])
    if not high > low:
        return float("inf")
    return float(np.mean(np.abs(changed - fake)) / (high - low))


def paired_lead(own: np.ndarray, other: np.ndarray) -> float:
    """Mean of own - other in its standard errors; 0 where they are equal.

    Args:
        own: Float array `(n, ...)`: logits of samples under their labels.
        other: Float array of the same shape: under other labels.
    """
    differences = np.asarray(own - other).reshape(len(own), -1).mean(axis=1)
    error = differences.std() / np.sqrt(len(differences))
    return float(differences.mean() / max(error, 1e-12))


def learned_lead(logits: Mapping[str, np.ndarray]) -> float:
    """How much further a discriminator puts real samples over fakes than it did.

    Both leads are in standard deviations, so that it does not matter how steep the
    discriminator is.

    Args:
        logits: Float arrays `(n, ...)`: of `real` and `fake` samples, and of the same
            as they were judged before: `was_real` and `was_fake`.
    """
    now, before = (
        logit_distance(logits[f"{when}real"], logits[f"{when}fake"])
        for when in ("", "was_")
    )
    return now - before


def logit_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Difference of the means in standard deviations of one side."""
    deviation = np.sqrt((real.var() + fake.var()) / 2)
    return float((real.mean() - fake.mean()) / max(deviation, 1e-12))
