"""Sizes of images: one integer for a square, or height and width."""

import re
from typing import TypeAlias

from ganlab.errors import UserError, as_integer

MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 16, 512  # pixels a side that networks are made for

ImageSize: TypeAlias = int | str | tuple[int, int]


def sides(size: ImageSize) -> tuple[int, int]:
    """Height and width in pixels.

    >>> sides(64), sides("48x96"), sides((48, 96))
    ((64, 64), (48, 96), (48, 96))

    Args:
        size: An integer, the side of a square; or height and width, as a pair of
            integers or as text `HEIGHTxWIDTH`.

    Raises:
        UserError: if it is neither, or a side is under 1.
    """
    parts: object = size
    if isinstance(size, str):
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*x\s*(\d{1,6}))?\s*", size)
        parts = match and [int(part) for part in match.groups() if part]
    elif as_integer(size) is not None:
        parts = [size]
    integers = (
        [as_integer(part) for part in parts]
        if isinstance(parts, list | tuple) and len(parts) in (1, 2)
        else [None]
    )
    lengths = [length for length in integers if length is not None and length >= 1]
    if len(lengths) < len(integers):
        raise UserError(
            "Expected an image size of 1 or more, the side of a square, or height and "
            f"width as 48x96. Received: {size!r}"
        )
    return lengths[0], lengths[-1]


def size_of(height: int, width: int) -> int | str:
    """The size as settings state it.

    >>> size_of(64, 64), size_of(48, 96)
    (64, '48x96')
    """
    return height if height == width else f"{height}x{width}"
