"""Which states of the run can be gone back to?"""

import os
from pathlib import Path

from ganlab.callbacks.periodic import Periodic


class Checkpoints(Periodic):
    """Saves the whole GAN every so many steps and keeps the newest.

    A checkpoint is one `.keras` file with both players, the averaged
    generator, both optimizers and the step. It is written under another name
    and then renamed, so that a crash leaves the last one whole.

    Args:
        directory: Folder for `step-0000500.keras` and so on.
        every: Integer: steps between checkpoints. One more is saved at the end.
        keep: Integer: how many of the newest are kept.
    """

    def __init__(self, directory, *, every=500, keep=3):
        super().__init__(every)
        self.directory = Path(directory)
        self.keep = keep

    def on_train_end(self, logs=None):
        self.act_at_end()

    def act(self, step):
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"step-{step:07d}.keras"
        partial = self.directory / "partial.keras"
        self.model.save(partial)
        os.replace(partial, path)
        for old in sorted(self.directory.glob("step-*.keras"))[: -self.keep]:
            old.unlink()
