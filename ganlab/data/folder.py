"""Images of a folder: which files are read, and which classes its sub-folders are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ganlab.data.decoding import SUFFIXES
from ganlab.data.source import Source, existing_folder
from ganlab.errors import UserError

SPLITS = {"test", "testing", "train", "training", "val", "valid", "validation"}
RECORDS = ("config.json", "card.json")  # of a run, and of an artifact
# Folders that programs leave behind; so are those that begin with . @ # or $.
JUNK = {"__macosx", "__pycache__", "lost+found"}
JUNK_FILES = {"thumbs.db", "desktop.ini"}
MAX_LISTED = 5


def open_folder(path: str) -> Source:
    """Opens a folder of images, whose sub-folders are classes where there are several.

    Links to folders are followed, each folder once. Hidden files, what programs leave
    behind, and runs and artifacts of ganlab are no images. Pictures that lie beside
    the class folders are left out where they are fewer than any class has.

    Raises:
        UserError: if there are no images, or the sub-folders are splits.
    """
    folder = existing_folder(path)
    left_out: list[str] = []
    paths = list(_walk(folder, left_out))
    files = [file for file in paths if file.suffix.lower() in SUFFIXES]
    suffixes = [file.suffix.lower() for file in paths]
    others = [suffix for suffix in suffixes if suffix not in SUFFIXES]
    if others:
        left_out.append(f"{_files(len(others))} left out ({_listed(set(others))})")
    if not files:
        raise UserError(
            f"Expected images ({', '.join(SUFFIXES)}) in {folder}. Received: a "
            f"folder with none{_and(left_out)}; name the folder that holds them"
        )
    files, names = _classes(folder, files, left_out)
    labels = None
    if names:
        index = {name: label for label, name in enumerate(names)}
        labels = [index[file.relative_to(folder).parts[0]] for file in files]
    stats = [file.stat() for file in files]
    identity = [
        (file.relative_to(folder).parts, stat.st_size, stat.st_mtime_ns)
        for file, stat in zip(files, stats, strict=True)
    ]
    return Source(
        items=[(str(file), file) for file in files],
        count=len(files),
        labels=None if labels is None else np.array(labels, np.int32),
        class_names=tuple(names),
        shape=None,
        identity=f"{folder.resolve()} {identity!r}",
        left_out=tuple(left_out),
    )


def _walk(folder: Path, left_out: list[str]) -> Iterator[Path]:
    """Files below a folder in the order of their paths, without hidden ones."""
    visited = {folder.resolve()}
    pending = [folder]
    files = []
    while pending:
        current = pending.pop()
        for path in sorted(current.iterdir()):
            name = path.name.lower()
            if name.startswith((".", "@", "#", "$")) or name in JUNK:
                continue
            if path.is_dir():
                if any((path / record).is_file() for record in RECORDS):
                    name = str(path.relative_to(folder))
                    left_out.append(f"{name} left out (a run or an artifact)")
                elif path.resolve() not in visited:
                    visited.add(path.resolve())
                    pending.append(path)
            elif path.is_file() and name not in JUNK_FILES:
                files.append(path)
    yield from sorted(files)


def _classes(
    folder: Path, files: list[Path], left_out: list[str]
) -> tuple[list[Path], list[str]]:
    """The files that are read and their classes, none of fewer than two folders."""
    parts = [file.relative_to(folder).parts for file in files]
    counts = Counter(part[0] for part in parts if len(part) > 1)
    names = sorted(counts)
    if names and SPLITS.issuperset(name.lower() for name in names):
        raise UserError(
            f"Expected a folder of images or of classes. Received: {folder} with "
            f"{_listed(names)}, which are splits; name one: folder:{folder / names[0]}"
        )
    strays = [file for file, part in zip(files, parts, strict=True) if len(part) == 1]
    if len(names) < 2:
        return files, []
    if strays and len(strays) >= min(counts.values()):
        left_out.append(
            f"{_listed(names)} are no classes ({_files(len(strays))} lie beside them)"
        )
        return files, []
    if strays:
        stray_names = _listed(file.name for file in strays)
        left_out.append(
            f"{_files(len(strays))} beside the classes left out ({stray_names})"
        )
    empty = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not any(path.iterdir())
    )
    if empty:
        left_out.append(f"empty folders left out ({_listed(empty)})")
    return [file for file in files if file.parent != folder], names


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _listed(names: Iterable[str]) -> str:
    listed: Sequence[str] = sorted(name or "no suffix" for name in names)
    more = len(listed) - MAX_LISTED
    return ", ".join(listed[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _and(left_out: Sequence[str]) -> str:
    return f" ({', '.join(left_out)})" if left_out else ""
