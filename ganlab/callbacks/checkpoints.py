"""Saves checkpoints while training."""

from pathlib import Path

from ganlab.callbacks.periodic import Logs, PeriodicCallback
from ganlab.runs import RunFolder


class Checkpoints(PeriodicCallback):
    """Saves the whole GAN every so many steps and keeps the newest checkpoints.

    A checkpoint is one `.keras` file with both networks, the averaged
    generator, both optimizers and the step. It is written under another name
    and then renamed, so that a crash leaves the last one whole.

    Args:
        directory: The run's folder.
        every: Integer: steps between checkpoints. One more is saved at the end.
        keep: Integer: number of newest checkpoints that are kept.
    """

    def __init__(
        self, directory: Path | str, *, every: int = 500, keep: int = 3
    ) -> None:
        super().__init__(every)
        self.folder = RunFolder(directory)
        self.keep = keep

    def on_train_end(self, logs: Logs = None) -> None:
        self.run_at_end()

    def run(self, step: int) -> None:
        self.folder.save_checkpoint(self.model.save, step)
        self.folder.remove_checkpoints(keep=self.keep)
