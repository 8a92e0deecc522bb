"""Saves grids of generated images while training."""

from pathlib import Path

from ganlab import pictures
from ganlab.callbacks.periodic import Logs, PictureCallback
from ganlab.callbacks.run_log import RunLog
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.provenance.marks import Mark


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
        attribution: Whose work the images are made from, for the text of the files.

    Raises:
        UserError: in `fit`, if the generator's samples are no images.
    """

    def __init__(
        self,
        directory: Path | str,
        every: int = 500,
        seed: int = 0,
        columns: int = 10,
        run_log: RunLog | None = None,
        attribution: str = "",
    ) -> None:
        super().__init__(directory, every, seed, run_log, Mark(attribution=attribution))
        self.columns = columns

    def on_train_begin(self, logs: Logs = None) -> None:
        shape = self.model.image_shape
        if not kinds.of_shape(shape).pictorial:
            raise UserError(
                "Expected a generator of images, with 1 to 4 channels, for "
                f"SampleGrids. Received: one of shape {shape}; leave the callback out"
            )
        super().on_train_begin(logs)

    def run(self, step: int) -> None:
        count, labels = pictures.grid_contents(self.model.num_classes, self.columns)
        images = self.model.sample(count, self.seed, labels)
        self.save_picture(step, "samples", pictures.grid(images, self.columns))
