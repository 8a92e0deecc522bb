"""Which channels are colours, and how colours turn about grey."""

import math
from collections.abc import Callable
from typing import Any

from keras import ops


def on_colours(change: Callable[[Any], Any], images: Any) -> Any:
    """Changes the colours of images and leaves their opacity.

    Of 2 and 4 channels the last is opacity; any others are colours.

    Args:
        change: Function from `(batch, height, width, colours)` to the same.
        images: Float tensor `(batch, height, width, channels)`.
    """
    if images.shape[3] not in (2, 4):
        return change(images)
    return ops.concatenate([change(images[..., :-1]), images[..., -1:]], axis=3)


def luma(images: Any) -> Any:
    """The mean of the colours, `(batch, height, width, 1)`."""
    return ops.mean(images, axis=3, keepdims=True)


def rotate_about_grey(chroma: Any, angle: Any) -> Any:
    """Rotates colours about the grey axis (Rodrigues); `chroma` is orthogonal to it."""
    red, green, blue = ops.split(chroma, 3, axis=3)
    across = ops.concatenate([blue - green, red - blue, green - red], axis=3)
    return chroma * ops.cos(angle) + across * (ops.sin(angle) / math.sqrt(3.0))
