"""Which scalars are in TensorBoard's event files, read without TensorFlow?

A file is a sequence of records: length, its checksum, an `Event`, its checksum.
TensorBoard's own reader would import TensorFlow where that is installed.
"""

import io
import struct
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlab.diagnosis.log import MAX_STEP, Series
from ganlab.diagnosis.logs.steps import elapsed, make_series
from ganlab.diagnosis.logs.table import Reading
from ganlab.safety.bounded import check_log

PATTERN = "*tfevents*"
HEADER = struct.Struct("<QI")
FOOTER_BYTES = 4
MAX_RECORD_BYTES = 1 << 22
TAGS_OF_PICTURES = ("images", "image", "audio", "histograms", "text", "custom_scalars")


class _Part(NamedTuple):
    """What one file holds of a tag."""

    steps: "array[int]"
    values: "array[float]"
    times: "array[float]"


def read_events(folder: Path) -> Reading:
    """The scalars of all event files in a folder and its subfolders, or of one file.

    A tag has its subfolder in front where several folders hold events. Of one step
    the event of the newest file counts; a file that starts anew is counted on.
    """
    files = [folder]
    if not folder.is_file():
        files = sorted(file for file in folder.rglob(PATTERN) if file.is_file())
    several = len({file.parent for file in files}) > 1
    tags: dict[str, list[_Part]] = {}
    notes: list[str] = []
    rows = broken = 0
    for file in files:
        inside = file.parent.relative_to(folder).as_posix() if several else "."
        prefix = "" if inside == "." else inside + "/"
        parts: dict[str, _Part] = {}
        for step, time, tag, value in _scalars(file):
            rows += 1
            if value is None or not 0 <= step < MAX_STEP:
                broken += 1
                continue
            check_log(2 * (rows - broken), len(tags) + len(parts))
            name = prefix + tag
            if name not in parts:
                parts[name] = _Part(array("q"), array("d"), array("d"))
            part = parts[name]
            part.steps.append(step)
            part.values.append(value)
            part.times.append(time)
        for name, part in parts.items():
            tags.setdefault(name, []).append(part)
    series: dict[str, Series] = {}
    times: list[Series] = []
    counted_on = False
    for name, blocks in tags.items():
        steps, anew = _continued(blocks)
        counted_on |= anew
        series[name] = make_series(steps, _joined(block.values for block in blocks))
        times.append(make_series(steps, _joined(block.times for block in blocks)))
    if counted_on:
        notes.append("steps start anew in a later file: they are counted on")
    if broken:
        notes.append(f"{broken} events cannot be read, and are left out")
    seconds = elapsed(max(times, key=len)) if times else None
    return Reading(series, seconds, rows, broken, notes)


def _continued(parts: list[_Part]) -> tuple[np.ndarray, bool]:
    """The steps of a tag over its files, and whether a later one started anew."""
    first, anew = parts[0].steps[0], False
    blocks: list[np.ndarray] = []
    for part in parts:
        steps = np.array(part.steps, np.int64)
        if blocks and len(steps) > 1 and steps[0] <= first:
            highest = max(int(block.max()) for block in blocks)
            steps += highest + max(int(steps[1] - steps[0]), 1) - steps[0]
            anew = True
        blocks.append(steps)
    return np.concatenate(blocks), anew


def _joined(arrays: Iterable["array[float]"]) -> np.ndarray:
    return np.concatenate([np.array(values, np.float64) for values in arrays])


def _scalars(path: Path) -> Iterator[tuple[int, float, str, float | None]]:
    """Step, time, tag and value of each scalar; `None` of one that is damaged."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    for record in _records(path):
        try:
            event = Event.FromString(record)
        except DecodeError:
            yield 0, 0.0, "", None
            continue
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                yield event.step, event.wall_time, value.tag, value.simple_value
            elif kind == "tensor":
                number = _scalar(value)
                if number is not None:
                    yield event.step, event.wall_time, value.tag, number


def _records(path: Path) -> Iterator[bytes]:
    """The records of a file, which may end within one: it is being written."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while len(header := file.read(HEADER.size)) == HEADER.size:
            length, _ = HEADER.unpack(header)
            if length > size:
                return
            if length > MAX_RECORD_BYTES:  # a picture, for no scalar is as long
                if file.seek(length + FOOTER_BYTES, io.SEEK_CUR) > size:
                    return
                continue
            record = file.read(length)
            if len(record) < length or len(file.read(FOOTER_BYTES)) < FOOTER_BYTES:
                return
            yield record


def _scalar(value: Any) -> float | None:
    """The number of a summary that is a tensor, or `None` of any other tensor."""
    tensor, plugin = value.tensor, value.metadata.plugin_data.plugin_name
    if plugin in TAGS_OF_PICTURES or any(d.size != 1 for d in tensor.tensor_shape.dim):
        return None
    for numbers in (tensor.float_val, tensor.double_val, tensor.int_val):
        if len(numbers) == 1:
            return float(numbers[0])
    from tensorboard.compat.tensorflow_stub.dtypes import as_dtype

    try:
        dtype = np.dtype(as_dtype(tensor.dtype).as_numpy_dtype)
        if len(tensor.tensor_content) != dtype.itemsize or dtype.kind not in "fiu":
            return None
        return float(np.frombuffer(tensor.tensor_content, dtype)[0])
    except (KeyError, TypeError, ValueError):
        return None
