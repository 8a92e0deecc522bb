"""Applies an exported translator to pictures of any size, without TensorFlow.

Pictures are padded by reflection to the multiple that the network takes. Large ones
are translated in tiles: of each, only the part is kept that nothing beyond the tile
reaches, so that seams differ from the whole by rounding, and parts fade into each other
besides. onnxruntime, NumPy and Pillow only.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganlab import pictures
from ganlab.artifacts.artifact import FIX, open_model
from ganlab.artifacts.card import (
    FORMATS,
    SOURCES,
    Card,
    read_attribution,
    read_card,
)
from ganlab.data.decoding import parse_colour
from ganlab.errors import UserError, one_line
from ganlab.provenance.marks import COMPOSITE, Mark

TILE = 512  # pixels a side, or as many as the reach needs
FEATHER = 32  # pixels in which one tile fades into the next
MAX_MULTIPLE, MAX_REACH, MAX_ENLARGED = 512, 1024, 16


class PictureFilter:
    """An exported translator, loaded from its folder.

    Args:
        directory: Folder with `card.json` and `generator.onnx`.
        threads: Integer: those that compute; `None` for one a core.

    Raises:
        UserError: if a file is missing, differs from its hash in the card, or is no
            translator of what the card states.

    `source_channels` and `channels` are those of what it takes and makes; `enlarged`
    is how many times as large its pictures are; `background` is what is to lie under
    transparent ones.
    """

    def __init__(self, directory: Path | str, threads: int | None = None) -> None:
        directory = Path(directory)
        card = read_card(directory)
        self._read(card, directory)
        self._model = open_model(directory, card, "float32", threads)
        self.sha256 = str(card["files"][FORMATS["float32"]])
        self.attribution = read_attribution(card)
        stated = {SOURCES: self.source_channels}
        inputs = {name: shape[-1] for name, (shape, _) in self._model.inputs.items()}
        if inputs != stated or "images" not in self._model.outputs:
            raise UserError(
                f"Expected {directory} to take {stated} channels and to give images. "
                f"Received: {inputs}, {self._model.outputs}; {FIX}"
            )
        side = -(-(TILE // 2) // self.multiple) * self.multiple
        self._run(np.zeros((side, side, self.source_channels), np.uint8))

    def _read(self, card: Card, directory: Path) -> None:
        """Reads what a card states of sources and images, within limits."""
        try:
            sources, images = card["inputs"][SOURCES], card["outputs"]["images"]
            self.source_channels = _within(sources["shape"][-1], 4)
            self.channels = _within(images["shape"][-1], 4)
            self.multiple = _within(sources["multiple"], MAX_MULTIPLE)
            self.reach = _within(sources["reach"] + 1, MAX_REACH) - 1
            self.enlarged = _within(sources["enlarged"], MAX_ENLARGED)
            self.background = str(sources["background"])
            parse_colour(self.background)
            if sources["range"] != [-1, 1] or images["range"] != [-1, 1]:
                raise ValueError("other ranges than [-1, 1]")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(
                f"Expected the artifact of a translator. Received: {directory}, whose "
                f"card has no such sources ({one_line(error)}); export a run of "
                "--model translator"
            ) from error

    @property
    def mark(self) -> Mark:
        """What files say of this translator."""
        return Mark(
            generator=self.sha256, attribution=self.attribution, source_type=COMPOSITE
        )

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Translates one picture.

        Args:
            pixels: Uint8 array `(height, width, source_channels)` of any size.

        Returns:
            Uint8 array `(height, width, channels)`, `enlarged` times as large.
        """
        pixels = self.enlarge(pixels)
        height, width = pixels.shape[:2]
        margin = -(-self.reach // self.multiple) * self.multiple
        tile = max(TILE, 4 * (margin + FEATHER))
        tile = -(-tile // self.multiple) * self.multiple
        padding = [(0, -side % self.multiple) for side in (height, width)]
        padded = np.pad(pixels, [*padding, (0, 0)], "reflect")
        made = np.empty((*padded.shape[:2], self.channels), np.uint8)
        for top, bottom in _spans(padded.shape[0], tile, margin, self.multiple):
            for left, right in _spans(padded.shape[1], tile, margin, self.multiple):
                part = self._run(padded[top:bottom, left:right])
                _lay(made, part, top, left, margin)
        return made[:height, :width]

    def enlarge(self, pixels: np.ndarray) -> np.ndarray:
        """Enlarges a picture as sources were, where the translator sharpens those."""
        if self.enlarged == 1:
            return pixels
        size = pixels.shape[1] * self.enlarged, pixels.shape[0] * self.enlarged
        picture = pictures.as_picture(pixels)
        made = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
        return made.reshape(size[1], size[0], pixels.shape[-1])

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        """Translates a picture whose sides are multiples, as a whole; in [-1, 1]."""
        sources = (pixels[None] / np.float32(127.5) - 1).astype(np.float32)
        (made,) = self._model.run(["images"], {SOURCES: sources})
        shape = (1, *pixels.shape[:2], self.channels)
        if made.shape != shape or made.dtype != np.float32:
            raise UserError(
                f"Expected float32 images of shape {shape}. Received: {made.dtype} of "
                f"{made.shape}; {FIX}"
            )
        image: np.ndarray = made[0]
        return image


def _within(value: Any, most: int) -> int:
    """An integer of 1 to `most`.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{value!r} beyond 1 to {most}")
    return value


def _spans(
    length: int, tile: int, margin: int, multiple: int
) -> Iterator[tuple[int, int]]:
    """Tiles of a side, each overlapping the one before by two margins and a feather.

    >>> list(_spans(96, 192, 32, 16)), list(_spans(400, 192, 32, 16))
    ([(0, 96)], [(0, 192), (96, 288), (192, 384), (208, 400)])
    """
    start = 0
    while start + tile < length:
        yield start, start + tile
        start += (tile - 2 * margin - FEATHER) // multiple * multiple
        start = min(start, length - tile)
    yield start, min(start + tile, length)


def _lay(made: np.ndarray, part: np.ndarray, top: int, left: int, margin: int) -> None:
    """Lays a tile, without its inner margins, over those above and to its left."""
    height, width = (
        size if start + size == whole else size - margin
        for start, size, whole in zip(
            (top, left), part.shape[:2], made.shape[:2], strict=True
        )
    )
    part = part[:height, :width]
    weights = [
        _ramp(size, margin if start else 0, FEATHER if start else 0)
        for start, size in ((top, height), (left, width))
    ]
    weight = np.outer(*weights)[..., None].astype(np.float32)
    place = made[top : top + height, left : left + width]
    before = place / np.float32(127.5) - 1
    place[...] = pictures.to_uint8(before + weight * (part - before))


def _ramp(size: int, margin: int, feather: int) -> np.ndarray:
    """Weights of 0 within a margin, that rise to 1 over a feather.

    >>> _ramp(6, 2, 2).round(2).tolist()
    [0.0, 0.0, 0.33, 0.67, 1.0, 1.0]
    """
    return np.clip((np.arange(size) - margin + 1) / (feather + 1), 0, 1)
