"""Which columns has a CSV file, whatever wrote it?

Separators `,` `;` tab, `|` and blanks; UTF-8 with or without BOM, UTF-16; empty
cells; header lines repeated by appending, also with other columns; no header.
"""

import csv
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from ganlab.diagnosis.logs import cells
from ganlab.diagnosis.logs.table import Column, Table, join
from ganlab.errors import UserError
from ganlab.safety.bounded import MAX_LINE, MAX_LOG_BYTES, check_log, lines, read_bytes

SEPARATORS = ",;\t|"
BLOCK_ROWS = 65536
BLOCK_CELLS = 1_000_000
MIN_BLOCK_COST = 20  # rows whose numbers take what a block takes without any
BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
MIN_REPEATED_NAMES = 2  # of a header line within the file


def read_text(path: Path) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without a BOM.

    What is no text becomes U+FFFD; NUL characters are left out.

    Raises:
        UserError: if it is larger than a log may be.
    """
    try:
        content = read_bytes(path, MAX_LOG_BYTES)
    except ValueError as error:
        raise UserError(
            f"Expected a log of {MAX_LOG_BYTES:,} bytes at most. Received: {path} with "
            "more; leave out rows or columns"
        ) from error
    encoding = BOMS.get(content[:2], "utf-8")
    head = content[:200]
    if encoding == "utf-8" and len(head) > 3:
        for parity, other in ((1, "utf-16-le"), (0, "utf-16-be")):
            if not any(head[parity::2]) and all(head[1 - parity :: 2]):
                encoding = other
    text = content.decode(encoding, errors="replace")
    return text.removeprefix("\ufeff").replace("\0", "")


def read_csv(path: Path) -> Table:
    """The columns of a CSV file."""
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n").lstrip("\n #")
    if "tensor(" in text:  # its commas part no cells
        text = cells.UNQUOTED_TENSOR.sub(r"\1", text)
    separator = _separator(text.split("\n", 1)[0])
    parts: dict[str, list[Column]] = {}
    length = broken = numbers = 0
    problems: list[str] = []
    for header, rows in _blocks(_records(text, separator, problems)):
        numbers += len(header) * max(len(rows), MIN_BLOCK_COST)
        check_log(numbers, len(parts.keys() | set(header)))
        kept = [row for row in rows if not any(map(str.strip, row[len(header) :]))]
        broken += len(rows) - len(kept)
        columns = itertools.zip_longest(*kept, fillvalue="")
        for name, texts in zip(header, columns, strict=False):
            column = cells.as_column(texts, separator).shifted(length)
            parts.setdefault(name, []).append(column)
        for name in header:
            parts.setdefault(name, [cells.as_column(())])
        length += len(kept)
    columns_by_name = {name: join(blocks) for name, blocks in parts.items() if name}
    return Table(columns_by_name, length + broken, broken, problems)


def _separator(header: str) -> str:
    """The separator of a header line: the most frequent one."""
    best = max(SEPARATORS, key=header.count)
    if best in header:
        return best
    return " " if " " in header.strip() else ","


def _records(text: str, separator: str, problems: list[str]) -> Iterator[list[str]]:
    """The cells of each row, whose lines a quote may join, up to one without an end."""
    taken = 0

    def limited() -> Iterator[str]:
        nonlocal taken
        for line in lines(text):
            taken += len(line)
            if taken > MAX_LINE:
                raise csv.Error(f"a row of more than {MAX_LINE:,} characters")
            yield line

    reader = csv.reader(
        limited(), delimiter=separator, skipinitialspace=separator == " "
    )
    try:
        for record in reader:
            taken = 0
            yield record
    except csv.Error as error:
        problems.append(f"the file breaks off ({error})")


def _taken(records: Iterator[list[str]]) -> list[list[str]]:
    """The next block of rows, of few rows where they are long."""
    rows: list[list[str]] = []
    cells_taken = 0
    for record in itertools.islice(records, BLOCK_ROWS):
        rows.append(record)
        cells_taken += len(record)
        if cells_taken > BLOCK_CELLS:
            break
    return rows


def _blocks(
    reader: Iterator[list[str]],
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Pairs of a header and rows under it; no rows for a file of a header alone."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        first = next(reader, None)
        if first is None:
            return
        header = _unique(first)
        if all(cells.parse(text) is not None for text in first):
            header = [str(number + 1) for number in range(len(first))]
            yield header, [first]
        yield header, []
        names = set(header)
        while rows := _taken(reader):
            start = 0
            for index, row in enumerate(rows):
                if not names.isdisjoint(row) and _is_header(row, names):
                    yield header, [row for row in rows[start:index] if row]
                    header, start = _unique(row), index + 1
            yield header, [row for row in rows[start:] if row]
    finally:
        csv.field_size_limit(limit)


def _is_header(row: list[str], names: set[str]) -> bool:
    """Whether a row within the file names columns."""
    repeated = sum(text.strip() in names for text in row)
    numbers = any(cells.parse(text) is not None for text in row)
    return repeated >= min(MIN_REPEATED_NAMES, len(names)) and not numbers


def _unique(header: list[str]) -> list[str]:
    """Names of columns without blanks around them; of a repeated one the first."""
    names = [text.strip().strip("'\"") for text in header]
    first = {name: column for column, name in reversed(list(enumerate(names)))}
    return [name if first[name] == column else "" for column, name in enumerate(names)]
