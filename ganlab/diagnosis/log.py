"""What did a run write, and what does it say of itself?

A log is series of numbers by step, events, and a few facts. It comes from a run
folder's `metrics.jsonl` and `config.json`, or from a CSV file of any trainer with
the columns `step,d_loss,g_loss` and, where there are any, `seconds,fid`.
"""

import csv
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganlab.config import legacy
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError
from ganlab.runs import RunFolder

COLUMNS = ("step", "d_loss", "g_loss")


@dataclass(frozen=True)
class Series:
    """One number over the run.

    Args:
        steps: Integer array `(n,)`, ascending.
        values: Float64 array `(n,)`; NaN where it was not finite.
    """

    steps: np.ndarray
    values: np.ndarray

    def __len__(self):
        return len(self.steps)

    def finite(self):
        """The same without values that are not finite."""
        kept = np.isfinite(self.values)
        return Series(self.steps[kept], self.values[kept])

    def since(self, step):
        """The part at `step` and later."""
        kept = self.steps >= step
        return Series(self.steps[kept], self.values[kept])

    def until(self, step):
        """The part up to `step`."""
        kept = self.steps <= step
        return Series(self.steps[kept], self.values[kept])


@dataclass(frozen=True)
class Log:
    """What a run wrote.

    Args:
        source: `Path` of the run folder or the file.
        series: A dict from a name to a `Series`.
        seconds: `Series` of the seconds gone by, or `None`.
        events: A list of dicts with `step` and `event`.
        settings: The fields of recipe and monitoring; of a script's run its loss
            alone, and empty of a foreign log.
        facts: What else the run says: `num_images`, `class_names`, `data_kind`.
        problems: Strings: what could not be read.
        foreign: Whether another trainer wrote it.
    """

    source: Path
    series: dict[str, Series]
    seconds: Series | None = None
    events: list[dict] = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    foreign: bool = False

    @property
    def data_kind(self) -> DataKind:
        """The kind of data that the run trains on."""
        return kinds.of_record(self.facts.get("data_kind"), self.settings.get("data"))

    @property
    def last_step(self):
        """The last step that anything was logged of; 0 of an empty log."""
        steps = [each.steps[-1] for each in self.series.values() if len(each)]
        return int(max(steps, default=0))

    def get(self, name, least=1):
        """The finite part of a `Series`, or `None` of fewer than `least` values."""
        found = self.series.get(name)
        if found is None:
            return None
        found = found.finite()
        return found if len(found) >= least else None

    def last(self, name, count=1):
        """Median of the last few finite values, or `None`."""
        found = self.get(name)
        return None if found is None else float(np.median(found.values[-count:]))

    def events_of(self, name):
        """The events of a name, in order."""
        return [each for each in self.events if each["event"] == name]


def read(path):
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


def _read_run(directory):
    folder = RunFolder(directory)
    if not folder.holds_run() and not folder.holds_log():
        raise UserError(
            f"Expected a run folder, with {folder.config.name} or "
            f"{folder.metrics.name}. Received: {directory}; make one with "
            "`ganlab train --out DIR`"
        )
    problems: list[str] = []
    about, settings = _config(folder, problems)
    rows, events = [], []
    if not folder.holds_log():
        problems.append(f"there is no {folder.metrics.name}: the run logged nothing")
    broken = 0
    for line in folder.read_metrics():
        row = _row(line)
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
    series, seconds = _series(rows)
    facts = {
        key: about.get(key)
        for key in (
            "num_images",
            "class_names",
            "class_counts",
            "held_out",
            "data_kind",
        )
    }
    log = Log(directory, series, seconds, events, settings, facts, problems)
    _note_missing(log)
    return log


def _config(folder, problems):
    """What the run's config holds, and its settings; none where there is no file."""
    if not folder.holds_run():
        return {}, {}
    try:
        about = folder.read_config()
        return about, about["recipe"] | about["monitoring"]
    except (KeyError, TypeError, ValueError) as error:
        problems.append(f"{folder.config.name} cannot be read ({error})")
        return {}, {}


def _row(line):
    """A line as a dict with a step, or `None`."""
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    step = row.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 2**53:
        return None
    if "event" in row and not isinstance(row["event"], str):
        return None
    return legacy.current_row(row)


def _read_csv(path):
    problems = []
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
            rows, broken = [], 0
            for found in reader:
                row = _numbers(found)
                if row is None:
                    broken += 1
                else:
                    rows.append(row)
        except csv.Error as error:
            problems.append(f"the file breaks off ({error})")
    if broken:
        problems.append(f"{broken} rows without a whole step are left out")
    series, seconds = _series(rows)
    log = Log(path, series, seconds, problems=problems, foreign=True)
    _note_missing(log)
    return log


def _numbers(found):
    """A CSV row as floats; an empty cell is left out, any other word is NaN."""
    row = {}
    for name, text in found.items():
        if name is None or not isinstance(text, str) or not text.strip():
            continue
        try:
            row[name] = float(text)
        except ValueError:
            row[name] = math.nan
    step = row.pop("step", math.nan)
    if not (math.isfinite(step) and 0 <= step < 2**53):
        return None
    return {"step": int(step), **legacy.current_row(row)}


def _series(rows):
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
    for name, found in columns.items():
        steps = sorted(found)
        values = np.array([found[step] for step in steps], np.float64)
        values[~np.isfinite(values)] = math.nan
        series[name] = Series(np.array(steps, np.int64), values)
    return series, series.pop("seconds", None)


def _note_missing(log):
    losses = [log.series.get(name) for name in ("d_loss", "g_loss")]
    if not any(each is not None and len(each) for each in losses):
        log.problems.append("no losses were logged: there is nothing to judge by")
        return
    for name, each in zip(("d_loss", "g_loss"), losses, strict=True):
        if each is None or not np.isfinite(each.values).any():
            log.problems.append(f"{name} holds no number that is finite")
