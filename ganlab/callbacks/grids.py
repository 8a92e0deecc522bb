"""What does the generator draw by now?"""

from ganlab import pictures
from ganlab.callbacks.periodic import Pictures


class SampleGrids(Pictures):
    """Draws the averaged generator's images for the same latents every time.

    A conditional GAN gets a row for each class, up to 20.

    Args:
        directory: The run's folder.
        every: Integer: steps between grids. One is drawn before the first
            step and one after the last.
        seed: Integer: seeds the latents.
        columns: Integer: images in a row.
        run_log: A `RunLog` that shows them in TensorBoard too, or `None`.
    """

    def __init__(self, directory, every=500, seed=0, columns=10, run_log=None):
        super().__init__(directory, every, seed, run_log)
        self.columns = columns

    def act(self, step):
        count, labels = pictures.grid_contents(self.model.num_classes, self.columns)
        images = self.model.sample(count, self.seed, labels)
        self.show(step, "samples", pictures.grid(images, self.columns))
