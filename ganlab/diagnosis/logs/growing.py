"""Lines of a file that another process appends to, each read once."""

from pathlib import Path
from typing import NamedTuple

BLOCK_BYTES = 1 << 23
CHECKED_BYTES = 256  # before the position, by which a file is known again


class NewLines(NamedTuple):
    """What a file holds beyond what was read of it before.

    Args:
        lines: A list of strings: whole lines, without their ends.
        anew: Whether it is another file than before, so that these lines are its first.
    """

    lines: list[str]
    anew: bool


class GrowingFile:
    """Reads a file again and again, whole lines only.

    A file that was replaced, cut off or written anew is read from its start.

    Args:
        path: The file. It may be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = 0
        self._before = b""

    def read(self, *, to_end: bool = False) -> NewLines:
        """The next lines since the last call, a block of them; none if there are none.

        A line longer than a block comes in parts.

        Args:
            to_end: Whether text after the last end of a line counts as a line. It
                may be half a line that is being written.

        Raises:
            OSError: if the file is there and cannot be read.
        """
        content = self._bytes_from(self._position - len(self._before))
        anew = not content.startswith(self._before)
        if anew:
            content = self._bytes_from(0)
            self._position, self._before = 0, b""
        unread = content[len(self._before) :]
        taken = unread[: unread.rfind(b"\n") + 1]
        is_block = len(content) == BLOCK_BYTES
        if (to_end and not is_block) or (is_block and not taken):
            taken = unread
        self._position += len(taken)
        self._before = (self._before + taken)[-CHECKED_BYTES:]
        text = taken.decode("utf-8", errors="replace")
        return NewLines(text.removesuffix("\n").split("\n") if text else [], anew)

    def _bytes_from(self, position: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(position)
                return file.read(BLOCK_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return b""
