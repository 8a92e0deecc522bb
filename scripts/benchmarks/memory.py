"""Does memory stay what it is, in long training and in long sampling?

    python scripts/benchmarks/memory.py --markdown docs/memory.md      # 6 minutes

Trains the default preset for 20 epochs under `ulimit -v`, and samples one image from
the shipped artifact 100,000 times, each in a process of its own. Resident memory is
read after each epoch and each 1,000 calls. The first quarter, in which caches fill, is
left out; a line through the rest has a slope with a 95 % interval. Memory is flat if by
the upper end of that interval it grows by less than 3 % over what was measured. Exits
with 1 if it is not. One JSON document is printed.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

EPOCHS, CALLS = 20, 100_000
CALLS_PER_READING = 1000
LIMIT_GB = 6.0  # of address space, of which threads and libraries take most
MAX_GROWTH = 0.03
SHIPPED = Path(__file__).resolve().parents[2] / "saved_models" / "fashion"
NORMAL = 1.96  # standard deviations of a 95 % interval
HEAD = """\
# Memory over time

Made by `python scripts/benchmarks/memory.py` on {day}: resident memory, without the
first quarter, in which caches fill. The slope is of a line through the rest, with its
95 % interval; growth is by the upper end of it, over all that was measured.

| | `ulimit -v` | after a quarter | at the end | slope | growth at most |
|---|---|---|---|---|---|
"""


def peak() -> float:
    """Most memory that this process has held, in GB; its parent's does not count."""
    return _status("VmHWM")


def resident() -> float:
    """Memory that this process holds, in GB."""
    return _status("VmRSS")


def _status(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--epochs", type=int, default=EPOCHS, metavar="N")
    add("--calls", type=int, default=CALLS, metavar="N")
    add("--limit", type=float, default=LIMIT_GB, metavar="GB", help="of training")
    add("--markdown", type=Path, metavar="FILE", help="write a table")
    add("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(WORKERS[options.worker](options)))
        return
    report = {name: run(name, options) for name in WORKERS}
    print(json.dumps(report, indent=2))
    if options.markdown:
        options.markdown.write_text(table(report), encoding="utf-8")
    sys.exit(any(row["growth"] > MAX_GROWTH for row in report.values()))


def run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Runs a worker in a process of its own; what it read, and what that means."""
    command = [sys.executable, __file__, "--worker", name]
    for word in ("epochs", "calls", "limit"):
        command += [f"--{word}", str(getattr(options, word))]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
        )
    done.check_returncode()
    result = json.loads(done.stdout.rpartition("\n")[0].rpartition("\n")[2])
    return result | line_through(result["gb"])


def line_through(readings: Sequence[float]) -> dict[str, Any]:
    """Slope of memory by reading, its interval, and the growth that it allows.

    The slope's standard error is that of least squares.
    """
    values = np.array(readings[len(readings) // 4 :])
    places = np.arange(len(values)) - (len(values) - 1) / 2
    slope = places @ values / (places @ places)
    errors = values - values.mean() - slope * places
    variance = errors @ errors / (len(values) - 2) / (places @ places)
    half = NORMAL * variance**0.5
    return {
        "settled_gb": values[0],
        "slope_gb": slope,
        "interval_gb": [slope - half, slope + half],
        "growth": max(slope + half, 0.0) * (len(values) - 1) / values[0],
    }


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Memory after each epoch of the default preset, under a limit."""
    size = int(options.limit * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    import keras

    import ganlab
    from ganlab.config.presets import get_preset

    readings: list[float] = []

    class Reading(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            readings.append(resident())

    ganlab.train(
        get_preset("dcgan"), "run", epochs=options.epochs, callbacks=[Reading()]
    )
    limit = f"{options.limit:.1f} GB"
    name = f"the default preset, {options.epochs} epochs"
    return {"name": name, "limit": limit, "unit": "epoch", "gb": readings}


def sample(options: argparse.Namespace) -> dict[str, Any]:
    """Memory after each 1,000 calls of `Artifact.sample`."""
    from ganlab import Artifact

    artifact = Artifact(SHIPPED)
    labels = artifact.labels(10)
    readings = []
    for call in range(options.calls):
        artifact.sample(1, seed=call, labels=labels[call % 10 : call % 10 + 1])
        if call % CALLS_PER_READING == CALLS_PER_READING - 1:
            readings.append(resident())
    name = f"`Artifact.sample`, {options.calls:,} calls"
    unit = f"{CALLS_PER_READING:,} calls"
    return {"name": name, "limit": "none", "unit": unit, "gb": readings}


def table(report: dict[str, dict[str, Any]]) -> str:
    """The results as a page of Markdown."""
    rows = []
    for row in report.values():
        low, high = (1e3 * bound for bound in row["interval_gb"])
        cells = (
            *(row["name"], row["limit"]),
            *(f"{1e3 * row['settled_gb']:,.0f} MB", f"{1e3 * row['gb'][-1]:,.0f} MB"),
            f"{1e3 * row['slope_gb']:.3f} [{low:.3f}, {high:.3f}] MB/{row['unit']}",
            f"{row['growth']:.1%}",
        )
        rows.append(f"| {' | '.join(cells)} |\n")
    return HEAD.format(day=f"{date.today():%d %B %Y}") + "".join(rows)


WORKERS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "training": train,
    "sampling": sample,
}


if __name__ == "__main__":
    main()
