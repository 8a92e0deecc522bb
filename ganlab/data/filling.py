"""Decodes the images of a source into an array, and says which were left out."""

import contextlib
import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganlab.data.decoding import Decoded, decode, why_not
from ganlab.data.source import Source
from ganlab.errors import UserError
from ganlab.safety.limits import is_of_machine, usable_cores
from ganlab.text import listed

CHUNK = 256
Progress = Callable[[int, int], None]


class Filled(NamedTuple):
    """What became of a source.

    Args:
        images: The part of an array that was filled.
        labels: Its labels, or `None`.
        skipped: Names of the images that were skipped.
        notes: Phrases that say why, and how pixels were read.
    """

    images: np.ndarray
    labels: np.ndarray | None
    skipped: list[str]
    notes: list[str]


def fill(
    target: np.ndarray, source: Source, background: str, progress: Progress | None
) -> Filled:
    """Decodes a source into an array.

    Where all pictures of 16 bits hold less, such as the 12 of a camera, they are read
    once more by what they hold.

    Args:
        target: Uint8 array `(source.count, height, width, channels)`, which is filled.
        source: The source.
        background: See `ganlab.data.decoding.decode`.
        progress: `None`, or a function of `(images done, images in all)`.

    Raises:
        UserError: if no image can be read.
    """
    filled, bits = _fill_by(target, source, background, progress, 16)
    if 0 < bits < 16 and isinstance(source.items, Sequence):
        filled, _ = _fill_by(target, source, background, progress, bits)
        filled.notes.append(f"pixels of 16 bits hold {bits} and are read as such")
    return filled


def _fill_by(
    target: np.ndarray,
    source: Source,
    background: str,
    progress: Progress | None,
    bits: int,
) -> tuple[Filled, int]:
    """Decodes a source, and says how many bits its pictures of 16 hold; 0 of none."""
    height, width, channels = target.shape[1:]
    kept: list[int] = []
    skipped: dict[str, str] = {}
    most_bits = 0

    def decode_or_error(item: tuple[str, Any]) -> Decoded | Exception:
        try:
            return decode(item[1], (height, width, channels), bits, background)
        except Exception as error:  # Pillow's readers raise any
            if is_of_machine(error):
                raise
            return error

    items = iter(source.items)
    done = 0
    with _threads() as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused
        while chunk := list(itertools.islice(items, CHUNK)):
            results = pool.map(decode_or_error, chunk)
            for (name, _), result in zip(chunk, results, strict=True):
                if isinstance(result, Exception):
                    skipped[name] = why_not(result)
                else:
                    target[len(kept)] = result.pixels
                    most_bits = max(most_bits, result.bits)
                    kept.append(done)
                done += 1
            if progress is not None:
                progress(done, source.count)
    if not kept:
        first = next((f", the first {name} ({skipped[name]})" for name in skipped), "")
        raise UserError(
            f"Expected images that can be read. Received: {len(skipped)} that "
            f"cannot{first}"
        )
    labels = None if source.labels is None else source.labels[kept]
    notes = [_left_out(skipped)] if skipped else []
    return Filled(target[: len(kept)], labels, list(skipped), notes), most_bits


@contextlib.contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core; where the block raises, they are not waited for."""
    pool = ThreadPoolExecutor(usable_cores())
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _left_out(skipped: Mapping[str, str]) -> str:
    """How many images were skipped, the first of them, and why."""
    reasons = Counter(skipped.values()).most_common()
    counts = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
    noun = "image" if len(skipped) == 1 else "images"
    names = listed(Path(name).name for name in skipped)
    return f"{len(skipped):,} {noun} left out ({counts}: {names})"
