"""Measures of a probe's logits, images and kernels, in NumPy."""

from collections.abc import Mapping

import numpy as np

from ganlab import metrics, pictures
from ganlab.callbacks.probe_network import SATURATION
from ganlab.callbacks.probe_samples import logit_distance
from ganlab.data import kinds

MIN_LEAD = 0.5  # of real over fake logits, in standard deviations
POWER_STEPS = 5
MIN_SPECTRUM = 8  # pixels a side, fewer have no frequencies to compare


def logit_measures(logits: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measures of the logits `(n, 1)` of real, fake and held-out images.

    - `gradient_thrown_away`: the fraction of the non-saturating gradient, in the
      logit, that the saturating (minimax) loss has not: 1 - sum sigmoid(l) / sum
      sigmoid(-l) over fake logits, 0 where D does not win.
    - `real_sign`: mean sign of the real logits, ADA's r_t.
    - `logit_lowest`, `logit_highest`: the smallest and largest of all logits.
    - `logit_separation`: how often a real logit is over a fake one, 1 where the
      two never meet and ½ where they are alike (the area under the ROC curve).
    - `logit_distance`: how far their means lie apart, in standard deviations of
      one side.
    - `overfit_gap`: how far held-out images lie from trained ones towards the
      fakes, ADA's r_v: 0 without overfitting, 1 where they pass for fake. Left
      out where both sides lie too close together to tell.
    """
    real, fake = logits["real"], logits["fake"]
    with np.errstate(over="ignore"):
        belief = 1.0 / (1.0 + np.exp(-fake))
    lead = real.mean() - fake.mean()
    measures = {
        "logit_real": real.mean(),
        "logit_fake": fake.mean(),
        "logit_spread": np.concatenate([real, fake]).std(),
        "real_sign": np.sign(real).mean(),
        "logit_lowest": min(real.min(), fake.min()),
        "logit_highest": max(real.max(), fake.max()),
        "logit_separation": _separation(real.ravel(), fake.ravel()),
        "logit_distance": logit_distance(real, fake),
        "gradient_thrown_away": max(
            0.0, 1.0 - belief.sum() / max((1.0 - belief).sum(), 1e-300)
        ),
    }
    if "held_out" in logits:
        measures["logit_held_out"] = logits["held_out"].mean()
        if lead > MIN_LEAD * measures["logit_spread"] > 0:
            gap = real.mean() - logits["held_out"].mean()
            measures["overfit_gap"] = gap / lead
    return {name: float(value) for name, value in measures.items()}


def logit_slope(samples: np.ndarray, logits: np.ndarray) -> float:
    """The 95th percentile of two logits' difference over their samples' distance.

    Args:
        samples: Float array `(n, ...)`.
        logits: Float array `(n, 1)`.
    """
    distances = np.sqrt(np.maximum(metrics.squared_pixel_distances(samples), 0.0))
    differences = np.abs(logits.reshape(-1, 1) - logits.reshape(1, -1))
    apart = distances > 1e-6 * distances.max()
    if not apart.any():
        return 0.0
    return float(np.percentile(differences[apart] / distances[apart], 95))


def _separation(real: np.ndarray, fake: np.ndarray) -> float:
    """The fraction of pairs whose real logit is the larger; ties count half."""
    ordered = np.sort(fake)
    below = np.searchsorted(ordered, real, "left")
    up_to = np.searchsorted(ordered, real, "right")
    return float(np.mean(below + up_to) / (2 * len(fake)))


def belief_measures(logits: Mapping[str, np.ndarray]) -> dict[str, float]:
    """D(x), D(G(z)) and accuracies of the logits of real and fake images."""
    with np.errstate(over="ignore"):
        beliefs = {
            side: 1.0 / (1.0 + np.exp(-logits[side])) for side in ("real", "fake")
        }
    return {
        "d_real": float(beliefs["real"].mean()),
        "d_fake": float(beliefs["fake"].mean()),
        "d_accuracy_real": float(np.mean(logits["real"] > 0.0)),
        "d_accuracy_fake": float(np.mean(logits["fake"] < 0.0)),
    }


def value_range(samples: np.ndarray, name: str) -> dict[str, float]:
    """The 1st and 99th percentile of all values."""
    low, high = np.percentile(samples, [1, 99])
    return {f"{name}_low": float(low), f"{name}_high": float(high)}


def saturated_fraction(images: np.ndarray, value_range: tuple[float, float]) -> float:
    """Fraction of values within 1 % of the range's ends, -1 and 1 at first."""
    return float(np.mean(np.abs(pictures.rescaled(images, value_range)) > SATURATION))


def sample_measures(
    real: np.ndarray,
    fake: np.ndarray,
    averaged: np.ndarray,
    labels: np.ndarray | None,
    output_range: tuple[float, float],
) -> dict[str, float]:
    """How far fakes lie apart, their range, and of pictures spectrum and saturation.

    Args:
        real: Float array `(n, ...)`.
        fake: Float array `(m, ...)`.
        averaged: Likewise, of the averaged generator.
        labels: Integer array `(n,)`, or `None`.
        output_range: `(low, high)` of the generator.
    """
    values = metrics.pairwise_ratios(real, fake, labels)
    values |= value_range(real, "real") | value_range(fake, "fake")
    if kinds.of_shape(fake.shape[1:]).pictorial:
        if min(fake.shape[1:3]) >= MIN_SPECTRUM:
            values |= metrics.spectrum_gaps(real, averaged)
        fakes, reals = (
            saturated_fraction(images, output_range) for images in (fake, real)
        )
        values["output_saturated_gap"] = fakes - reals
    return values


class SingularValues:
    """The largest singular value of each kernel, by power iteration.

    Every call goes on from the directions of the last one.
    """

    def __init__(self) -> None:
        self.directions: dict[str, np.ndarray] = {}

    def measure(self, kernels: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Singular values by kernel, and `d_singular_value`, the largest of all.

        Args:
            kernels: Arrays by layer name; the last axis is the layer's outputs.
        """
        values = {}
        for name, kernel in kernels.items():
            matrix = kernel.astype(np.float64).reshape(-1, kernel.shape[-1])
            direction = self.directions.get(name, np.ones(matrix.shape[1]))
            for _ in range(POWER_STEPS):
                direction = matrix.T @ (matrix @ direction)
                direction /= np.linalg.norm(direction) + 1e-300
            self.directions[name] = direction
            singular_value = np.linalg.norm(matrix @ direction)
            values[f"singular_value/{name}"] = float(singular_value)
        if values:
            values["d_singular_value"] = max(values.values())
        return values
