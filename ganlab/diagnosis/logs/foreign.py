"""Is a log of another trainer understood well enough to be judged, and what is in it?

A log is judged by both losses or by FID. One of which most rows are no numbers, or
that stops long before its end, is not judged: it is never called healthy.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ganlab.config import legacy
from ganlab.diagnosis.evidence import MIN_VALUES
from ganlab.diagnosis.log import LOSSES, Log, Series
from ganlab.diagnosis.logs import columns
from ganlab.diagnosis.logs.table import Reading

MAX_UNREAD = 0.5  # of the rows or of a column's cells
MIN_REACH = 0.75  # of the log that a loss must reach
BELIEFS = ("d_real", "d_fake")


def as_log(source: Path, reading: Reading, chosen: Mapping[str, str]) -> Log:
    """The log that a foreign file or folder holds, under ganlab's names.

    Args:
        source: `Path` of the file or folder.
        reading: Its `Reading`.
        chosen: A dict from ganlab's names to columns, which the user chose.

    Raises:
        UserError: if it has no such columns.
    """
    chosen = {
        role: name for role, name in chosen.items() if role not in ("step", "seconds")
    }
    columns.check_columns(chosen, reading.series)
    by_role, problems = columns.assign(reading.series, chosen)
    series = _named(reading.series, by_role, problems)
    reason = _why_not(reading, series, by_role, problems)
    if reading.unread > MAX_UNREAD * reading.rows:
        series = {}  # the rest may be no fair part of the run
    return Log(
        source,
        series,
        reading.seconds,
        problems=[*reading.notes, *problems],
        foreign=True,
        not_judged=reason,
    )


def _named(
    series: Mapping[str, Series], by_role: Mapping[str, str], problems: list[str]
) -> dict[str, Series]:
    """Series by ganlab's names; columns that mean nothing here keep their own."""
    used = set(by_role.values())
    result = {name: values for name, values in series.items() if name not in used}
    result = dict(legacy.current_row(result))
    result |= {role: series[name] for role, name in by_role.items()}
    parts = [result.get(f"d_loss_{side}") for side in ("real", "fake")]
    real, fake = parts
    if "d_loss" not in result and real is not None and fake is not None:
        steps, at_real, at_fake = np.intersect1d(
            real.steps, fake.steps, return_indices=True
        )
        if len(steps):
            total = real.values[at_real] + fake.values[at_fake]
            result["d_loss"] = Series(steps, total)
            problems.append("d_loss is the sum of its parts for real and fake images")
    for name in BELIEFS:
        values = result[name].values if name in result else np.array([])
        if ((values < 0) | (values > 1)).any():
            del result[name]  # a logit or a loss, no probability
    for role, name in by_role.items():
        if role in columns.ROLES and name != role:
            problems.append(f"{role} is read from {name}")
    return result


def _why_not(
    reading: Reading,
    series: Mapping[str, Series],
    by_role: Mapping[str, str],
    problems: list[str],
) -> str:
    """Why the log cannot be judged, or an empty string."""
    if reading.unread > MAX_UNREAD * reading.rows:
        return f"{reading.unread} of {reading.rows} rows were not understood"
    unread = [
        f"{count} of {count + len(reading.series.get(name, ()))} cells of {name} "
        "are no numbers"
        for name in (by_role.get(role, role) for role in (*LOSSES, "fid"))
        if (count := reading.unread_cells.get(name, 0))
    ]
    problems += unread
    held = {
        name: len(series[name])
        for name in (*LOSSES, "fid")
        if name in series and len(series[name])
    }
    finite = [n for n in held if np.isfinite(series[n].values).any()]
    missing = [name for name in LOSSES if name not in held]
    if not reading.rows:
        return "no losses were logged: the log is empty"
    problems += [
        f"{name} holds no number that is finite"
        for name in LOSSES
        if name in series and name not in finite
    ]
    for name in LOSSES:
        column = by_role.get(name, name)
        count = reading.unread_cells.get(column, 0)
        if count > MAX_UNREAD * (count + held.get(name, 0)):
            return f"{count} cells of {column} were not understood"
    if missing and "fid" not in finite:
        names = columns.listed_columns(reading.series)
        what = "no losses" if len(missing) == len(LOSSES) else f"no {missing[0]}"
        return (
            f"{what} found among the columns {names}; name them with "
            f"--columns {','.join(f'{name}=COLUMN' for name in missing)}"
        )
    if max(held.values()) < MIN_VALUES:
        return f"only {max(held.values())} rows hold a loss or a score"
    last = max(values.steps[-1] for values in series.values() if len(values))
    for name in LOSSES:
        if name in held and series[name].steps[-1] < MIN_REACH * last:
            return f"{name} ends at step {series[name].steps[-1]:,} of {last:,}"
    return ""
