"""The manifest of a folder of shards: what made them, and the SHA-256 of every file.

`manifest.json` is written when all shards are whole. Until then `progress.jsonl` holds
the job and a line for each shard that is.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ganlab.errors import UserError, one_line
from ganlab.files import append_line, write_text
from ganlab.provenance.marks import Mark
from ganlab.safety import bounded
from ganlab.shards.job import Job

MANIFEST, PROGRESS = "manifest.json", "progress.jsonl"
NAME = re.compile(r"samples-\d{5}-of-\d{5,6}\.(tar|tfrecord|parquet)", re.ASCII)
MAX_BYTES = 1 << 26

Entry = dict[str, Any]  # name, sha256, bytes, first, images


def entry_of(path: Path, written: Path, first: int, num_images: int) -> Entry:
    """What is said of a shard.

    Args:
        path: The file's name to be.
        written: The file that holds its bytes by now.
        first: Integer: index of its first sample.
        num_images: Integer: its samples.
    """
    return {
        "name": path.name,
        "sha256": _sha256(written),
        "bytes": written.stat().st_size,
        "first": first,
        "images": num_images,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def begin(folder: Path, job: Job) -> None:
    """Writes down the job, before any shard."""
    write_text(folder / PROGRESS, json.dumps({"job": job.as_json()}) + "\n")


def note(folder: Path, entry: Entry) -> None:
    """Writes down a shard that is whole."""
    append_line(folder / PROGRESS, json.dumps(entry))


def finish(folder: Path, job: Job, mark: Mark, entries: Iterable[Entry]) -> None:
    """Writes the manifest, and removes what was noted on the way."""
    content = {
        "provenance": json.loads(mark.json),
        "job": job.as_json(),
        "shards": sorted(entries, key=lambda entry: entry["name"]),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_text(folder / MANIFEST, text)
    (folder / PROGRESS).unlink(missing_ok=True)


def whole_shards(folder: Path, job: Job) -> dict[str, Entry]:
    """The shards of a job that a folder holds whole, by their names.

    Raises:
        UserError: if the folder is another job's, or nobody's.
    """
    earlier, entries = _noted(folder)
    wanted = json.loads(json.dumps(job.as_json()))
    if earlier != wanted:
        differing = [
            f"{name} {earlier.get(name)!r}, not {value!r}"
            for name, value in wanted.items()
            if earlier.get(name) != value
        ]
        raise UserError(
            f"Expected {folder} to be of the same job, to resume it. Received: one "
            f"with {'; '.join(differing[:3])}; name a new folder"
        )
    return {name: entry for name, entry in entries.items() if _is_whole(folder, entry)}


def _noted(folder: Path) -> tuple[dict[str, Any], dict[str, Entry]]:
    """The job of a folder and its shards by name, whether it is finished or not."""
    if (folder / MANIFEST).is_file():
        content = read(folder)
        return content["job"], {entry["name"]: entry for entry in content["shards"]}
    path = folder / PROGRESS
    try:
        text = bounded.read_bytes(path, MAX_BYTES).decode()
        first, *rest = list(bounded.lines(text))
        job = bounded.parse_json(first)["job"]
        entries = [bounded.parse_json(line) for line in rest if line.endswith("\n")]
        if not isinstance(job, dict):
            raise ValueError("a job that is no JSON object")
        return job, {entry["name"]: entry for entry in entries if _is_entry(entry)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected {PROGRESS} or {MANIFEST} in {folder}, to resume a job. "
            f"Received: {one_line(error)}; name a new folder, and leave --resume out"
        ) from error


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a folder: `job`, `provenance` and `shards`.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    path = folder / MANIFEST
    try:
        content = bounded.read_json(path, MAX_BYTES)
        if not all(
            isinstance(content[name], kind)
            for name, kind in (("job", dict), ("provenance", dict), ("shards", list))
        ) or not all(map(_is_entry, content["shards"])):
            raise ValueError("other values than a manifest's")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected a manifest of shards in {path}. Received: {one_line(error)}; "
            "sample the shards again"
        ) from error
    return dict(content)


def damaged(folder: Path) -> list[str]:
    """Names of the shards that are not what the manifest of a folder says.

    Raises:
        UserError: if there is no manifest, or it is damaged.
    """
    entries = read(folder)["shards"]
    return [entry["name"] for entry in entries if not _is_whole(folder, entry)]


def _is_entry(entry: Any) -> bool:
    """Whether it names a file of the folder itself, and no other."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and NAME.fullmatch(entry["name"]) is not None
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("bytes"), int)
    )


def _is_whole(folder: Path, entry: Entry) -> bool:
    path = folder / entry["name"]
    return bool(
        path.is_file()
        and path.stat().st_size == entry["bytes"]
        and _sha256(path) == entry["sha256"]
    )
