"""Runs `ganlab` in this process until a fault ends it: the child of `faults.py`.

    python faults_victim.py FAULT JOURNAL [ganlab's arguments]

A fault is JSON: `{"kind": ..., "step": ..., "delay": ..., "hit": ...}`. What reaches
the disk is written to the journal, a JSON list a line.
"""

import fnmatch
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEP, BEST, LOG = "step-*.keras", "best.keras", "metrics.jsonl"
RENAMES = {  # kind: name of the file, whether its new name is there already
    "checkpoint unnamed": (STEP, False),
    "checkpoint half written": (STEP, False),
    "checkpoint named": (STEP, True),
    "best unnamed": (BEST, False),
    "best named": (BEST, True),
}
REMOVALS = {"older checkpoint there": False, "older checkpoint removed": True}
POINTS = (
    "checkpoint unsealed",
    *RENAMES,
    *REMOVALS,
    "log line half written",
    "log line written",
)
MOMENTS = {
    "random moment": signal.SIGKILL,
    "SIGTERM": signal.SIGTERM,
    "power loss": signal.SIGKILL,
}


def die(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


class Countdown:
    """Whether something happens for the time that a fault names."""

    def __init__(self, hit: int) -> None:
        self.left = hit

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


def die_at_rename(kind: str, is_hit: Countdown) -> None:
    pattern, named = RENAMES[kind]
    replace = os.replace

    def replace_or_die(source: Any, target: Any) -> None:
        hit = fnmatch.fnmatch(Path(target).name, pattern) and is_hit()
        if hit and kind == "checkpoint half written":
            os.truncate(source, os.path.getsize(source) // 2)
        if hit and not named:
            die()
        replace(source, target)
        if hit:
            die()

    os.replace = replace_or_die


def die_at_removal(removed: bool, is_hit: Countdown) -> None:
    unlink = Path.unlink

    def unlink_or_die(path: Path, missing_ok: bool = False) -> None:
        hit = fnmatch.fnmatch(path.name, STEP) and is_hit()
        if hit and not removed:
            die()
        unlink(path, missing_ok)
        if hit:
            die()

    Path.unlink = unlink_or_die  # type: ignore[method-assign]


def die_before_seal(is_hit: Countdown) -> None:
    from ganlab.runs import checkpoints

    seal = checkpoints.seal

    def seal_or_die(*arguments: Any) -> None:
        if is_hit():
            die()
        seal(*arguments)

    checkpoints.seal = seal_or_die


def die_at_log(kind: str, is_hit: Countdown) -> None:
    from ganlab import runs

    append_line = runs.append_line

    def append_or_die(path: Path, line: str) -> None:
        hit = path.name == LOG and is_hit()
        if hit and kind == "log line half written":
            with path.open("ab") as file:
                file.write(line.encode()[: len(line) // 2])
            die()
        append_line(path, line)
        if hit:
            die()

    runs.append_line = append_or_die


def die_in_step(number: int, step: int, delay: float) -> None:
    """Ends the process some seconds after a step began."""
    from ganlab.callbacks import TrainingMetrics

    begin = TrainingMetrics.on_train_batch_begin
    begun = set()

    def begin_and_die(self: Any, batch: int, logs: Any = None) -> None:
        if int(self.model.step.numpy()) >= step and not begun:
            begun.add(step)
            timer = threading.Timer(delay, die, [number])
            timer.daemon = True
            timer.start()
        begin(self, batch, logs)

    TrainingMetrics.on_train_batch_begin = begin_and_die  # type: ignore[method-assign]


def keep_journal(path: Path) -> None:
    """Writes down what reaches the disk: files and folders synced, and new names."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    fsync, replace = os.fsync, os.replace

    def note(*values: Any) -> None:
        os.write(handle, (json.dumps(values) + "\n").encode())

    def noted_fsync(file: Any) -> None:
        fsync(file)
        descriptor = file if isinstance(file, int) else file.fileno()
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        note("synced", name, os.fstat(descriptor).st_size)

    def noted_replace(source: Any, target: Any) -> None:
        replace(source, target)
        note("renamed", os.path.abspath(source), os.path.abspath(target))

    os.fsync, os.replace = noted_fsync, noted_replace


def without_clocks() -> None:
    """Makes every schedule one of steps alone, so that two runs can be compared."""
    from ganlab.callbacks.periodic import BudgetedCallback, PeriodicCallback

    BudgetedCallback.is_due = PeriodicCallback.is_due  # type: ignore[method-assign]


def install(fault: dict[str, Any]) -> None:
    """Makes a fault happen; none for the kind `none`."""
    kind, is_hit = fault["kind"], Countdown(fault["hit"])
    if kind in MOMENTS:
        die_in_step(MOMENTS[kind], fault["step"], fault["delay"])
    elif kind in RENAMES:
        die_at_rename(kind, is_hit)
    elif kind in REMOVALS:
        die_at_removal(REMOVALS[kind], is_hit)
    elif kind.startswith("log"):
        die_at_log(kind, is_hit)
    elif kind == "checkpoint unsealed":
        die_before_seal(is_hit)


def run(arguments: list[str]) -> int:
    fault, journal, *command = arguments
    keep_journal(Path(journal))
    from ganlab.cli.common import import_tensorflow
    from ganlab.cli.main import main

    import_tensorflow()
    without_clocks()
    install(json.loads(fault))
    run_command: Callable[[list[str]], int] = main
    return run_command(command)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
