"""Resizing and channel counts of float images, for networks that need others."""

import numpy as np
from PIL import Image

from ganlab.errors import UserError
from ganlab.pictures import composited


def resized(images: np.ndarray, size: int, resample: Image.Resampling) -> np.ndarray:
    """Resizes float images a channel at a time, without rounding to 8 bits.

    Args:
        images: Float32 array `(n, height, width, channels)`.
        size: Integer: side of the results.
        resample: A filter of Pillow.

    Returns:
        Float32 array `(n, size, size, channels)`.
    """
    if images.shape[1:3] == (size, size):
        return images
    return np.stack(
        [
            np.stack(
                [
                    np.asarray(Image.fromarray(channel).resize((size, size), resample))
                    for channel in np.moveaxis(image, -1, 0)
                ],
                axis=-1,
            )
            for image in images
        ]
    )


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Repeats grey images for a network of colours; lays opacity on white.

    Args:
        images: Float32 array `(n, height, width, channels)` in [-1, 1].
        channels: Integer: what the network takes.

    Raises:
        UserError: if images of colours meet a network of grey ones.
    """
    if images.shape[-1] == channels:
        return images
    images = composited(images, 1.0)
    if images.shape[-1] == channels:
        return images
    if images.shape[-1] == 1:
        return images.repeat(channels, axis=-1)
    raise UserError(
        f"Expected images of {channels} channels for these features. Received: "
        f"{images.shape[-1]}; choose others with --features"
    )
