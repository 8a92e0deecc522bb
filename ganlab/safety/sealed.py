"""Zip files that state the SHA-256 of their own bytes, such as checkpoints.

The seal is the zip's comment, which stands at the end of the file: the SHA-256 of every
byte before its own digits. Keras and every other reader of zip files leave it alone.
"""

import functools
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.safety.bounded import parse_json

MARK = b"ganlab-sha256:"
DIGITS = 64
CHUNK = 1 << 20
NOTES, ARRAYS = "ganlab/notes.json", "ganlab/arrays.npz"
MAX_NOTES = 64 << 20  # bytes
BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, RuntimeError)


def seal(
    path: Path | str,
    notes: Mapping[str, Any] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Adds notes to a zip file, and then the hash of all its bytes.

    Args:
        path: A zip file that is not sealed, such as a `.keras` file.
        notes: JSON values by name, or `None`.
        arrays: Arrays of numbers by name, or `None`.
    """
    with zipfile.ZipFile(path, "a") as archive:
        if notes is not None:
            archive.writestr(NOTES, json.dumps(notes))
        if arrays:
            with archive.open(ARRAYS, "w", force_zip64=True) as file:
                np.savez(file, allow_pickle=False, **arrays)
        archive.comment = MARK + b"0" * DIGITS
    with open(path, "r+b") as file:
        digits = _digits(file, os.fstat(file.fileno()).st_size - DIGITS)
        file.seek(-DIGITS, os.SEEK_END)
        file.write(digits)


def damage(path: Path | str) -> str | None:
    """What is wrong with a sealed file, in a few words; `None` of a whole one.

    A zip file without a seal, as Keras writes it, is held to its own checksums.
    """
    path = Path(path)
    try:
        about = path.stat()
        return _damage(path, (about.st_mtime_ns, about.st_size, about.st_ino))
    except OSError as error:
        return error.strerror or type(error).__name__


@functools.lru_cache(maxsize=16)
def _damage(path: Path, version: tuple[int, ...]) -> str | None:
    """As `damage`, once for each version of a file."""
    if not path.is_file():
        return "no file"
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - DIGITS - len(MARK), 0))
        end = file.read()
        if end.startswith(MARK):
            file.seek(0)
            whole = _digits(file, size - DIGITS) == end[len(MARK) :]
            return None if whole else "its bytes are not those of its SHA-256"
    try:
        with zipfile.ZipFile(path) as archive:
            if NOTES in archive.namelist():
                return "its SHA-256 is cut off"
            broken = archive.testzip()
    except BROKEN as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None if broken is None else f"the checksum of {broken} differs"


def read_notes(path: Path | str) -> dict[str, Any]:
    """The notes of a sealed file; empty of a file without any.

    Raises:
        ValueError: for notes that are no JSON object, or longer than 64 MB.
        OSError: for a file that is no zip file or cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if NOTES not in archive.namelist():
                return {}
            if archive.getinfo(NOTES).file_size > MAX_NOTES:
                raise ValueError("notes of more than 64 MB")
            notes = parse_json(archive.read(NOTES).decode())
    except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise OSError(str(error)) from error
    if not isinstance(notes, dict):
        raise ValueError("notes that are no JSON object")
    return notes


def read_arrays(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a sealed file; empty of a file without any.

    Raises:
        ValueError, OSError: if they cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        if ARRAYS not in archive.namelist():
            return {}
        with archive.open(ARRAYS) as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)


def _digits(file: Any, count: int) -> bytes:
    """The SHA-256 of a file's first bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(0)
    while count > 0 and (chunk := file.read(min(CHUNK, count))):
        digest.update(chunk)
        count -= len(chunk)
    return digest.hexdigest().encode()
