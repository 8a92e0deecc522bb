"""Scores of toy 2-D mixtures and of counted modes."""

import numpy as np

MODE_RADIUS = 3  # standard deviations


def mode_scores(
    samples: np.ndarray, centers: np.ndarray, deviation: float
) -> dict[str, float]:
    """Modes that are hit, and the fraction of samples near one.

    A sample is of high quality within 3 standard deviations of its nearest
    centre; a mode is hit if such a sample has it nearest. A perfect generator's
    fraction is 1 - exp(-9/2) = 0.989.

    Args:
        samples: Float array `(n, 2)`.
        centers: Float array `(modes, 2)`.
        deviation: Float: standard deviation of every mode.

    Returns:
        A dict: `modes_hit`, an integer, and `high_quality_share` in [0, 1].

    Reference:
        [Srivastava et al., 2017 (VEEGAN)](https://arxiv.org/abs/1705.07761), section 4
    """
    distances = np.linalg.norm(samples[:, None] - centers[None], axis=-1)
    good = distances.min(axis=1) <= MODE_RADIUS * deviation
    hit = np.unique(distances.argmin(axis=1)[good])
    return {"modes_hit": len(hit), "high_quality_share": float(good.mean())}


def grid_divergences(
    real: np.ndarray, fake: np.ndarray, extent: float, *, bins: int = 40
) -> dict[str, float]:
    """KL and JS divergence of 2-D samples, counted on a square grid.

        KL = sum over cells of r log(r / f),  JS = (KL(r, m) + KL(f, m)) / 2

    with `m = (r + f) / 2`. Half a sample is added to each cell, so that an
    empty one leaves KL finite; samples beyond the grid count in its border.

    Args:
        real: Float array `(n, 2)`.
        fake: Float array `(m, 2)`.
        extent: Float: the grid spans `[-extent, extent]` on both axes.
        bins: Integer: cells a side.

    Returns:
        A dict: `kl`, 0 or more, and `js`, from 0 to ln 2, in nats.

    Reference:
        [Kahng et al., 2018 (GAN Lab)](https://arxiv.org/abs/1809.01587)
    """
    r, f = (_cell_fractions(samples, extent, bins) for samples in (real, fake))
    middle = (r + f) / 2
    js = (_relative_entropy(r, middle) + _relative_entropy(f, middle)) / 2
    return {"kl": _relative_entropy(r, f), "js": js}


def _cell_fractions(samples: np.ndarray, extent: float, bins: int) -> np.ndarray:
    inside = np.clip(samples, -extent, np.nextafter(extent, 0))
    square = [(-extent, extent), (-extent, extent)]
    counts, _, _ = np.histogram2d(inside[:, 0], inside[:, 1], bins=bins, range=square)
    return np.asarray((counts + 0.5) / (counts + 0.5).sum())


def reverse_kl(modes: np.ndarray, num_modes: int) -> float:
    """KL divergence from the modes of generated samples to equal fractions.

        KL(f, u) = sum over modes of f log(f num_modes)

    0 for equal fractions, `log(num_modes)` for one mode alone. `n` samples of
    equal fractions give about `(num_modes - 1) / (2 n)`.

    Args:
        modes: Integer array `(n,)`: the mode of each sample, from 0.
        num_modes: Integer.

    Returns:
        A float, in nats.

    Reference:
        [Metz et al., 2016 (Unrolled GAN)](https://arxiv.org/abs/1611.02163),
        section 3.3.1
    """
    fractions = np.bincount(modes, minlength=num_modes) / len(modes)
    return _relative_entropy(fractions, np.full(num_modes, 1 / num_modes))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    positive = p > 0
    return float(np.sum(p[positive] * np.log(p[positive] / q[positive])))
