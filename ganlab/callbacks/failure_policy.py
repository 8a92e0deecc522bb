"""Diagnoses a run while it trains, and ends it when it fails."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from ganlab import diagnosis
from ganlab.callbacks.periodic import BudgetedCallback, Logs
from ganlab.callbacks.run_log import RunLog
from ganlab.diagnosis import Finding
from ganlab.diagnosis.evidence import GRACE_STEPS
from ganlab.runs import RunFolder

ACTIONS = ("none", "warn", "stop", "rollback")
BUDGET = 0.01


class FailurePolicy(BudgetedCallback):
    """Diagnoses the run as it goes, and acts on critical findings.

    - `warn` writes a finding to the log when it is first made.
    - `stop` also ends training at a critical finding: only scores of quality or
      diversity make a finding critical.
    - `rollback` ends this attempt, so that the caller can go back to the best
      checkpoint with a change: see `ganlab.train`.

    Every act is an event of the run log. `finding` is what ended training.

    Args:
        directory: The run's folder.
        run_log: A `RunLog`.
        action: One of `ACTIONS`.
        every: Integer: steps between diagnoses, at least; diagnoses take at most 1 %
            of the time, for a long log takes a while to read.
        grace: Integer: steps before the first one.
        stream: Text stream for one line a finding, or `None`.
        clock: Function without arguments that returns seconds.
    """

    def __init__(
        self,
        directory: Path | str,
        run_log: RunLog,
        action: str = "warn",
        *,
        every: int = 500,
        grace: int = GRACE_STEPS,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(every, BUDGET, clock)
        self.folder = RunFolder(directory)
        self.run_log = run_log
        self.action = action
        self.grace = grace
        self.stream = stream
        self.finding: Finding | None = None
        self._first_step = 0
        self._told: set[tuple[str, str]] = set()

    def state(self) -> dict[str, Any]:
        told = sorted(self._told)
        return {**super().state(), "first_step": self._first_step, "told": told}

    def take_up(self, state: dict[str, Any]) -> None:
        super().take_up(state)
        self._first_step = state["first_step"]
        self._told = {(name, severity) for name, severity in state["told"]}

    def on_train_begin(self, logs: Logs = None) -> None:
        self.finding = None
        self._first_step = int(self.model.step.numpy())
        super().on_train_begin(logs)
        self.catch_up()

    def run(self, step: int) -> None:
        if self.action == "none" or step - self._first_step < self.grace:
            return
        for finding in diagnosis.diagnose(diagnosis.read(self.folder.path)):
            if finding.severity == "note":
                continue
            self._tell(step, finding)
            if finding.severity == "critical" and self.action in ("stop", "rollback"):
                self.finding = finding
                self.model.stop_training = True
                self.run_log.event(
                    step, "stopped", finding=finding.name, action=self.action
                )
                return

    def _tell(self, step: int, finding: Finding) -> None:
        """Logs a finding once for each severity."""
        key = finding.name, finding.severity
        if key in self._told:
            return
        self._told.add(key)
        self.run_log.event(
            step, "finding", finding=finding.name, severity=finding.severity
        )
        if self.stream is not None:
            self.stream.write(
                f"\n{finding.severity}: {finding.failure.title} since step "
                f"{finding.since_step:,}: {finding.evidence[0]['says']}; ganlab "
                f"diagnose {self.folder}\n"
            )
