"""What has a foreign log in it, before names and steps are understood?

Readers of files give a `Table`: columns by the names in the file, a number a row.
"""

from dataclasses import dataclass, field

import numpy as np

from ganlab.diagnosis.log import Series


@dataclass(frozen=True)
class Column:
    """The numbers of a column.

    Args:
        rows: Integer array `(n,)`, ascending: the rows that hold a number.
        values: Float64 array `(n,)`; NaN and infinities as they were written.
        unread: How many cells hold what is no number.
    """

    rows: np.ndarray
    values: np.ndarray
    unread: int = 0

    def shifted(self, rows: int) -> "Column":
        """The same, `rows` further down."""
        return Column(self.rows + rows, self.values, self.unread)


@dataclass(frozen=True)
class Table:
    """A log as a table.

    Args:
        columns: A dict from the names in the file to `Column`s.
        length: How many rows it has, those in `broken` included.
        broken: How many rows cannot be read.
        problems: Strings: what else could not be read.
    """

    columns: dict[str, Column]
    length: int
    broken: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """A log as series, by the names in the file.

    Args:
        series: A dict from names to `Series`.
        seconds: A `Series` of the seconds gone by, or `None`.
        rows: How many rows there are.
        unread: How many of them cannot be used.
        notes: Strings: how steps were counted, and what could not be read.
        unread_cells: A dict from names to how many cells are no number.
    """

    series: dict[str, Series]
    seconds: Series | None
    rows: int
    unread: int = 0
    notes: list[str] = field(default_factory=list)
    unread_cells: dict[str, int] = field(default_factory=dict)


def join(columns: list[Column]) -> Column:
    """Columns of consecutive blocks of rows as one."""
    return Column(
        np.concatenate([column.rows for column in columns]),
        np.concatenate([column.values for column in columns]),
        sum(column.unread for column in columns),
    )


def combine(readings: list[Reading]) -> Reading:
    """Logs of one run, each over its own steps, as one; the first log's times."""
    first, *others = readings
    for other in others:
        first = Reading(
            other.series | first.series,
            first.seconds,
            first.rows + other.rows,
            first.unread + other.unread,
            list(dict.fromkeys([*first.notes, *other.notes])),
            other.unread_cells | first.unread_cells,
        )
    return first
