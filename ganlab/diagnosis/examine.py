"""A run's report: its log, findings, best checkpoint and remedies tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganlab import metrics
from ganlab.config.command import train_command
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.logs.reading import read
from ganlab.diagnosis.rules import diagnose
from ganlab.errors import UserError
from ganlab.runs import RunFolder


@dataclass(frozen=True)
class Report:
    """The report of a run.

    Args:
        log: The `ganlab.diagnosis.Log`.
        findings: A list of `ganlab.diagnosis.Finding`s, the worst first.
        best: A dict of `step`, `fid` and `path`, or `None`.
        trials: How remedies compare that were tried, or an empty list.
        extractor: Name of the extractor of its scores, or `None`.
    """

    log: Log
    findings: list[Finding]
    best: dict[str, Any] | None
    trials: list[dict[str, Any]] = field(default_factory=list)
    extractor: str | None = None

    @property
    def severity(self) -> str | None:
        """The worst finding's, or `None`."""
        return self.findings[0].severity if self.findings else None

    @property
    def serious(self) -> list[Finding]:
        """The findings that are more than notes."""
        return [finding for finding in self.findings if finding.severity != "note"]

    @property
    def fid_name(self) -> str:
        """FID's displayed name, such as `FID[fashion_mnist]`."""
        return metrics.display_name("fid", self.extractor)

    @property
    def verdict(self) -> str:
        """One sentence."""
        log, serious = self.log, self.serious
        steps = f"{log.last_step:,} steps"
        if log.not_judged and not serious:
            return f"Not judged: {log.not_judged}."
        if not log.series or (log.last_step == 0 and not serious):
            return "Nothing to judge: " + "; ".join(
                log.problems or ["the log is empty"]
            )
        if not serious:
            notes = "".join(f"; {note.failure.title}" for note in self.findings)
            unread = f" ({'; '.join(log.problems)})" if log.problems else ""
            return f"Healthy: no failure found in {steps}{notes}{unread}."
        state = "Failing" if self.severity == "critical" else "At risk"
        names = "; ".join(
            f"{finding.failure.title}, since step {finding.since_step:,}"
            for finding in serious
        )
        return f"{state}: {names}."

    @property
    def best_text(self) -> str:
        """The best step, its FID and its checkpoint; empty if that is not known."""
        best = self.best
        if best is None:
            return ""
        path = f", {best['path']}" if best["path"] else ""
        return f"step {best['step']:,}, {self.fid_name} {best['fid']:.3g}{path}"

    @property
    def quality(self) -> str:
        """The table of scores that a run of ganlab wrote at its end, or nothing."""
        if self.log.foreign:
            return ""
        return RunFolder(self.log.source).read_quality_page()

    @property
    def first_changes(self) -> dict[str, Any]:
        """The settings that the first remedy changes; empty where there is none."""
        if "preset" not in self.log.settings:
            return {}
        changes = (finding.changes for finding in self.findings if finding.changes)
        return next(changes, {})

    @property
    def command(self) -> str | None:
        """The command line that trains anew with the first remedy, or `None`."""
        if not self.first_changes:
            return None
        try:
            return train_command(self.log.settings, self.first_changes, self.log.source)
        except UserError:
            return None

    def timeline(self) -> list[tuple[int, str]]:
        """Pairs of a step and what happened there, in order."""
        events = [
            (finding.since_step, finding.failure.title) for finding in self.findings
        ]
        events += [(event["step"], _event_text(event)) for event in self.log.events]
        if self.best is not None:
            text = f"best: {self.fid_name} {self.best['fid']:.3g}"
            events.append((self.best["step"], text))
        events.append((self.log.last_step, "last step logged"))
        return sorted(events, key=lambda event: event[0])

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "verdict": self.verdict,
            "findings": [finding.as_dict() for finding in self.findings],
            "best_checkpoint": self.best,
            "command": self.command,
            "timeline": [
                {"step": step, "what": text} for step, text in self.timeline()
            ],
            "trials": self.trials,
            "problems": self.log.problems,
            "source": str(self.log.source),
            "steps": self.log.last_step,
        }


def examine(path: Path | str, columns: Mapping[str, str] | None = None) -> Report:
    """Reads a run or another trainer's log and diagnoses it.

    Args:
        path: See `ganlab.diagnosis.read`.
        columns: Likewise.

    Returns:
        A `Report`.

    Raises:
        UserError: see `ganlab.diagnosis.read`.
    """
    return examine_log(read(path, columns))


def examine_log(log: Log) -> Report:
    """Diagnoses a log that was read.

    Args:
        log: A `ganlab.diagnosis.Log`.
    """
    trials = [] if log.foreign else RunFolder(log.source).read_trials()
    best, extractor = _best_checkpoint(log)
    if best is None:
        best = _best_logged(log)
    return Report(log, diagnose(log), best, trials, extractor)


def _best_checkpoint(log: Log) -> tuple[dict[str, Any] | None, str | None]:
    """The best checkpoint, and the extractor that it was scored with."""
    if log.foreign:
        return None, None
    folder = RunFolder(log.source)
    try:
        record = folder.read_best()
        if record is None:
            return None, None
        best = {
            "step": int(record["step"]),
            "fid": float(record["scores"]["fid"]["value"]),
            "path": str(folder.best_checkpoint),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None, None  # broken: the log may know the step
    protocol = record.get("protocol")
    return best, protocol.get("extractor") if isinstance(protocol, dict) else None


def _best_logged(log: Log) -> dict[str, Any] | None:
    """The step of the smallest FID in the log, or `None`."""
    series = log.get("fid")
    if series is None:
        return None
    lowest = int(np.argmin(series.values))
    return {
        "step": int(series.steps[lowest]),
        "fid": float(series.values[lowest]),
        "path": None,
    }


def _event_text(event: dict[str, Any]) -> str:
    details = ", ".join(
        f"{name} {value}"
        for name, value in event.items()
        if name not in ("step", "seconds", "event")
    )
    name = event["event"].replace("_", " ")
    return f"{name}: {details}" if details else name
