"""Saves grids of sources, what a translator makes of them, and the true images."""

from pathlib import Path

import numpy as np

from ganlab import pictures
from ganlab.callbacks.periodic import PictureCallback
from ganlab.callbacks.run_log import RunLog
from ganlab.provenance.marks import Mark

NUM_SOURCES, ROW = 16, 4


class TranslationGrids(PictureCallback):
    """Saves what the averaged generator makes of the same sources every time.

    A row holds 4 times a source, its translation and the true image, side by side.
    Without true images it holds 4 times the first two.

    Args:
        directory: The run's folder.
        sources: Uint8 array `(n, height, width, channels)`; 16 are translated.
        images: Uint8 array `(n, height, width, channels)`: what belongs to them, or
            `None`.
        every: Integer: steps between grids. One is saved before the first
            step and one after the last.
        run_log: A `RunLog` that shows the grids in TensorBoard too, or `None`.
        attribution: Whose work the images are made from, for the text of the files.
    """

    def __init__(
        self,
        directory: Path | str,
        sources: np.ndarray,
        images: np.ndarray | None = None,
        every: int = 500,
        run_log: RunLog | None = None,
        attribution: str = "",
    ) -> None:
        super().__init__(directory, every, 0, run_log, Mark(attribution=attribution))
        self.sources = sources[:NUM_SOURCES]
        self.images = None if images is None else images[:NUM_SOURCES]

    def run(self, step: int) -> None:
        parts = [self.sources, self.model.translate(self.sources)]
        if self.images is not None:
            parts.append(self.images)
        most = max(part.shape[-1] for part in parts)
        parts = [part if part.shape[-1] == most else _coloured(part) for part in parts]
        tiles = np.stack(parts, axis=1).reshape(-1, *parts[0].shape[1:])
        self.save_picture(step, "translations", pictures.grid(tiles, len(parts) * ROW))


def _coloured(images: np.ndarray) -> np.ndarray:
    """Grey pictures in three equal colours; opacity stays."""
    colours = np.repeat(images[..., :1], 3, axis=-1)
    return np.concatenate([colours, images[..., 1:]], axis=-1)
