"""The log of a run: series of numbers by step, events and facts.

A log comes from a run folder, or from a CSV file of any trainer with the columns
`step,d_loss,g_loss` and, where there are any, `seconds,fid`.
"""

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.config import legacy
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError
from ganlab.runs import RunFolder

COLUMNS = ("step", "d_loss", "g_loss")
FACTS = ("num_images", "class_names", "class_counts", "held_out", "data_kind")
MAX_STEP = 2**53


@dataclass(frozen=True)
class Series:
    """One number over the run.

    Args:
        steps: Integer array `(n,)`, ascending.
        values: Float64 array `(n,)`; NaN where it was not finite.
    """

    steps: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)

    def finite(self) -> "Series":
        """The same without values that are not finite."""
        kept = np.isfinite(self.values)
        return Series(self.steps[kept], self.values[kept])

    def since(self, step: float) -> "Series":
        """The part at `step` and later."""
        kept = self.steps >= step
        return Series(self.steps[kept], self.values[kept])

    def until(self, step: float) -> "Series":
        """The part up to `step`."""
        kept = self.steps <= step
        return Series(self.steps[kept], self.values[kept])


@dataclass(frozen=True)
class Log:
    """The log of one run.

    Args:
        source: `Path` of the run folder or the file.
        series: A dict from a name to a `Series`.
        seconds: `Series` of the seconds gone by, or `None`.
        events: A list of dicts with `step` and `event`.
        settings: The fields of recipe and monitoring; of a script's run its loss
            alone, and empty of a foreign log.
        facts: Those of `FACTS` that the run states.
        problems: Strings: what could not be read.
        foreign: Whether another trainer wrote it.
    """

    source: Path
    series: dict[str, Series]
    seconds: Series | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    foreign: bool = False

    @property
    def data_kind(self) -> DataKind:
        """The kind of data that the run trains on."""
        return kinds.of_record(self.facts.get("data_kind"), self.settings.get("data"))

    @property
    def last_step(self) -> int:
        """The last step that anything was logged of; 0 of an empty log."""
        steps = [series.steps[-1] for series in self.series.values() if len(series)]
        return int(max(steps, default=0))

    def get(self, name: str, minimum: int = 1) -> Series | None:
        """The finite part of a `Series`, or `None` of fewer than `minimum` values."""
        series = self.series.get(name)
        if series is None:
            return None
        series = series.finite()
        return series if len(series) >= minimum else None

    def last(self, name: str, count: int = 1) -> float | None:
        """Median of the last few finite values, or `None`."""
        series = self.get(name)
        return None if series is None else float(np.median(series.values[-count:]))

    def events_of(self, name: str) -> list[dict[str, Any]]:
        """The events of a name, in order."""
        return [event for event in self.events if event["event"] == name]

    def new_settings(self, changes: Mapping[str, Any] | None) -> dict[str, Any]:
        """Those of the changes that mean something here and are not made already."""
        return {
            name: value
            for name, value in (changes or {}).items()
            if self.data_kind.applies(name) and self.settings.get(name, value) != value
        }


def read(path: Path | str) -> Log:
    """Reads a run folder or a CSV file.

    Returns:
        A `Log`. What could not be read stands in its `problems`.

    Raises:
        UserError: if it is neither, or a file without the columns.
    """
    path = Path(path)
    if path.is_dir():
        return _read_run(path)
    if path.suffix == ".csv" and path.is_file():
        return _read_csv(path)
    raise UserError(
        f"Expected a run folder or a .csv file with {','.join(COLUMNS)}. "
        f"Received: {path}"
    )


