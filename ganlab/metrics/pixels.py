"""Comparisons of generated and real images without features: distances, spectra."""

import hashlib

import numpy as np


def pairwise_ratios(
    real: np.ndarray, fake: np.ndarray, labels: np.ndarray | None = None
) -> dict[str, float]:
    """How far fakes lie apart, over how far real ones do.

    - `pairwise_ratio`: mean distance of two fakes over that of two real ones.
    - `class_pairwise_ratio`: the same of two of one class.
    - `nearest_ratio`: median distance of a fake to its nearest fake, likewise.

    Args:
        real: Float array `(n, ...)`.
        fake: Float array of the same shape.
        labels: Integer array `(n,)`: the classes of both, or `None`.

    Returns:
        A dict of floats; 1 is as varied as real images.
    """
    real_distances, fake_distances = _distances(real), _distances(fake)
    others = ~np.eye(len(real), dtype=bool)
    masks = {"pairwise_ratio": others}
    if labels is not None:
        same_class = np.equal.outer(labels, labels) & others
        if same_class.sum() >= 2:
            masks["class_pairwise_ratio"] = same_class
    ratios = {}
    for name, mask in masks.items():
        real_mean, fake_mean = real_distances[mask].mean(), fake_distances[mask].mean()
        if real_mean > 0:
            ratios[name] = float(fake_mean / real_mean)
    real_nearest, fake_nearest = (
        np.median(np.where(others, distances, np.inf).min(axis=1))
        for distances in (real_distances, fake_distances)
    )
    if real_nearest > 0 and np.isfinite(fake_nearest):
        ratios["nearest_ratio"] = float(fake_nearest / real_nearest)
    return ratios


def squared_pixel_distances(images: np.ndarray) -> np.ndarray:
    """Squared distances `(n, n)` of images; rounding may leave them just under 0."""
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    lengths = np.square(flat).sum(axis=1)
    return np.asarray(lengths[:, None] + lengths - 2.0 * flat @ flat.T)


def num_distinct(samples: np.ndarray) -> int:
    """How many different samples there are; 0 and -0 are equal.

    >>> num_distinct(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 1.0]]))
    2
    """
    return len({hashlib.sha256((row + 0.0).tobytes()).digest() for row in samples})


def _distances(images: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(squared_pixel_distances(images), 0.0)))


def spectrum_gaps(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """How the spectrum of fakes differs from that of real images.

    Power is averaged over images and channels after the mean is taken off.

    - `nyquist_excess`: how much the power at the three highest frequencies of a
      stride of 2, (pi, 0), (0, pi) and (pi, pi), stands out from what lies
      around it, in decades; fakes less real images. A checkerboard is a peak.
    - `checkerboard_share`: the fraction of the edges (root mean square of the
      Laplacian) that is one pattern of period 2, the same in all images; fakes
      less real images.
    - `spectrum_gap`: mean absolute difference of the azimuthal averages over the
      upper half of the frequencies, in decades.

    Args:
        real: Float array `(n, height, width, channels)`.
        fake: Float array `(m, height, width, channels)`.

    Returns:
        A dict of floats.

    Reference:
        [Durall et al., 2020](https://arxiv.org/abs/2003.01826), section 3;
        [Odena et al., 2016](https://distill.pub/2016/deconv-checkerboard)
    """
    patterns = [_checkerboard(images) for images in (real, fake)]
    powers = [_power(images) for images in (real, fake)]
    peaks = [_nyquist_peak(power) for power in powers]
    rings = [_azimuthal(power) for power in powers]
    upper = slice(len(rings[0]) // 2, None)
    gap = np.abs(rings[1][upper] - rings[0][upper])
    return {
        "nyquist_excess": float(peaks[1] - peaks[0]),
        "spectrum_gap": float(gap.mean()),
        "checkerboard_share": float(patterns[1] - patterns[0]),
    }


def _checkerboard(images: np.ndarray) -> float:
    """Root mean square of the mean of each phase of a stride of 2, over all."""
    x = np.asarray(images, np.float64)
    inner = x[:, 1:-1, 1:-1]
    laplacian = 4 * inner - x[:, :-2, 1:-1] - x[:, 2:, 1:-1]
    laplacian -= x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    height, width = (size // 2 * 2 for size in laplacian.shape[1:3])
    laplacian = laplacian[:, :height, :width]
    phases = [
        laplacian[:, row::2, column::2].mean(axis=(0, 1, 2))
        for row in range(2)
        for column in range(2)
    ]
    whole = np.square(laplacian).mean()
    return float(np.sqrt(np.square(phases).mean() / whole)) if whole > 0 else 0.0


def _power(images: np.ndarray) -> np.ndarray:
    """Mean power `(side, side)` of even side, zero frequency in the middle."""
    side = min(images.shape[1:3]) // 2 * 2
    images = np.asarray(images, np.float64)[:, :side, :side]
    images = images - images.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(images, axes=(1, 2))) ** 2
    return np.asarray(np.fft.fftshift(power.mean(axis=(0, 3))) / side**2 + 1e-9)


def _nyquist_peak(power: np.ndarray) -> float:
    """Mean over the three Nyquist frequencies of log10(power / around it)."""
    middle = len(power) // 2
    peaks = []
    for row, column in ((0, 0), (0, middle), (middle, 0)):
        rows = (row + np.arange(-2, 3)) % len(power)
        columns = (column + np.arange(-2, 3)) % len(power)
        patch = power[np.ix_(rows, columns)]
        around = np.ones((5, 5), bool)
        around[1:4, 1:4] = False
        peaks.append(np.log10(patch[2, 2] / np.median(patch[around])))
    return float(np.mean(peaks))


def _azimuthal(power: np.ndarray) -> np.ndarray:
    """log10 of the mean power on each ring of frequencies."""
    frequencies = np.arange(len(power)) - len(power) // 2
    radius = np.rint(np.hypot(*np.meshgrid(frequencies, frequencies))).astype(int)
    total = np.bincount(radius.ravel(), power.ravel())
    count = np.bincount(radius.ravel())
    return np.asarray(np.log10(total / count)[1 : len(power) // 2 + 1])
