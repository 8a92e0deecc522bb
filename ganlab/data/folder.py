"""Images of a folder: which files are read, and which classes its sub-folders are."""

import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganlab.data.decoding import SUFFIXES, shape_of
from ganlab.data.sizes import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE
from ganlab.data.source import DEFAULT_SHAPE, Source, existing_folder
from ganlab.errors import UserError
from ganlab.text import listed, printable

SPLITS = {"test", "testing", "train", "training", "val", "valid", "validation"}
RECORDS = ("config.json", "card.json")  # of a run, and of an artifact
# Folders that programs leave behind; so are those that begin with . @ # or $.
JUNK = {"__macosx", "__pycache__", "lost+found"}
JUNK_FILES = {"thumbs.db", "desktop.ini"}
LINKS, FAMILIES = ":links", ":families"
ATTRIBUTION = "ATTRIBUTION"
MAX_ATTRIBUTION = 500
MAX_MEASURED = 1000  # pictures whose size is looked up


def open_folder(path: str) -> Source:
    """Opens a folder of images, whose sub-folders are classes where there are several.

    Each folder is read once, whatever links to it. Links that lead out of the folder
    are followed where `:links` is added to its path. Where `:families` is added, the
    folders that the pictures lie in are families, which are held out whole. A file
    called `ATTRIBUTION` says whose the pictures are. Hidden files, what programs leave
    behind, and runs and artifacts of ganlab are no images. Pictures that lie beside
    the class folders are left out where they are fewer than any class has.

    Raises:
        UserError: if there are no images, a link leads out of the folder, or the
            sub-folders are splits.
    """
    path, options = _options(path)
    folder, links = existing_folder(path), LINKS in options
    walk = _Walk(folder, links)
    if walk.outward:
        raise UserError(
            f"Expected a folder whose links stay within it. Received: {folder} with "
            f"{listed(sorted(walk.outward))}; to follow them write "
            f"folder:{folder}{LINKS}"
        )
    left_out = walk.left_out()
    attribution = folder / ATTRIBUTION
    if attribution in walk.files:
        walk.files.remove(attribution)
    files = [file for file in walk.files if file.suffix.lower() in SUFFIXES]
    others = Counter(
        file.suffix.lower() or "no suffix"
        for file in walk.files
        if file.suffix.lower() not in SUFFIXES
    )
    if others:
        suffixes = [
            suffix if len(others) == 1 else f"{count:,} {suffix}"
            for suffix, count in others.most_common()
        ]
        counts = listed(suffixes)
        left_out.append(f"{_files(others.total())} left out ({counts})")
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
        class_names=tuple(os.fsencode(name).decode(errors="replace") for name in names),
        shape=_shape(files),
        identity=f"{folder.resolve()} {identity!r}",
        left_out=tuple(left_out),
        families=_families(files) if FAMILIES in options else None,
        attribution=_read_attribution(attribution),
    )


