"""What a data SPEC names: images that are listed, and decoded one by one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.data.tasks import Task
from ganlab.errors import UserError

DEFAULT_SHAPE = (64, 64, 3)  # of images that share none


@dataclass(frozen=True)
class Source:
    """Images that are listed, and decoded one by one.

    Args:
        items: Pairs of a name and an image: a uint8 array `(H, W[, C])`, the
            path of a file or the bytes of one.
        count: Integer: the number of items.
        labels: Int32 array `(count,)`, complete once the items have been read,
            or `None`.
        class_names: A name for each class.
        shape: `(H, W, C)`: what images are brought to where nothing else is asked for,
            their own where they share one.
        identity: What changes when the images do.
        left_out: Phrases that say what lies there and is not among the items.
        families: Integer array `(count,)`: items of one number are held out together;
            or `None`.
        attribution: Who made the images, and their licence; empty where it is not
            said.
        array: The images of all items as one uint8 array `(count, H, W, C)`, where
            they are one, or `None`.
        pictures: Integer: 2 where an item is a pair of paths, a source's and that of
            the image that is made of it; otherwise 1.
        made_of: Another set, of which nothing belongs to an image; the
            `ganlab.data.tasks.Task` that makes sources; or `None`.
    """

    items: Iterable[tuple[str, Any]]
    count: int
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    identity: str
    left_out: tuple[str, ...] = ()
    families: np.ndarray | None = None
    attribution: str = ""
    array: np.ndarray | None = None
    pictures: int = 1
    made_of: "Source | Task | None" = None


def existing_folder(name: str) -> Path:
    """The path of a folder.

    Raises:
        UserError: if it is none.
    """
    return _existing(name, "folder", Path.is_dir)


def existing_file(name: str) -> Path:
    """The path of a file.

    Raises:
        UserError: if it is none.
    """
    return _existing(name, "file", Path.is_file)


def spec_of_path(path: Path) -> str | None:
    """The SPEC that reads an existing path, or `None` if none does."""
    if path.is_dir():
        names = [file.name for file in path.iterdir()]
        return f"{'idx' if any('idx3' in name for name in names) else 'folder'}:{path}"
    return f"npz:{path}" if path.is_file() and path.suffix == ".npz" else None


def file_identity(file: Path) -> str:
    """What changes when a file does."""
    stat = file.stat()
    return f"{file.resolve()} {stat.st_size} {stat.st_mtime_ns}"


def _existing(name: str, kind: str, check: Callable[[Path], bool]) -> Path:
    path = Path(name).expanduser()
    if check(path):
        return path
    received = str(path)
    if path.exists():
        received = f"the {'folder' if path.is_dir() else 'file'} {path}"
        spec = spec_of_path(path)
        received += "" if spec is None else f"; write {spec}"
    raise UserError(f"Expected a {kind} that exists. Received: {received}")
