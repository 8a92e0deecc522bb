"""What has ganlab written into a run folder?"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.config import legacy
from ganlab.diagnosis.log import LOSSES, MAX_STEP, Log, Series
from ganlab.runs import RunFolder

FACTS = ("num_images", "class_names", "class_counts", "held_out", "data_kind")


def is_run(directory: Path) -> bool:
    """Whether ganlab wrote a folder: by its settings, or by the events of its log.

    A `config.json` that is no JSON counts as a run's that is damaged.
    """
    folder = RunFolder(directory)
    if folder.holds_run():
        try:
            config = json.loads(folder.config.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            return True
        if isinstance(config, dict) and not {"recipe", "config"}.isdisjoint(config):
            return True
    lines = (line for line in folder.read_metrics() if '"event"' in line)
    return any("event" in (_parse_line(line) or {}) for line in lines)


def read_run(directory: Path) -> Log:
    """The log of a run folder of ganlab's, or of a script with its callbacks.

    Returns:
        A `Log`. What could not be read stands in its `problems`.
    """
    folder = RunFolder(directory)
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
    log = Log(directory, series, seconds, events, settings, facts, problems)
    if series and not any(len(series.get(name, ())) for name in LOSSES):
        return replace(log, not_judged=problems[-1])
    return log


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
    losses = {name: series.get(name) for name in LOSSES}
    if not any(loss is not None and len(loss) for loss in losses.values()):
        return ["no losses were logged: there is nothing to judge by"]
    return [
        f"{name} holds no number that is finite"
        for name, loss in losses.items()
        if loss is None or not np.isfinite(loss.values).any()
    ]