def _shape(files: Sequence[Path]) -> tuple[int, int, int]:
    """What pictures are brought to: what they share, or else a square in colour.

    Many are looked at evenly spaced; those that cannot be read are passed over.
    """
    shapes = set()
    for file in files[:: -(-len(files) // MAX_MEASURED)]:
        with contextlib.suppress(Exception):
            shapes.add(shape_of(file))
    channels = max((shape[2] for shape in shapes), default=3)
    sizes = {shape[:2] for shape in shapes}
    size = sizes.pop() if len(sizes) == 1 else DEFAULT_SHAPE[:2]
    if not all(MIN_IMAGE_SIZE <= side <= MAX_IMAGE_SIZE for side in size):
        size = DEFAULT_SHAPE[:2]
    return *size, channels


def _options(path: str) -> tuple[str, set[str]]:
    """A path without the options at its end, and those; a folder of the name is one."""
    options: set[str] = set()
    while not Path(path).expanduser().is_dir():
        option = next((o for o in (LINKS, FAMILIES) if path.endswith(o)), None)
        if option is None:
            break
        path = path.removesuffix(option)
        options.add(option)
    return path, options


def _families(files: Sequence[Path]) -> np.ndarray:
    """The folder of each file, by its number."""
    numbers: dict[Path, int] = {}
    return np.array([numbers.setdefault(file.parent, len(numbers)) for file in files])


def _read_attribution(file: Path) -> str:
    """The text of a file as one line; empty where there is none."""
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        text = opened.read(4 * MAX_ATTRIBUTION).decode(errors="replace")
    return printable(" ".join(text.split()))[:MAX_ATTRIBUTION]


class _Walk:
    """The files below a folder.

    Args:
        folder: The folder.
        links: Boolean: whether links that lead out of it are followed.
    """

    def __init__(self, folder: Path, links: bool) -> None:
        self.files: list[Path] = []
        self.outward: list[str] = []
        self._runs: list[str] = []
        self._broken: list[str] = []
        self._hidden = 0
        root = folder.resolve()
        visited = {root}
        pending = [folder]
        while pending:
            current = pending.pop()
            for path in current.iterdir():
                name = str(path.relative_to(folder))
                if _is_junk(path):
                    self._hidden += _count_pictures(path)
                elif path.is_symlink() and not path.exists():
                    self._broken.append(name)
                elif not links and path.is_symlink() and _leads_out(path, root):
                    self.outward.append(name)
                elif path.is_dir():
                    if any((path / record).is_file() for record in RECORDS):
                        self._runs.append(name)
                    elif (resolved := path.resolve()) not in visited:
                        visited.add(resolved)
                        pending.append(path)
                elif path.is_file():
                    self.files.append(path)
        self.files.sort()

    def left_out(self) -> list[str]:
        """Phrases that say which files and folders are not among the files."""
        phrases = []
        if self._runs:
            what = "a run or an artifact" if len(self._runs) == 1 else "runs, artifacts"
            phrases.append(f"{listed(sorted(self._runs))} left out ({what})")
        if self._broken:
            broken = listed(sorted(self._broken))
            phrases.append(f"{_files(len(self._broken), 'link')} to nothing ({broken})")
        if self._hidden:
            phrases.append(f"{_files(self._hidden, 'hidden picture')} left out")
        return phrases


def _is_junk(path: Path) -> bool:
    """Whether programs left a file or a folder behind, or it is hidden."""
    name = path.name.lower()
    return name.startswith((".", "@", "#", "$")) or name in JUNK | JUNK_FILES


def _leads_out(link: Path, root: Path) -> bool:
    """Whether a link to a folder or a picture leads out of a folder."""
    target = link.resolve()
    pictorial = target.is_dir() or link.suffix.lower() in SUFFIXES
    return pictorial and not target.is_relative_to(root)


def _count_pictures(path: Path) -> int:
    """How many pictures a file is, or a folder holds."""
    names = [path.name]
    if path.is_dir():
        names = [] if path.is_symlink() else [file.name for file in path.iterdir()]
    return sum(name.lower().endswith(SUFFIXES) for name in names)


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
            f"{listed(names)}, which are splits; name one: folder:{folder / names[0]}"
        )
    strays = [file for file, part in zip(files, parts, strict=True) if len(part) == 1]
    if len(names) < 2:
        return files, []
    if strays and len(strays) >= min(counts.values()):
        left_out.append(
            f"{listed(names)} are no classes ({_files(len(strays))} lie beside them)"
        )
        return files, []
    if strays:
        stray_names = listed(sorted(file.name for file in strays))
        left_out.append(
            f"{_files(len(strays))} beside the classes left out ({stray_names})"
        )
    empty = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not any(path.iterdir())
    )
    if empty:
        left_out.append(f"empty folders left out ({listed(empty)})")
    return [file for file in files if file.parent != folder], names


def _files(count: int, noun: str = "file") -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _and(left_out: Sequence[str]) -> str:
    return f" ({', '.join(left_out)})" if left_out else ""
