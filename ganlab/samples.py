"""What is drawn for a seed, and how is it shown?

NumPy and Pillow only: training, export, `ganlab sample` and the server draw
the same latents for the same seed and write the same pictures.

Images are uint8 arrays `(count, height, width, channels)`.
"""

from pathlib import Path
from statistics import NormalDist

import numpy as np
from PIL import Image

from ganlab.errors import UserError

MIN_TILE = 56
GAP = 2
MAX_ROWS = 20
PICTURES = (".png", ".npz", "")
ANIMATIONS = (".gif", ".webp")


def draw_latents(num_images, latent_dim, seed=0, truncation=None):
    """Draws standard normal latents; a longer draw begins with a shorter one.

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
    check_draw(num_images, seed)
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


def check_draw(num_images, seed):
    """Raises `UserError` for a count under 1 or a seed under 0."""
    if num_images < 1:
        raise UserError(f"Expected 1 image or more. Received: {num_images}")
    if seed < 0:
        raise UserError(f"Expected a seed of 0 or more. Received: {seed}")


def class_labels(num_images, num_classes, labels=None):
    """Checks the labels to draw, or gives each class in turn.

    Args:
        num_images: Integer.
        num_classes: Integer.
        labels: Integers `(num_images,)` from 0 to `num_classes - 1`, or `None`.

    Returns:
        Int32 array `(num_images,)`.
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


def grid_contents(num_classes, columns):
    """What a grid shows: a row for each class, up to 20, or else a square.

    Args:
        num_classes: Integer, 0 or `None` for noise alone.
        columns: Integer: images in a row.

    Returns:
        The number of images, and int32 labels or `None`.
    """
    if not num_classes:
        return columns * columns, None
    classes = np.arange(min(num_classes, MAX_ROWS), dtype=np.int32)
    return len(classes) * columns, classes.repeat(columns)


def interpolate_latents(start, end, num_frames):
    """Walks along the great circle from `start` to `end`: see `slerp`.

    Args:
        start: Float array `(count, latent_dim)`.
        end: Float array of the same shape.
        num_frames: Integer, 2 or more, both ends included.

    Returns:
        Float32 array `(num_frames, count, latent_dim)`.
    """
    if num_frames < 2:
        raise UserError(f"Expected 2 frames or more. Received: {num_frames}")
    steps = np.linspace(0.0, 1.0, num_frames)
    return np.stack([slerp(start, end, step) for step in steps]).astype(np.float32)


def slerp(start, end, share):
    """The point of the great circle that is a share of the way along.

    A straight line between two Gaussian vectors passes through the middle,
    where the generator has seen almost no noise; the arc keeps the length.

    Args:
        start: Float array `(count, latent_dim)`.
        end: Float array of the same shape.
        share: Float, or float array `(count,)`, from 0 (start) to 1 (end).

    Returns:
        Float64 array `(count, latent_dim)`.

    Reference:
        [White, 2016](https://arxiv.org/abs/1609.04468), section 2
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    lengths = np.linalg.norm(start, axis=-1) * np.linalg.norm(end, axis=-1)
    cosine = np.clip((start * end).sum(-1) / lengths, -1.0, 1.0)
    angle = np.maximum(np.arccos(cosine), 1e-6)
    near, far = np.sin((1 - share) * angle), np.sin(share * angle)
    return (near[:, None] * start + far[:, None] * end) / np.sin(angle)[:, None]


def to_uint8(images):
    """Maps floats in [-1, 1] to uint8, values beyond clipped.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 2.0])).tolist()
    [0, 128, 255, 255]
    """
    pixels = (np.asarray(images, np.float32) + 1.0) * 127.5
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def grid(images, columns=None):
    """Lays images out in rows on one canvas, small ones enlarged.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        columns: Integer, or `None` for a nearly square grid.

    Returns:
        Uint8 array `(height, width, channels)`.
    """
    count, height, width, channels = images.shape
    columns = min(count, columns or int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    scale = max(1, -(-MIN_TILE // max(height, width)))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    step_y, step_x = height * scale + GAP, width * scale + GAP
    canvas = np.full(
        (rows * step_y + GAP, columns * step_x + GAP, channels), 255, np.uint8
    )
    for index, image in enumerate(images):
        top, left = divmod(index, columns)
        top, left = top * step_y + GAP, left * step_x + GAP
        canvas[top : top + height * scale, left : left + width * scale] = image
    return canvas


def as_picture(pixels):
    """Turns a uint8 array `(height, width, channels)` into a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save(images, path, labels=None, columns=None):
    """Writes images as one grid, as a folder of PNG files or as an array.

    Args:
        images: Uint8 array `(count, height, width, channels)`.
        path: A `.png` file for a grid, a `.npz` file with `images` and, where
            there are any, `labels`, or a folder for one PNG file an image.
        labels: Integer array `(count,)`, or `None`.
        columns: Integer: columns of the grid.

    Raises:
        UserError: if `path` has another suffix, or is a folder with files.
    """
    path = check_output(path)
    if path.suffix == ".png":
        path.parent.mkdir(parents=True, exist_ok=True)
        as_picture(grid(images, columns)).save(path)
    elif path.suffix == ".npz":
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {"images": images}
        if labels is not None:
            arrays["labels"] = labels
        np.savez_compressed(path, **arrays)
    else:
        path.mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(images):
            name = f"{index:05d}"
            if labels is not None:
                name += f"-class{labels[index]}"
            as_picture(image).save(path / f"{name}.png")


def check_output(path, suffixes=PICTURES):
    """Returns `path`, or raises `UserError` if nothing may be written there."""
    path = Path(path)
    if path.suffix not in suffixes:
        expected = ", ".join(suffix or "a folder" for suffix in suffixes)
        raise UserError(f"Expected an output of {expected}. Received: {path}")
    if path.is_dir() and (path.suffix or any(path.iterdir())):
        raise UserError(
            f"Expected a new or empty output. Received: the folder {path}, which "
            "has files; name another"
        )
    return path


def save_animation(frames, path):
    """Writes grids as an animated GIF or WebP that loops there and back.

    Args:
        frames: Uint8 array `(frames, count, height, width, channels)`.
        path: A `.gif` or `.webp` file.
    """
    path = check_output(path, ANIMATIONS)
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [as_picture(grid(frame)) for frame in frames]
    pictures += pictures[-2:0:-1]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=60, loop=0
    )
