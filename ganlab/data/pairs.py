"""Images with their sources: pairs of two folders, two domains, tasks made of one set.

pairs:A:B       two folders; equal names, whatever their suffix, are a source and its
                image
domains:A:B     two folders of which nothing belongs together
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.data.folder import FAMILIES, LINKS, open_folder
from ganlab.data.source import Source
from ganlab.data.streaming import ReadImages
from ganlab.data.tasks import Task, parse_task
from ganlab.errors import UserError
from ganlab.text import listed

SPECS = ("pairs:A:B", "domains:A:B", "task:NAME:SPEC", "emoji:google:twitter")


class MadeImages(ReadImages):
    """Images that are made of others when they are asked for.

    Args:
        images: Uint8 array, or what reads like one: see
            `ganlab.data.streaming.StreamedImages`.
        make: Function of images `(n, ...)` and their indices `(n,)`.
        channels: Integer: of what it makes.
    """

    def __init__(
        self,
        images: Any,
        make: Callable[[np.ndarray, np.ndarray], np.ndarray],
        channels: int,
    ) -> None:
        self.images = images
        self.make = make
        self.shape = (*images.shape[:-1], channels)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(self.images, np.ndarray):
            images, used = self.images[indices], indices
        else:
            images, used = self.images.read(indices)
        return self.make(images, used), used


def images_and_sources(images: Any, source: Source) -> tuple[Any, Any]:
    """The images of a source, and what they are to be made of, or `None`.

    Args:
        images: Uint8 array `(N, H, W, C)`, or what reads like one: all that was
            decoded.
        source: The source that it was decoded from.
    """
    channels = images.shape[-1]
    if isinstance(source.made_of, Task):
        task = source.made_of
        return images, MadeImages(images, task.sources, task.channels(channels))
    if source.pictures == 1:
        return images, None
    half = channels // 2
    if isinstance(images, np.ndarray):
        return images[..., half:], images[..., :half]
    return (
        MadeImages(images, lambda both, _: both[..., half:], half),
        MadeImages(images, lambda both, _: both[..., :half], half),
    )


def source_channels(spec: str, channels: int) -> int:
    """Channels of the sources that a SPEC names, of images of some channels.

    >>> source_channels("task:grey:folder:photos", 3), source_channels("pairs:a:b", 3)
    (1, 3)
    """
    scheme, _, rest = spec.partition(":")
    return parse_task(rest)[0].channels(channels) if scheme == "task" else channels


def open_pairs(rest: str) -> Source:
    """Opens two folders whose pictures of equal names belong together.

    Pictures without a counterpart are left out.

    Raises:
        UserError: if either cannot be read, or no name is in both.
    """
    folders, options = _two_folders("pairs", rest)
    first, second = (open_folder(f"{folder}{options}") for folder in folders)
    sources, images = _by_name(first, folders[0]), _by_name(second, folders[1])
    rows = [row for row, name in enumerate(images) if name in sources]
    if not rows:
        names = [next(iter(paths)) for paths in (sources, images)]
        raise UserError(
            f"Expected pictures of equal names in {folders[0]} and {folders[1]}. "
            f"Received: none, but {' and '.join(names)}; rename them, or choose "
            "domains:A:B"
        )
    left_out = [*first.left_out, *second.left_out]
    alone = sorted(sources.keys() ^ images.keys())
    if alone:
        left_out.append(f"{len(alone):,} without counterpart ({listed(alone)})")
    names = list(images)
    return Source(
        items=[
            (str(images[names[row]]), (sources[names[row]], images[names[row]]))
            for row in rows
        ],
        count=len(rows),
        labels=None,
        class_names=(),
        shape=_shared_shape(first, second),
        identity=f"pairs {first.identity} {second.identity}",
        left_out=tuple(dict.fromkeys(left_out)),
        families=None if second.families is None else second.families[rows],
        attribution=_joined_attribution(first, second),
        pictures=2,
    )


def open_domains(rest: str) -> Source:
    """Opens two folders of which nothing belongs together.

    Raises:
        UserError: if either cannot be read, or both are the same.
    """
    folders, options = _two_folders("domains", rest)
    if folders[0].resolve() == folders[1].resolve():
        raise UserError(
            f"Expected two folders. Received: {folders[0]} twice; name another"
        )
    sources, images = (open_folder(f"{folder}{options}") for folder in folders)
    return dataclasses.replace(
        images,
        made_of=sources,
        labels=None,
        class_names=(),
        shape=_shared_shape(sources, images),
        attribution=_joined_attribution(sources, images),
    )


def open_task(rest: str, open_source: Callable[[str], Source]) -> Source:
    """Opens the set that a task is made of.

    Args:
        rest: What follows `task:`.
        open_source: Opens the source of a SPEC.

    Raises:
        UserError: for a task or a SPEC that is unknown, or that has sources already.
    """
    task, spec = parse_task(rest)
    source = open_source(spec)
    if source.made_of is not None or source.pictures > 1:
        raise UserError(
            f"Expected one set of images for task:{task.name}. Received: {spec}, which "
            "has sources already; name one of its folders"
        )
    return dataclasses.replace(source, made_of=task)


def _two_folders(scheme: str, rest: str) -> tuple[list[Path], str]:
    """Two folders, whose names may hold colons, and the options after them."""
    options, folders = "", rest
    while option := next((o for o in (LINKS, FAMILIES) if folders.endswith(o)), ""):
        folders, options = folders.removesuffix(option), option + options
    parts = folders.split(":")
    for count in range(1, len(parts)):
        both = [
            Path(":".join(part)).expanduser() for part in (parts[:count], parts[count:])
        ]
        if all(folder.is_dir() for folder in both):
            return both, options
    raise UserError(
        f"Expected {scheme}:A:B, two folders that exist. Received: {scheme}:{rest}"
    )


def _by_name(source: Source, folder: Path) -> dict[str, Path]:
    """Each picture of a folder by its name there, without the suffix.

    Raises:
        UserError: if two pictures have the same.
    """
    paths: dict[str, Path] = {}
    for _, path in source.items:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in paths:
            raise UserError(
                f"Expected one picture of each name in {folder}. Received: {name} with "
                "two suffixes; remove one"
            )
        paths[name] = path
    return paths


def _shared_shape(sources: Source, images: Source) -> tuple[int, int, int]:
    """What both are brought to: the images' size, in colour where either is."""
    return (*images.shape[:2], max(sources.shape[2], images.shape[2]))


def _joined_attribution(sources: Source, images: Source) -> str:
    """Who made both, each once."""
    both = sources.attribution, images.attribution
    return "; ".join(dict.fromkeys(filter(None, both)))
