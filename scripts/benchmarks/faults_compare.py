"""What differs between two run folders, apart from clocks; what a power loss leaves."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

LEFT_OUT_KEYS = {  # times, what is divided by them, and numbers of Python's objects
    "seconds",
    "elapsed",
    "bytes",  # of logs, in the notes of a checkpoint
    "tensorboard",  # likewise
    "images_per_second",
    "data_wait_share",
    "evaluation_seconds",
    "date_saved",
    "shared_object_id",
}
CLOCK_TAGS = ("images_per_second", "data_wait_share", "session")
DRAWN = ("report.html", "report.md", "report.json")  # from the log, speeds included
LEFT_OUT = {".lock"}


def differences(folder: Path, expected: Path) -> list[str]:
    """Names what differs, one phrase a file."""
    first, second = contents(folder), contents(expected)
    phrases = [f"{name}: missing" for name in sorted(second.keys() - first.keys())]
    phrases += [f"{name}: too much" for name in sorted(first.keys() - second.keys())]
    for name in sorted(first.keys() & second.keys()):
        if first[name] != second[name]:
            phrases.append(f"{name}: {_first_difference(first[name], second[name])}")
    return phrases


def contents(folder: Path) -> dict[str, Any]:
    """What a run folder holds, by relative path, apart from clocks."""
    values: dict[str, Any] = {}
    events = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name in LEFT_OUT:
            continue
        if name.startswith("tensorboard/"):
            events.append(path)
        else:
            values[name] = _content(path)
    values["tensorboard"] = _summaries(events)
    return values


def _content(path: Path) -> Any:
    if path.name in DRAWN:
        return "written"
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return [without_clocks(json.loads(line)) for line in lines]
    if path.suffix == ".json":
        return without_clocks(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return {name: _entry(archive, name) for name in archive.namelist()}
    return path.read_bytes()


def _entry(archive: zipfile.ZipFile, name: str) -> Any:
    content = archive.read(name)
    return without_clocks(json.loads(content)) if name.endswith(".json") else content


def without_clocks(value: Any) -> Any:
    """A JSON value without its left out keys, however deep."""
    if isinstance(value, dict):
        return {
            key: without_clocks(inner)
            for key, inner in value.items()
            if key not in LEFT_OUT_KEYS
        }
    if isinstance(value, list):
        return [without_clocks(inner) for inner in value]
    return value


def _summaries(paths: list[Path]) -> list[tuple[int, str, bytes]]:
    """Every summary of TensorBoard's files as `(step, tag, value)`, sorted."""
    from tensorboard.backend.event_processing.event_file_loader import (
        LegacyEventFileLoader,
    )

    rows = []
    for path in paths:
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if not any(word in value.tag for word in CLOCK_TAGS):
                    content = (value.tensor, value.image, value.histo)
                    parts = [part.SerializeToString() for part in content]
                    parts.append(repr(value.simple_value).encode())
                    rows.append((event.step, value.tag, b"|".join(parts)))
    return sorted(rows)


def _first_difference(first: Any, second: Any) -> str:
    """Where two contents differ first, in a few words."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            if key not in first or key not in second:
                return f"{key} is {'missing' if key in second else 'too much'}"
            if first[key] != second[key]:
                return f"{key}: {_first_difference(first[key], second[key])}"
    if isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            extra = [row for row in first if row not in second]
            lacking = [row for row in second if row not in first]
            return (
                f"{len(first)} rows instead of {len(second)}, too much "
                f"{_cut(extra)}, missing {_cut(lacking)}"
            )
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            if one != other:
                return f"row {index}: {_first_difference(one, other)}"
    if isinstance(first, bytes) and isinstance(second, bytes):
        return f"{len(first)} bytes differ from {len(second)}"
    return f"{_cut(first)} instead of {_cut(second)}"


def _cut(value: Any) -> str:
    text = repr(value[:2] if isinstance(value, list) else value)
    return text if len(text) < 160 else text[:160] + "..."


def lose_power(folder: Path, journal: Path) -> None:
    """Takes from a folder what a journal does not say has reached the disk.

    What was written after a file's last sync is cut off, and a file without any is
    removed; so is one whose new name is in no folder that was synced.
    """
    sizes: dict[str, int] = {}
    unnamed: set[str] = set()
    for line in journal.read_text(encoding="utf-8").splitlines():
        action, name, value = json.loads(line)
        if action == "renamed":
            sizes[value] = sizes.pop(name, 0)
            unnamed.add(value)
        else:
            sizes[name] = value
            unnamed = {path for path in unnamed if os.path.dirname(path) != name}
    for path in folder.resolve().rglob("*"):
        if not path.is_file():
            continue
        size = sizes.get(str(path))
        if size is None or str(path) in unnamed:
            path.unlink()
        elif path.stat().st_size > size:
            os.truncate(path, size)
