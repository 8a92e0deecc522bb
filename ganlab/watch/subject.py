"""What is watched: a run's folder or another trainer's log, as far as it is there."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ganlab.diagnosis.log import Log
from ganlab.diagnosis.logs import events
from ganlab.diagnosis.logs.reading import find_files, read
from ganlab.diagnosis.logs.run import RunReader, is_run
from ganlab.runs import RunFolder

Stamp = tuple[tuple[str, int, int, int], ...]


class Subject:
    """A run's folder or another trainer's log, which may not be there yet.

    Args:
        path: Where it is, or will be.
        columns: See `ganlab.diagnosis.read`.
    """

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.columns = dict(columns or {})
        self._reader: RunReader | None = None

    @property
    def folder(self) -> RunFolder | None:
        """The run's folder, or `None` of another trainer's log."""
        return None if self._reader is None else self._reader.folder

    def stamp(self) -> Stamp:
        """What tells whether the log is another than before.

        Returns:
            Name, time, size and number of every file that is read; an empty tuple
            where there is nothing to read yet.

        Raises:
            UserError: if it is no log, or a folder with several.
        """
        return _stamp(self._files())

    def read(self) -> Log:
        """The log as it is by now; see `ganlab.diagnosis.read`."""
        if self._reader is not None:
            return self._reader.read()
        return read(self.path, self.columns)

    def _files(self) -> Iterable[Path]:
        folder = self.folder
        if folder is not None and not (folder.holds_run() or folder.holds_log()):
            self._reader = None
        if self._reader is None and not self.columns and is_run(self.path):
            self._reader = RunReader(self.path)
        folder = self.folder
        if folder is None:
            files = find_files(self.path)
            if files and files[0].is_dir():
                return sorted(files[0].rglob(events.PATTERN))
            return files
        if not folder.holds_log():
            return []
        # A folder's own time tells of files that were replaced in it.
        return [
            *(folder.metrics, folder.path, folder.samples),
            *(folder.checkpoints, folder.trials),
        ]


def _stamp(files: Iterable[Path]) -> Stamp:
    entries = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        entries.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(entries)
