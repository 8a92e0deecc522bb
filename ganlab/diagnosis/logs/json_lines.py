"""Which columns have JSON logs: a row a line, or Keras's History?

Reads `metrics.jsonl` of any trainer, StyleGAN's `stats.jsonl` and
`metric-fid50k_full.jsonl`, and one JSON document: a dict of lists, or a list of rows.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.diagnosis.logs import cells
from ganlab.diagnosis.logs.table import Column, Table
from ganlab.diagnosis.logs.text import read_text
from ganlab.safety.bounded import (
    MAX_JSON_BYTES,
    MAX_LINE,
    check_log,
    lines,
    parse_json,
)

SNAPSHOT = re.compile(r"(\d+)\.pkl$")


def read_lines(path: Path) -> Table:
    """The rows of a file with a JSON object a line."""
    return _as_table(_rows(read_text(path)))


def read_document(path: Path) -> Table:
    """The columns of a JSON document, or of its lines where it is none."""
    text = read_text(path)
    try:
        if len(text) > MAX_JSON_BYTES:
            raise ValueError("too long for one document")
        content = parse_json(text)
    except ValueError:
        return _as_table(_rows(text))
    if isinstance(content, dict):
        lists = {name: v for name, v in content.items() if isinstance(v, list)}
        return _as_table(_rows_of_lists(lists) if lists else [content])
    if isinstance(content, list):
        return _as_table(row if isinstance(row, dict) else None for row in content)
    return _as_table([None])


def _rows_of_lists(lists: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a dict of lists, without those that have ended."""
    shrinking = sorted(lists.items(), key=lambda item: len(item[1]), reverse=True)
    for row in range(len(shrinking[0][1])):
        while len(shrinking[-1][1]) <= row:
            shrinking.pop()
        yield {name: values[row] for name, values in shrinking}


def _rows(text: str) -> Iterator[Mapping[str, Any] | None]:
    """A dict of each line that is not blank; `None` of one that is no object."""
    for line in lines(text):
        if not line.strip():
            continue
        try:
            row = parse_json(line) if len(line) <= MAX_LINE else None
        except ValueError:
            row = None
        yield row if isinstance(row, dict) else None


def _as_table(rows: Iterable[Mapping[str, Any] | None]) -> Table:
    indices: dict[str, array[int]] = {}
    values: dict[str, array[float]] = {}
    unread: dict[str, int] = {}
    length = broken = numbers = 0
    for row in rows:
        if row is None:
            broken += 1
            continue
        for name, value in _flat(row):
            number = _number(value)
            if number is None:
                unread[name] = unread.get(name, 0) + 1
                continue
            indices.setdefault(name, array("q")).append(length)
            values.setdefault(name, array("d")).append(number)
            numbers += 1
        length += 1
        check_log(numbers, max(len(values), len(unread)))
    columns = {
        name: Column(
            np.array(indices.get(name, ()), np.int64),
            np.array(values.get(name, ()), np.float64),
            unread.get(name, 0),
        )
        for name in {**values, **unread}
    }
    return Table(columns, length + broken, broken)


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values: of `{num, mean, std}` the mean, of other dicts each."""
    for key, value in row.items():
        if type(value) in (float, int):
            yield prefix + key, value
        elif isinstance(value, dict):
            if "mean" in value and "num" in value:
                if value["num"] != 0:  # 0 measurements have no mean
                    yield prefix + key, value["mean"]
            elif prefix.count("/") < 4:
                yield from _flat(value, f"{prefix}{key}/")
        elif key == "snapshot_pkl" and isinstance(value, str):
            snapshot = SNAPSHOT.search(value)
            if snapshot:
                yield "snapshot_kimg", int(snapshot.group(1))
        elif isinstance(value, str):
            if not cells.is_missing(value):
                yield prefix + key, value
        elif value is not None and not isinstance(value, (bool, list)):
            yield prefix + key, value


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return cells.parse(value)
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return None
