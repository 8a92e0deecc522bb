"""What has ganlab written into a run folder?"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.config import legacy
from ganlab.diagnosis.evidence import MIN_VALUES
from ganlab.diagnosis.log import LOSSES, MAX_STEP, Log, Series
from ganlab.diagnosis.logs.growing import GrowingFile
from ganlab.diagnosis.logs.steps import make_series
from ganlab.errors import UserError
from ganlab.runs import RunFolder
from ganlab.safety.bounded import MAX_LINE, check_log, parse_json, read_json

FACTS = ("num_images", "class_names", "class_counts", "held_out", "data_kind")


def is_run(directory: Path) -> bool:
    """Whether ganlab wrote a folder: by its settings, or by the events of its log.

    A `config.json` that is no JSON counts as a run's that is damaged.
    """
    folder = RunFolder(directory)
    if folder.holds_run():
        try:
            config = read_json(folder.config)
        except UserError:
            return True
        if isinstance(config, dict) and not {"recipe", "config"}.isdisjoint(config):
            return True
    file = GrowingFile(folder.metrics)
    while lines := file.read(to_end=True).lines:
        for line in lines:
            if '"event"' in line and "event" in (_parse_line(line) or {}):
                return True
    return False


class RunReader:
    """Reads a run's folder again and again, each line of its log once.

    Args:
        directory: The folder of a run of ganlab's, or of a script with its callbacks.
    """

    def __init__(self, directory: Path) -> None:
        self.folder = RunFolder(directory)
        self._file = GrowingFile(self.folder.metrics)
        self._forget()

    def _forget(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._events: list[dict[str, Any]] = []
        self._broken = self._numbers = 0

    def read(self, *, to_end: bool = False) -> Log:
        """The log as it is by now.

        Args:
            to_end: Whether text after the last end of a line counts as a line. It
                may be half a line that is being written.

        Returns:
            A `Log`. What could not be read stands in its `problems`.
        """
        while True:
            new = self._file.read(to_end=to_end)
            if new.anew:
                self._forget()
            for line in new.lines:
                self._add(line)
            check_log(self._numbers + len(self._events), len(self._columns))
            if not new.lines:
                break
        folder, problems = self.folder, list[str]()
        config, settings = _read_config(folder, problems)
        if not folder.holds_log():
            problems.append(
                f"there is no {folder.metrics.name}: the run logged nothing"
            )
        if self._broken:
            problems.append(
                f"{self._broken} lines of {folder.metrics.name} cannot be read, and "
                "are left out"
            )
        for event in self._events:
            if event["event"] == "began" and not folder.holds_run():
                settings = {"loss": event.get("loss")}
        series = {name: column.series() for name, column in self._columns.items()}
        seconds = series.pop("seconds", None)
        facts = {name: config.get(name) for name in FACTS}
        problems += _missing_losses(series)
        events = list(self._events)
        log = Log(folder.path, series, seconds, events, settings, facts, problems)
        held = max(len(series.get(name, ())) for name in LOSSES)
        if series and not held:
            return replace(log, not_judged=problems[-1])
        if series and held < MIN_VALUES:
            reason = f"only {held} rows hold a loss: train longer, or log more often"
            return replace(log, not_judged=reason)
        return log

    def _add(self, line: str) -> None:
        row = _parse_line(line)
        if row is None:
            self._broken += 1
            return
        if "event" in row:
            self._events.append(row)
            return
        step = row["step"]
        for name, value in row.items():
            if name in ("step", "protocol"):
                continue
            if type(value) is not float:
                if value is None:
                    value = math.nan
                elif type(value) is not int:
                    continue
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _Column()
            column.add(step, value)
            self._numbers += 1


def read_run(directory: Path) -> Log:
    """The log of a run folder of ganlab's, or of a script with its callbacks.

    Returns:
        A `Log`. What could not be read stands in its `problems`.
    """
    return RunReader(directory).read(to_end=True)


class _Column:
    """Numbers of one name in the order of the log."""

    def __init__(self) -> None:
        self.steps, self.values = array("q"), array("d")

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)

    def series(self) -> Series:
        """A `Series`; of one step the last counts."""
        return make_series(np.array(self.steps), np.array(self.values))


def _read_config(
    folder: RunFolder, problems: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run's config, and its settings; empty where there is none."""
    if not folder.holds_run():
        return {}, {}
    try:
        config = folder.read_config()
        settings = config.get("observed") or config["recipe"]
        return config, settings | config["monitoring"]
    except (KeyError, TypeError, ValueError) as error:
        problems.append(f"{folder.config.name} cannot be read ({error})")
        return {}, {}


def _parse_line(line: str) -> dict[str, Any] | None:
    """A line as a dict with a step, or `None`."""
    try:
        row = parse_json(line) if len(line) <= MAX_LINE else None
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    step = row.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < MAX_STEP:
        return None
    if "event" in row and not isinstance(row["event"], str):
        return None
    return legacy.current_row(row)


def _missing_losses(series: Mapping[str, Series]) -> list[str]:
    """Problems of a log whose losses are missing or never finite."""
    losses = {name: series.get(name) for name in LOSSES}
    if not any(loss is not None and len(loss) for loss in losses.values()):
        return ["no losses were logged: there is nothing to judge by"]
    return [
        f"{name} holds no number that is finite"
        for name, loss in losses.items()
        if loss is None or not np.isfinite(loss.values).any()
    ]
