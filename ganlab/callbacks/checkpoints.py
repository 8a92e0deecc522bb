"""Saves checkpoints while training."""

from pathlib import Path

from ganlab.callbacks.periodic import Logs, PeriodicCallback
from ganlab.callbacks.run_state import RunState
from ganlab.runs import RunFolder


class Checkpoints(PeriodicCallback):
    """Saves the whole GAN every so many steps and keeps the newest checkpoints.

    A checkpoint is one `.keras` file with both networks, the averaged
    generator, both optimizers and the step. It is written under another name
    and then renamed, so that a crash leaves the last one whole: see
    `ganlab.checkpoints`. Where training ends between two of them, by a signal or for
    good, the one that is saved then goes when a resumed run saves the next.

    Args:
        directory: The run's folder.
        every: Integer: steps between checkpoints. One more is saved at the end.
        keep: Integer: number of newest checkpoints that are kept.
        run_state: The `RunState` that is kept in them, or `None`. The callbacks of it
            stand before this one.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        every: int = 500,
        keep: int = 3,
        run_state: RunState | None = None,
    ) -> None:
        super().__init__(every)
        self.folder = RunFolder(directory)
        self.keep = keep
        self.run_state = run_state

    def on_train_end(self, logs: Logs = None) -> None:
        self._save_last()  # with what was done at the end

    def run_at_end(self) -> None:
        if self._last_step not in (None, int(self.model.step.numpy())):
            self._save_last()

    def _save_last(self) -> None:
        """Saves where training ends, which may be between two checkpoints."""
        step = int(self.model.step.numpy())
        self._save(step, step != self._last_step or self.folder.is_passing(step))

    def run(self, step: int) -> None:
        self._save(step)

    def _save(self, step: int, passing: bool = False) -> None:
        """Saves a checkpoint; one that passes makes room for the next."""
        notes, arrays = ({}, {}) if self.run_state is None else self.run_state.collect()
        notes = {**notes, "passing": passing}
        self.folder.save_checkpoint(self.model.save, step, notes, arrays)
        self.folder.remove_passing_checkpoints(before=step)
        self.folder.remove_checkpoints(keep=self.keep)
