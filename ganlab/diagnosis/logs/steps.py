"""At which step was each row of a foreign log written?

The column may be missing, restart each epoch or where a file was appended to, run
backwards, or have fractions.
"""

import itertools
from collections.abc import Mapping

import numpy as np

from ganlab.diagnosis.log import MAX_STEP, Series
from ganlab.diagnosis.logs import columns
from ganlab.diagnosis.logs.table import Column, Reading, Table

FACTORS = {"thousands of images": 1000}
UNITS = {"thousands of images": "images"}
MAX_DECIMALS = 6
MIN_FRACTIONAL = 0.1  # of the rows: fewer are rounding
MIN_COVERED = 0.5  # of the rows a column of steps must hold


def as_reading(table: Table, chosen: Mapping[str, str]) -> Reading:
    """A table as series over steps.

    Args:
        table: A `Table`.
        chosen: A dict from ganlab's names to columns, which the user chose.
    """
    notes = list(table.problems)
    candidates = columns.step_column(table.columns)
    name, unit, steps = _steps(table, candidates, chosen, notes)
    if table.broken:
        notes.append(f"{table.broken} rows cannot be read, and are left out")
    usable = np.isfinite(steps) & (steps >= 0) & (steps < MAX_STEP)
    unusable = int((~usable).sum())
    if unusable:
        notes.append(f"{unusable} rows without a whole step are left out")
    steps = _whole(steps, usable, name, unit, notes)
    steps[usable] = _continued(steps[usable], notes)
    if unit not in ("steps", "rows"):
        notes.append(f"steps are counted in {UNITS.get(unit, unit)}")
    counters = {name, *(other for other, _ in candidates)}
    time = chosen.get("seconds") or columns.seconds_column(table.columns)
    series = {
        other: _series(column, steps, usable)
        for other, column in table.columns.items()
        if other not in counters | {time} or other in chosen.values()
    }
    series.pop(name or "", None)
    seconds = None
    if time is not None and time in table.columns:
        seconds = elapsed(_series(table.columns[time], steps, usable))
    unread = {other: column.unread for other, column in table.columns.items()}
    rows = table.length
    return Reading(series, seconds, rows, unusable + table.broken, notes, unread)


def elapsed(times: Series) -> Series | None:
    """Seconds since the first, or `None` of what does not rise all along."""
    times = times.finite()
    if not len(times) or (np.diff(times.values) < 0).any():
        return None
    start = times.values[0] if times.values[0] > 1e8 else 0.0  # a date
    return Series(times.steps, times.values - start)


def make_series(steps: np.ndarray, values: np.ndarray) -> Series:
    """A `Series` of rows in any order; of one step the last counts."""
    if len(steps) and (np.diff(steps) <= 0).any():
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        last = np.append(np.diff(steps) > 0, True)
        steps, values = steps[last], values[last]
    values = values.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return Series(steps.astype(np.int64), values)


def _steps(
    table: Table,
    candidates: list[tuple[str, str]],
    chosen: Mapping[str, str],
    notes: list[str],
) -> tuple[str | None, str, np.ndarray]:
    """The column of steps, what it counts, and its values, NaN where there is none."""
    count = table.length - table.broken
    if "step" in chosen:
        units = dict(candidates)
        if chosen["step"] in table.columns:  # else another file of the log has it
            candidates = [(chosen["step"], units.get(chosen["step"], "steps"))]
    for name, unit in candidates:
        column = table.columns[name]
        held = len(column.rows) + column.unread
        if held >= MIN_COVERED * count or "step" in chosen:
            steps = np.full(count, np.nan)
            steps[column.rows] = column.values
            return name, unit, steps
    if count:
        notes.append("no column counts steps: rows are counted instead")
    return None, "rows", np.arange(1, count + 1, dtype=np.float64)


def _whole(
    steps: np.ndarray,
    usable: np.ndarray,
    name: str | None,
    unit: str,
    notes: list[str],
) -> np.ndarray:
    """Whole steps: fractions of many rows are parts of a unit that is counted."""
    steps = steps * FACTORS.get(unit, 1)
    held = steps[usable]
    if not len(held) or (held % 1 != 0).mean() <= MIN_FRACTIONAL or unit in FACTORS:
        return np.asarray(np.floor(steps))
    for decimals in range(1, MAX_DECIMALS + 1):
        scaled = held * 10**decimals
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            break
    notes.append(f"{name} has fractions: steps are counted in {10**-decimals:g} of it")
    return np.asarray(np.round(steps * 10**decimals))


def _continued(steps: np.ndarray, notes: list[str]) -> np.ndarray:
    """Steps that go on where the column starts anew.

    Where more steps fall than start anew, rows are out of order and left as they are.
    """
    changes = np.diff(steps)
    falls = np.flatnonzero(changes < 0)
    if not len(falls):
        return steps
    if (changes > 0).sum() < len(falls):
        return steps  # the newest first: nothing starts anew
    spacing = float(np.median(changes[changes > 0])) if (changes > 0).any() else 1.0
    lowest = np.minimum.accumulate(steps)
    restarts = falls[steps[falls + 1] < lowest[falls] + spacing]
    if len(restarts) < len(falls) / 2:
        return steps
    result = steps.copy()
    bounds = [*restarts + 1, len(steps)]
    highest = steps[: bounds[0]].max()
    for start, end in itertools.pairwise(bounds):
        result[start:end] += highest + spacing - steps[start]
        highest = max(highest, result[start:end].max())
    times = "once" if len(restarts) == 1 else f"{len(restarts)} times"
    notes.append(f"steps start anew {times}: they are counted on")
    return result


def _series(column: Column, steps: np.ndarray, usable: np.ndarray) -> Series:
    kept = usable[column.rows]
    return make_series(steps[column.rows[kept]], column.values[kept])
