"""Which number does a cell of a log hold, in whatever form it was written?"""

import re
from collections.abc import Sequence

import numpy as np

from ganlab.diagnosis.logs.table import Column

MISSING = {"", "none", "null", "na", "n/a", "#n/a", "<na>", "-", "--"}
MAX_CELL = 300  # characters of a number, however it is written
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
SURELY_DECIMAL = re.compile(r"[-+]?(?:0?,\d+|\d*,(?:\d{1,2}|\d{4,}))(?:[eE][-+]?\d+)?")
# `tensor(1.3, device='cuda:0')`, `np.float32(1.3)`, `[1.3]`
WRAPPED = re.compile(
    rf"[\w.]*[(\[]+\s*({NUMBER})\s*[)\],].*", re.IGNORECASE | re.DOTALL
)
# `<tf.Tensor: shape=(), dtype=float32, numpy=1.3>`
TENSOR = re.compile(rf"<.*\bnumpy=({NUMBER})>", re.IGNORECASE | re.DOTALL)
UNQUOTED_TENSOR = re.compile(r"""(?<!["'])tensor\(([^,()]*)(?:,[^()"\n]*)?\)""")


def parse(text: str, *, decimal_comma: bool = False) -> float | None:
    """The number in a cell, NaN and infinities included, or `None` of any other text.

    >>> [parse(text) for text in ("1,000", "tensor(1.30, device='cuda:0')", "high")]
    [1000.0, 1.3, None]
    >>> parse("1,30", decimal_comma=True)
    1.3
    """
    if len(text) > MAX_CELL:
        return None
    text = text.strip().strip("'\"")
    if decimal_comma and DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    try:
        return float(text)
    except ValueError:
        pass
    if THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    wrapped = WRAPPED.fullmatch(text) or TENSOR.fullmatch(text)
    return float(wrapped.group(1)) if wrapped else None


def is_missing(text: str) -> bool:
    """Whether a cell says that it holds nothing."""
    return text.strip().lower() in MISSING


def as_column(cells: Sequence[str], separator: str = ",") -> Column:
    """The numbers in the cells of consecutive rows.

    Args:
        cells: The texts, one a row.
        separator: What parts cells; where it is no comma, a comma may be the
            decimal point, if some number of the column can only be read so.

    Returns:
        A `Column` without the rows whose cell is empty.
    """
    try:
        return Column(np.arange(len(cells)), np.fromiter(map(float, cells), np.float64))
    except ValueError:
        pass
    rows = [row for row, text in enumerate(cells) if text]
    held = [cells[row] for row in rows]
    try:
        return Column(np.array(rows, np.int64), np.array(list(map(float, held))))
    except ValueError:
        pass
    decimal = separator != "," and any(
        SURELY_DECIMAL.fullmatch(text.strip()) for text in held
    )
    kept, values, unread = [], [], 0
    for row, text in zip(rows, held, strict=True):
        number = parse(text, decimal_comma=decimal)
        if number is not None:
            kept.append(row)
            values.append(number)
        elif not is_missing(text):
            unread += 1
    return Column(np.array(kept, np.int64), np.array(values, np.float64), unread)
