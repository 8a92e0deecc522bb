"""What does the generator draw by now?"""

from pathlib import Path

from ganlab import samples
from ganlab.callbacks.periodic import Periodic


class SampleGrids(Periodic):
    """Draws the averaged generator's images for the same latents every time.

    A conditional GAN gets a row for each class, up to 20.

    Args:
        directory: Folder for `step-0000000.png` and so on.
        every: Integer: steps between grids. One is drawn before the first
            step and one after the last.
        seed: Integer: seeds the latents.
        columns: Integer: images in a row.
        run_log: A `RunLog` that shows them in TensorBoard too, or `None`.
    """

    def __init__(self, directory, every=500, seed=0, columns=10, run_log=None):
        super().__init__(every)
        self.directory = Path(directory)
        self.seed = seed
        self.columns = columns
        self.run_log = run_log

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.act(self._acted)

    def on_train_end(self, logs=None):
        self.act_at_end()

    def act(self, step):
        count, labels = samples.grid_contents(self.model.num_classes, self.columns)
        images = self.model.sample(count, self.seed, labels)
        pixels = samples.grid(images, self.columns)
        self.directory.mkdir(parents=True, exist_ok=True)
        picture = samples.as_picture(pixels)
        picture.save(self.directory / f"step-{step:07d}.png")
        if self.run_log is not None:
            self.run_log.picture(step, "samples", pixels)
