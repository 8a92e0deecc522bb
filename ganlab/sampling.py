"""Latents and labels for a seed, and interpolation between two latents.

NumPy only: training, export and `ganlab sample` have the same latents for a seed.
"""

import math
import numbers
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from ganlab.errors import UserError, as_integer

MAX_LISTED = 16
BLOCK = 64  # samples whose latents `draw_block` draws at once
COUNTER_BITS = 128  # of Philox's 256, for the numbers of one block

Shape = tuple[int, ...]


def draw_latents(
    num_images: int,
    latent_dim: int | Sequence[int],
    seed: int = 0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draws standard normal latents; more latents of a seed begin with fewer of it.

    Args:
        num_images: Integer, 1 or more.
        latent_dim: Integer, or the shape of one latent: the same numbers, in that
            shape. Several latents are drawn as one: see `split_latents`.
        seed: Integer, 0 or more.
        truncation: `None`, or a positive float `t`: each component becomes
            its counterpart in the normal distribution cut off at `-t` and
            `t`, which trades variety for fidelity.

    Returns:
        Float32 array `(num_images, latent_dim)`, or `(num_images, *shape)`.

    Reference:
        [Brock et al., 2018](https://arxiv.org/abs/1809.11096), section 3.1
    """
    sizes = latent_dim if np.iterable(latent_dim) else (latent_dim,)
    shape = [_whole(size, "latents of 1 component", 1) for size in sizes]
    num_images = _whole(num_images, "1 image", 1)
    generator = np.random.default_rng(_whole(seed, "a seed of 0", 0))
    return _draw(generator, (num_images, *shape), truncation)


def draw_block(
    block: int, latent_dim: int, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Draws the latents of samples `64 * block` to `64 * block + 63` of a seed.

    Counter-based: no block needs those before it, so that many processes share the
    samples of one seed. They are others than those of `draw_latents`.

    Args:
        block: Integer, 0 or more.
        latent_dim: Integer: components of one sample's latents.
        seed: Integer, 0 or more.
        truncation: See `draw_latents`.

    Returns:
        Float32 array `(64, latent_dim)`.

    Reference:
        [Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405), Philox
    """
    block = _whole(block, "a block of 0", 0)
    seed = _whole(seed, "a seed of 0", 0)
    bits = np.random.Philox(key=seed, counter=block << COUNTER_BITS)
    return _draw(np.random.Generator(bits), (BLOCK, latent_dim), truncation)


def _draw(
    generator: np.random.Generator, shape: Shape, truncation: float | None
) -> np.ndarray:
    if truncation is not None and (
        isinstance(truncation, bool)
        or not isinstance(truncation, numbers.Real)
        or not 0.0 < truncation < math.inf
    ):
        raise UserError(f"Expected a truncation above 0. Received: {truncation!r}")
    try:
        latents = generator.standard_normal(shape, dtype=np.float32)
    except (MemoryError, ValueError) as error:  # the latter beyond any address
        raise UserError(
            f"Expected samples that fit into memory. Received: {shape[0]:,}; draw "
            "fewer at a time, each part with a seed of its own"
        ) from error
    if truncation is not None:
        normal = NormalDist()
        tail = normal.cdf(-truncation)
        squeeze = np.vectorize(
            lambda z: normal.inv_cdf(tail + normal.cdf(z) * (1 - 2 * tail)),
            otypes=[np.float32],
        )
        latents = squeeze(latents)
    return latents


def _whole(value: int, expected: str, minimum: int) -> int:
    """An integer, NumPy's included, of a minimum or more, in 64 bits."""
    number = as_integer(value)
    if number is None or not minimum <= number < 2**63:
        limit = ", under 2^63" if number is not None and number >= minimum else ""
        raise UserError(f"Expected {expected} or more{limit}. Received: {value!r}")
    return number


def split_latents(
    latents: np.ndarray | Sequence[np.ndarray], shapes: Sequence[Shape]
) -> list[np.ndarray]:
    """Latents as a generator's inputs take them, from flat ones.

    Args:
        latents: Float array `(count, latent_dim)`, whose columns are cut in the order
            of the inputs. Or latents as they are: one array of the only input's
            shape, or a list of an array for each input.
        shapes: Shape of each input, without the batch.

    Returns:
        A list of float32 arrays `(count, *shape)`.

    Raises:
        UserError: for latents of other shapes.

    >>> first, second = split_latents(np.arange(6.0)[None], [(2,), (2, 2)])
    >>> first.tolist(), second.tolist()
    ([[0.0, 1.0]], [[[2.0, 3.0], [4.0, 5.0]]])
    """
    shapes = [tuple(shape) for shape in shapes]
    parts = latents if isinstance(latents, (list, tuple)) else [latents]
    try:
        arrays = [np.asarray(part, np.float32) for part in parts]
    except (TypeError, ValueError):  # no numbers
        arrays = [np.asarray(latents, object)]
    counts = {len(array) if array.ndim else 0 for array in arrays}
    if len(counts) == 1 and min(counts) > 0:
        if [array.shape[1:] for array in arrays] == shapes:
            return arrays
        sizes = [math.prod(shape) for shape in shapes]
        if len(arrays) == 1 and arrays[0].shape[1:] == (sum(sizes),):
            parts = np.split(arrays[0], np.cumsum(sizes)[:-1], axis=1)
            return [
                part.reshape(len(part), *shape)
                for part, shape in zip(parts, shapes, strict=True)
            ]
    expected = ", ".join(str(("batch", *shape)).replace("'", "") for shape in shapes)
    raise UserError(
        f"Expected latents of shape {expected}. Received: "
        f"{', '.join(str(array.shape) for array in arrays)}; ganlab.draw_latents "
        "draws them"
    )


def draw_inputs(
    num_images: int, shapes: Sequence[Shape], num_classes: int | None, seed: int = 0
) -> list[np.ndarray]:
    """What a generator takes for a seed: its latents, and each class in turn.

    Args:
        num_images: Integer, 1 or more.
        shapes: Shape of each latent input, without the batch.
        num_classes: Integer; 0 or `None` without classes.
        seed: Integer, 0 or more.

    Returns:
        A list of a float32 array `(num_images, *shape)` for each shape and, with
        classes, int32 labels `(num_images,)`.
    """
    size = sum(math.prod(shape) for shape in shapes)
    inputs = split_latents(draw_latents(num_images, size, seed), shapes)
    labels = optional_labels(num_images, num_classes)
    return inputs if labels is None else [*inputs, labels]


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
        UserError: for labels of another number, type or range.
    """
    if labels is None:
        return np.arange(num_images, dtype=np.int32) % num_classes
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of different lengths
        array = np.asarray(labels, object)
    if (
        array.shape != (num_images,)
        or array.dtype.kind not in "iu"
        or array.min(initial=0) < 0
        or array.max(initial=0) >= num_classes
    ):
        received = array.tolist()
        if array.size > MAX_LISTED:
            received = f"{array.dtype} labels of shape {array.shape}"
            if array.dtype.kind in "iuf":
                received += f" from {array.min()} to {array.max()}"
        raise UserError(
            f"Expected {num_images} labels from 0 to {num_classes - 1}, integers. "
            f"Received: {received}"
        )
    return array.astype(np.int32)


def given_labels(
    num_images: int,
    num_classes: int | None,
    labels: Sequence[int] | np.ndarray | None,
) -> np.ndarray | None:
    """Checks that there are labels if, and only if, a generator takes them.

    Args:
        num_images: Integer.
        num_classes: Integer; 0 or `None` without classes.
        labels: See `class_labels`.

    Returns:
        Int32 array `(num_images,)`, or `None` without classes.

    Raises:
        UserError: for missing or wrong labels, or any where there are no classes.
    """
    if num_classes and labels is None:
        raise UserError(
            f"Expected {num_images} labels from 0 to {num_classes - 1}, integers. "
            "Received: none; pass one for each image"
        )
    return optional_labels(num_images, num_classes, labels)


def optional_labels(
    num_images: int,
    num_classes: int | None,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray | None:
    """As `given_labels`, but by default each class in turn."""
    if num_classes:
        return class_labels(num_images, num_classes, labels)
    if labels is not None:
        raise UserError(
            "Expected no labels, for the generator takes noise alone. "
            f"Received: {np.size(labels)}; leave them out"
        )
    return None


def interpolate_latents(
    start: np.ndarray, end: np.ndarray, num_frames: int
) -> np.ndarray:
    """Interpolates along the great circle from `start` to `end`: see `slerp`.

    Args:
        start: Float array `(count, latent_dim)`; flat, whatever the generator takes.
        end: Float array of the same shape.
        num_frames: Integer, 2 or more, both ends included.

    Returns:
        Float32 array `(num_frames, count, latent_dim)`.
    """
    num_frames = _whole(num_frames, "2 frames", 2)
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
