"""The log of a run: series of numbers by step, events and facts.

`ganlab.diagnosis.logs` reads it from a run folder or from another trainer's log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.config.settings import SETTINGS
from ganlab.data import kinds
from ganlab.data.kinds import DataKind

LOSSES = ("d_loss", "g_loss")
MAX_STEP = 2**53
ENDINGS = ("finished", "failed", "interrupted")  # events, the last of a run


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
        facts: What the run states of its data: `num_images`, `data_kind` and others.
        problems: Strings: what could not be read.
        foreign: Whether another trainer wrote it.
        not_judged: Why the log says nothing of the run's health, or an empty string.
    """

    source: Path
    series: dict[str, Series]
    seconds: Series | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    foreign: bool = False
    not_judged: str = ""

    @property
    def data_kind(self) -> DataKind:
        """The kind of data that the run trains on."""
        return kinds.of_record(self.facts.get("data_kind"), self.settings.get("data"))

    @property
    def last_step(self) -> int:
        """The last step that anything was logged of; 0 of an empty log."""
        steps = [series.steps[-1] for series in self.series.values() if len(series)]
        return int(max(steps, default=0))

    @property
    def ending(self) -> str | None:
        """How the run ended, one of `ENDINGS`; `None` while none is logged."""
        if not self.events:
            return None
        last = self.events[-1]
        ended = last["event"] in ENDINGS and last["step"] >= self.last_step
        return last["event"] if ended else None

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
        """Those of the changes that mean something here and are not made already.

        A setting means something if the data and the network have it.
        """
        network = self.settings.get("network")
        return {
            name: value
            for name, value in (changes or {}).items()
            if self.settings.get(name, value) != value
            and self.data_kind.applies(name)
            and (network is None or network in SETTINGS[name].networks)
        }