def _read_run(directory: Path) -> Log:
    folder = RunFolder(directory)
    if not folder.holds_run() and not folder.holds_log():
        raise UserError(
            f"Expected a run folder, with {folder.config.name} or "
            f"{folder.metrics.name}. Received: {directory}; make one with "
            "`ganlab train --out DIR`"
        )
    problems: list[str] = []
    config, settings = _read_config(folder, problems)
    if not folder.holds_log():
        problems.append(f"there is no {folder.metrics.name}: the run logged nothing")
    rows, events, broken = [], [], 0
    for line in folder.read_metrics():
        row = _parse_line(line)
        if row is None:
            broken += 1
        elif "event" in row:
            events.append(row)
        else:
            rows.append(row)
    if broken:
        problems.append(
            f"{broken} lines of {folder.metrics.name} cannot be read, and are left out"
        )
    for event in events:
        if event["event"] == "began" and not folder.holds_run():
            settings = {"loss": event.get("loss")}
    series, seconds = _as_series(rows)
    facts = {name: config.get(name) for name in FACTS}
    problems += _missing_losses(series)
    return Log(directory, series, seconds, events, settings, facts, problems)


def _read_config(
    folder: RunFolder, problems: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run's config, and its settings; empty where there is none."""
    if not folder.holds_run():
        return {}, {}
    try:
        config = folder.read_config()
        return config, config["recipe"] | config["monitoring"]
    except (KeyError, TypeError, ValueError) as error:
        problems.append(f"{folder.config.name} cannot be read ({error})")
        return {}, {}


def _parse_line(line: str) -> dict[str, Any] | None:
    """A line as a dict with a step, or `None`."""
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    step = row.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < MAX_STEP:
        return None
    if "event" in row and not isinstance(row["event"], str):
        return None
    return legacy.current_row(row)


def _read_csv(path: Path) -> Log:
    problems: list[str] = []
    rows, broken = [], 0
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader((line.replace("\0", "") for line in file), strict=False)
        try:
            names = [str(name).strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            missing = [name for name in COLUMNS if name not in names]
            if names and missing:
                raise UserError(
                    f"Expected the columns {','.join(COLUMNS)} in {path}. Received: "
                    f"{','.join(names)[:120]}; rename or add {', '.join(missing)}"
                )
            for cells in reader:
                row = _parse_cells(cells)
                if row is None:
                    broken += 1
                else:
                    rows.append(row)
        except csv.Error as error:
            problems.append(f"the file breaks off ({error})")
    if broken:
        problems.append(f"{broken} rows without a whole step are left out")
    series, seconds = _as_series(rows)
    problems += _missing_losses(series)
    return Log(path, series, seconds, problems=problems, foreign=True)


def _parse_cells(cells: Mapping[Any, Any]) -> dict[str, Any] | None:
    """A CSV row as floats; an empty cell is left out, any other word is NaN."""
    row = {}
    for name, text in cells.items():
        if name is None or not isinstance(text, str) or not text.strip():
            continue
        try:
            row[name] = float(text)
        except ValueError:
            row[name] = math.nan
    step = row.pop("step", math.nan)
    if not (math.isfinite(step) and 0 <= step < MAX_STEP):
        return None
    return {"step": int(step), **legacy.current_row(row)}


def _as_series(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, Series], Series | None]:
    """Series by name, and the seconds, from rows in any order."""
    columns: dict[str, dict[int, float]] = {}
    for row in rows:
        for name, value in row.items():
            if name in ("step", "protocol"):
                continue
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if value is None:
                value = math.nan
            elif not number:
                continue
            columns.setdefault(name, {})[row["step"]] = float(value)
    series = {}
    for name, column in columns.items():
        steps = sorted(column)
        values = np.array([column[step] for step in steps], np.float64)
        values[~np.isfinite(values)] = math.nan
        series[name] = Series(np.array(steps, np.int64), values)
    return series, series.pop("seconds", None)


def _missing_losses(series: Mapping[str, Series]) -> list[str]:
    """Problems of a log whose losses are missing or never finite."""
    losses = {name: series.get(name) for name in ("d_loss", "g_loss")}
    if not any(loss is not None and len(loss) for loss in losses.values()):
        return ["no losses were logged: there is nothing to judge by"]
    return [
        f"{name} holds no number that is finite"
        for name, loss in losses.items()
        if loss is None or not np.isfinite(loss.values).any()
    ]
