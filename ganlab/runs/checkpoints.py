"""The checkpoints of a run: written whole with their hash, and read only if whole."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.config import legacy
from ganlab.errors import UserError
from ganlab.files import atomic_file
from ganlab.safety.bounded import read_json
from ganlab.safety.sealed import BROKEN, damage, read_notes, seal

STEP_FILE = re.compile(r"step-(\d+)")
LOGGER = logging.getLogger("ganlab")
Save = Callable[[Path], object]
Arrays = Mapping[str, np.ndarray]


class CheckpointFolder:
    """Names, writes, checks and removes the checkpoints of one run.

    A checkpoint is a `.keras` file with notes and a seal: see `ganlab.safety.sealed`.
    One that is damaged is named in a warning, set aside under the name of `.damaged`,
    and the one before it is used.

    Args:
        path: The run folder.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def best_checkpoint(self) -> Path:
        """The checkpoint of the smallest FID; its scores are in its notes."""
        return self.checkpoints / "best.keras"

    @property
    def best_picture(self) -> Path:
        """Images of the best checkpoint."""
        return self.checkpoints / "best.png"

    def checkpoint(self, step: int) -> Path:
        """Where the checkpoint of a step goes."""
        return self.checkpoints / f"step-{step:07d}.keras"

    def checkpoints_by_step(self) -> dict[int, Path]:
        """Checkpoints by step, in order; the best only under its own name."""
        return by_step(self.checkpoints.glob("step-*.keras"))

    def newest_checkpoint(self) -> Path | None:
        """The whole checkpoint of the last step, or `None`.

        Where none is whole but the best, it is the best.
        """
        for path in reversed(self.checkpoints_by_step().values()):
            if self._is_whole(path):
                return path
        return self.best_checkpoint if self._is_whole(self.best_checkpoint) else None

    def find_checkpoint(self, which: str = "newest") -> Path:
        """The newest or the best checkpoint that is whole.

        Args:
            which: `"newest"` or `"best"`.

        Raises:
            UserError: if there is none.
        """
        path: Path | None = self.best_checkpoint
        if which != "best":
            path = self.newest_checkpoint()
        elif not self._is_whole(self.best_checkpoint):
            path = None
        if path is None:
            fix = "the run was stopped before its first; go on with --resume"
            if which == "best":
                fix = "no step was scored; take the newest"
            raise UserError(
                f"Expected a whole checkpoint in {self.checkpoints}. Received: none; "
                f"{fix}"
            )
        return path

    def last_checkpoint_before(self, step: int) -> tuple[int, Path] | None:
        """The last whole checkpoint, the best included, of fewer than `step` steps.

        Returns:
            Its step and its path, or `None` if there is none.
        """
        paths = self.checkpoints_by_step()
        best = self.read_best()
        if best is not None and self.best_checkpoint.exists():
            paths[int(best["step"])] = self.best_checkpoint
        for known, path in sorted(paths.items(), reverse=True):
            if known < step and self._is_whole(path):
                return known, path
        return None

    def save_checkpoint(
        self,
        save: Save,
        step: int,
        notes: Mapping[str, Any] | None = None,
        arrays: Arrays | None = None,
    ) -> Path:
        """Writes the checkpoint of a step, whole or not at all.

        Args:
            save: Writes to the path that it is given, such as `gan.save`.
            step: Steps trained.
            notes: JSON values by name, which are kept in it.
            arrays: Likewise.

        Returns:
            The checkpoint's path.
        """
        path = self.checkpoint(step)
        with atomic_file(path) as temporary:
            save(temporary)
            seal(temporary, {"step": step, **(notes or {})}, arrays)
        return path

    def save_best(
        self,
        save: Save,
        record: Mapping[str, Any],
        notes: Mapping[str, Any] | None = None,
        arrays: Arrays | None = None,
    ) -> None:
        """Writes the best checkpoint with its record, whole or not at all.

        Args:
            save: Writes to the path that it is given, such as `gan.save`.
            record: `step`, `protocol`, `scores` and `details`.
            notes: JSON values by name, which are kept in it.
            arrays: Likewise.
        """
        notes = {"step": record["step"], "best": dict(record), **(notes or {})}
        with atomic_file(self.best_checkpoint) as temporary:
            save(temporary)
            seal(temporary, notes, arrays)

    def read_best(self) -> dict[str, Any] | None:
        """Step, protocol, scores and details of the best, or `None`."""
        older = self.best_checkpoint.with_suffix(".json")
        try:
            record = None
            if self._is_whole(self.best_checkpoint):
                record = read_notes(self.best_checkpoint).get("best")
            if record is None:
                if not older.is_file():
                    return None
                record = read_json(older)
            return legacy.current_record(record)
        except (*BROKEN, TypeError) as error:
            set_aside(older, " ".join(str(error).split()))
            return None

    def remove_checkpoints(self, keep: int = 0) -> None:
        """Removes all but the newest few; the best stays."""
        paths = list(self.checkpoints_by_step().values())
        for path in reversed(paths[: max(len(paths) - keep, 0)]):
            path.unlink(missing_ok=True)

    def is_passing(self, step: int) -> bool:
        """Whether the checkpoint of a step is there, and only until the next."""
        try:
            return bool(read_notes(self.checkpoint(step)).get("passing"))
        except BROKEN:
            return False

    def remove_passing_checkpoints(self, before: int) -> None:
        """Removes those of earlier steps that stay only until the next."""
        for step, path in self.checkpoints_by_step().items():
            if step < before and self.is_passing(step):
                path.unlink(missing_ok=True)

    def remove_checkpoints_after(self, step: int) -> None:
        """Removes those of later steps, the newest first; the best stays."""
        for later, path in reversed(self.checkpoints_by_step().items()):
            if later > step:
                path.unlink(missing_ok=True)

    def remove_all_checkpoints(self) -> None:
        """Removes the newest and the best."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def _is_whole(self, path: Path) -> bool:
        """Whether a checkpoint is there and whole; a damaged one is set aside."""
        if not path.exists():
            return False
        wrong = damage(path)
        if wrong is not None and path.exists():
            set_aside(path, wrong)
        return wrong is None


def set_aside(path: Path, wrong: str) -> None:
    """Warns of a damaged file, and renames it where that is allowed."""
    aside = path.with_name(f"{path.name}.damaged")
    moved = "left out"
    with contextlib.suppress(OSError):
        path.replace(aside)
        moved = f"set aside as {aside.name}"
    LOGGER.warning("%s is damaged (%s): %s", path, wrong, moved)


def by_step(paths: Iterable[Path]) -> dict[int, Path]:
    """Files named after a step, by step and in order."""
    matches = ((STEP_FILE.fullmatch(path.stem), path) for path in paths)
    return dict(sorted((int(match[1]), path) for match, path in matches if match))
