"""Saves grids of generated images while training."""

from pathlib import Path

from ganlab import pictures
from ganlab.callbacks.periodic import PictureCallback
from ganlab.callbacks.run_log import RunLog


class SampleGrids(PictureCallback):
    """Saves the averaged generator's images of the same latents every time.

    A conditional GAN gets a row for each class, up to 20.

    Args:
        directory: The run's folder.
        every: Integer: steps between grids. One is saved before the first
            step and one after the last.
        seed: Integer: seeds the latents.
        columns: Integer: images in a row.
        run_log: A `RunLog` that shows the grids in TensorBoard too, or `None`.
    """

    def __init__(
        self,
        directory: Path | str,
        every: int = 500,
        seed: int = 0,
        columns: int = 10,
        run_log: RunLog | None = None,
    ) -> None:
        super().__init__(directory, every, seed, run_log)
        self.columns = columns

    def run(self, step: int) -> None:
        count, labels = pictures.grid_contents(self.model.num_classes, self.columns)
        images = self.model.sample(count, self.seed, labels)
        self.save_picture(step, "samples", pictures.grid(images, self.columns))
