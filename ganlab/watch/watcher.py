"""Looks at a run again and again, and keeps what the page is told.

A look costs nothing while the files are as they were, and the log is read so seldom
that it takes a tenth of a core at most, however long it is.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.diagnosis.examine import examine_log
from ganlab.diagnosis.log import Log
from ganlab.errors import UserError
from ganlab.watch.document import describe
from ganlab.watch.subject import Stamp, Subject

INTERVAL = 1.0  # seconds between looks, at least
BUDGET = 0.1  # of a core that reading may take
QUIET_SECONDS = 60.0
QUIET_LINES = 10  # lines that have had time to come
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class _Look:
    """What was there at the last look.

    Args:
        state: `waiting`, `unreadable`, `running`, or how the run ended.
        text: What the page waits for or cannot read, else an empty string.
        stamp: See `Subject.stamp`.
        report: The report as JSON, or `None`.
        version: Tells reports apart.
        pictures: Sample grids by step.
        changed: Time of the log's last change in seconds since the epoch.
        patience: Seconds without a line after which the log counts as quiet.
    """

    state: str
    text: str = ""
    stamp: Stamp = ()
    report: str | None = None
    version: str = ""
    pictures: Mapping[int, Path] = field(default_factory=dict)
    changed: float = 0.0
    patience: float = QUIET_SECONDS


class Watcher:
    """Knows the report of a run as it is by now.

    Args:
        path: A run's folder or another trainer's log, there or not.
        columns: See `ganlab.diagnosis.read`.
        clock: Function without arguments that returns seconds.
        cost: Likewise, of the processor's time.
        now: Function without arguments that returns seconds since the epoch.
    """

    def __init__(
        self,
        path: Path | str,
        columns: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.thread_time,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._subject = Subject(Path(path), columns)
        self._clock, self._cost, self._now = clock, cost, now
        self._lock = threading.Lock()
        self._next_look = float("-inf")
        self._last_cost = 0.0
        self._process = secrets.token_hex(4)
        self._reports = 0
        self._last = _Look("waiting")

    def look(self) -> None:
        """Reads what has changed, if it is time to; a look under way is enough."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._clock() < self._next_look:
                return
            began, last = self._cost(), self._last
            self._last = self._look()
            cost = self._cost() - began
            wait = cost
            if self._last is not last:
                # The first reading is dear, and what is read on may be cheap.
                wait, self._last_cost = min(cost, self._last_cost), cost
            self._next_look = self._clock() + max(INTERVAL, wait / BUDGET)
        finally:
            self._lock.release()

    def status(self, known: str = "") -> dict[str, Any]:
        """What the page is told.

        Args:
            known: The version of the report that the page has.

        Returns:
            A dict of `source`, `state`, `text`, `quiet_seconds` (`None` unless a
            running log is quiet), `version`, and `report`, as JSON, or `None` where
            the page has it.
        """
        last, quiet = self._last, None
        if last.state == "running":
            since = self._now() - last.changed
            quiet = round(since) if since > last.patience else None
        return {
            "source": str(self._subject.path),
            "state": last.state,
            "text": last.text,
            "quiet_seconds": quiet,
            "version": last.version,
            "report": None if last.version == known else last.report,
        }

    def picture(self, step: int) -> bytes | None:
        """The PNG file of a step's samples, or `None` if there is none."""
        path = self._last.pictures.get(step)
        try:
            content = b"" if path is None else path.read_bytes()
        except OSError:
            return None
        return content if content.startswith(PNG_SIGNATURE) else None

    def _look(self) -> _Look:
        path, last = self._subject.path, self._last
        try:
            stamp = self._subject.stamp()
            if not stamp:
                what = "its first line" if path.exists() else f"{path} to appear"
                return _Look("waiting", f"Waiting for {what}")
            if stamp == last.stamp:
                return last
            log = self._subject.read()
        except (UserError, OSError) as error:
            return _Look("unreadable", str(error))
        if not any(map(len, log.series.values())):
            return _Look("waiting", "Waiting for the first numbers")
        return self._examined(log, stamp)

    def _examined(self, log: Log, stamp: Stamp) -> _Look:
        folder = self._subject.folder
        pictures = {} if folder is None else folder.pictures()
        document = describe(examine_log(log), pictures)
        self._reports += 1
        return _Look(
            document["state"] or "running",
            stamp=stamp,
            report=json.dumps(document, ensure_ascii=False, allow_nan=False),
            version=f"{self._process}-{self._reports}",
            pictures=pictures,
            changed=max(modified for _, modified, _, _ in stamp) / 1e9,
            patience=_patience(log),
        )


def _patience(log: Log) -> float:
    """Seconds without a line after which a log is called quiet."""
    if log.seconds is None or len(log.seconds) < 2:
        return QUIET_SECONDS
    gaps = np.diff(log.seconds.finite().values[-50:])
    typical = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    return max(QUIET_SECONDS, QUIET_LINES * typical)
