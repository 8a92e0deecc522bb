"""A hostile input: what it is, what writes it, and the command that is given it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEEP = "[" * 200_000
ESCAPES = "\x1b[2J\x9b2J\nganlab: done"  # clears the screen, then forges a line


@dataclass(frozen=True)
class Case:
    """One input and one command.

    Args:
        kind: The reader that it goes to.
        name: What it is, in words.
        write: Writes it into a folder.
        command: Words after `ganlab`, run in that folder.
        taken: Whether the input is odd but right, so that the command goes through.
        before: Lines of bash that run before it as root of namespaces of its own, which
            may mount; empty for none.
    """

    kind: str
    name: str
    write: Callable[[Path], None]
    command: tuple[str, ...]
    taken: bool = False
    before: str = ""
