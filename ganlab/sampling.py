"""Latents and labels for a seed, and interpolation between two latents.

NumPy only: training, export and `ganlab sample` have the same latents for a seed.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from ganlab.errors import UserError


def draw_latents(
    num_images: int, latent_dim: int, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Draws standard normal latents; more latents of a seed begin with fewer of it.

    Args:
        num_images: Integer, 1 or more.
        latent_dim: Integer.
        seed: Integer, 0 or more.
        truncation: `None`, or a positive float `t`: each component becomes
            its counterpart in the normal distribution cut off at `-t` and
            `t`, which trades variety for fidelity.

    Returns:
        Float32 array `(num_images, latent_dim)`.

    Reference:
        [Brock et al., 2018](https://arxiv.org/abs/1809.11096), section 3.1
    """
    if num_images < 1:
        raise UserError(f"Expected 1 image or more. Received: {num_images}")
    if seed < 0:
        raise UserError(f"Expected a seed of 0 or more. Received: {seed}")
    if truncation is not None and not 0.0 < truncation < float("inf"):
        raise UserError(f"Expected a truncation above 0. Received: {truncation}")
    generator = np.random.default_rng(seed)
    latents = generator.standard_normal((num_images, latent_dim), dtype=np.float32)
    if truncation is not None:
        normal = NormalDist()
        tail = normal.cdf(-truncation)
        squeeze = np.vectorize(
            lambda z: normal.inv_cdf(tail + normal.cdf(z) * (1 - 2 * tail)),
            otypes=[np.float32],
        )
        latents = squeeze(latents)
    return latents


def class_labels(
    num_images: int,
    num_classes: int,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Checks labels, or gives each class in turn.

    Args:
        num_images: Integer.
        num_classes: Integer.
        labels: Integers `(num_images,)` from 0 to `num_classes - 1`, or `None`.

    Returns:
        Int32 array `(num_images,)`.

    Raises:
        UserError: for labels of another number or range.
    """
    if labels is None:
        return np.arange(num_images, dtype=np.int32) % num_classes
    labels = np.asarray(labels)
    if labels.shape != (num_images,) or not np.isin(labels, range(num_classes)).all():
        raise UserError(
            f"Expected {num_images} labels from 0 to {num_classes - 1}. "
            f"Received: {labels.tolist()}"
        )
    return labels.astype(np.int32)


def interpolate_latents(
    start: np.ndarray, end: np.ndarray, num_frames: int
) -> np.ndarray:
    """Interpolates along the great circle from `start` to `end`: see `slerp`.

    Args:
        start: Float array `(count, latent_dim)`.
        end: Float array of the same shape.
        num_frames: Integer, 2 or more, both ends included.

    Returns:
        Float32 array `(num_frames, count, latent_dim)`.
    """
    if num_frames < 2:
        raise UserError(f"Expected 2 frames or more. Received: {num_frames}")
    fractions = np.linspace(0.0, 1.0, num_frames)
    frames = [slerp(start, end, fraction) for fraction in fractions]
    return np.stack(frames).astype(np.float32)


def slerp(
    start: np.ndarray, end: np.ndarray, fraction: float | np.ndarray
) -> np.ndarray:
    """Spherical linear interpolation: a fraction of the great circle's arc.

    A straight line between two Gaussian vectors passes through the middle,
    where the generator has seen almost no noise; the arc keeps the length.

    Args:
        start: Float array `(count, latent_dim)`.
        end: Float array of the same shape.
        fraction: Float, or float array `(count,)`, from 0 (start) to 1 (end).

    Returns:
        Float64 array `(count, latent_dim)`.

    Reference:
        [White, 2016](https://arxiv.org/abs/1609.04468), section 2
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    lengths = np.linalg.norm(start, axis=-1) * np.linalg.norm(end, axis=-1)
    cosine = np.clip((start * end).sum(-1) / lengths, -1.0, 1.0)
    angle = np.maximum(np.arccos(cosine), 1e-6)
    near, far = np.sin((1 - fraction) * angle), np.sin(fraction * angle)
    return (near[:, None] * start + far[:, None] * end) / np.sin(angle)[:, None]
