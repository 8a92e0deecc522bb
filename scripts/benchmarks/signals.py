"""How soon does a command end that is sent a signal, wherever it is?

    python scripts/benchmarks/signals.py                            # 5 minutes
    python scripts/benchmarks/signals.py --markdown docs/signals.md

Runs commands at their real size, waits until one enters a phase, sends it SIGTERM,
SIGHUP or Ctrl-C (by turns) some moments later, and measures until the process has
ended: seconds of the clock, and seconds of a processor, which other programs do not
lengthen. A phase holds if that takes 5 seconds of a processor at most, with the
signal's exit code and one line, and where steps were trained with a report. In the
longest, Ctrl-C is also sent twice, half a second apart. Results go to `signals.jsonl`
in `--out`; what is there is not run again. Exits with 1 if a phase does not hold.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from held import Row, conclude, parse_options, run_all
from PIL import Image

MAX_SECONDS = 5.0
SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")  # in turn
TWICE = "SIGINT twice"
DELAYS = (0.0, 0.4, 1.5, 0.8)  # seconds after a phase began, in turn
SECOND = 0.5  # seconds between the first Ctrl-C and the second
TIMEOUT = 120.0
REACHED = "reached"
HEAD = """\
# Signals

Made by `python scripts/benchmarks/signals.py` on {day}: seconds of a processor from the
signal until the process has ended, in brackets those of the clock. At most {max:g} of a
processor hold. The second Ctrl-C is timed from itself.
"""
TRAIN = ("train", "--out", "run", "--steps", "400", "--set", "evaluate_every=20")
NUM_PICTURES, SIDE = 200, 3000


class Phase(NamedTuple):
    """What a process does.

    Args:
        name: What the table calls it.
        command: Words after `ganlab`.
        file: The end of the name of the file of the function that it begins with;
            empty for the import of TensorFlow.
        function: The function's name.
        call: Integer: which of its calls, from 1.
        prepared: A command that runs before.
        twice: Whether Ctrl-C is sent twice as well.
        brief: Whether it may be over before a signal that comes later.
    """

    name: str
    command: tuple[str, ...]
    file: str
    function: str
    call: int = 1
    prepared: tuple[str, ...] = ()
    twice: bool = False
    brief: bool = False


EXPORT = ("export", "run", "--to", "artifact")
SHORT = ("train", "--out", "run", "--steps", "2", "--set", "evaluate_every=1000")
SAMPLE = ("sample", "artifact", "--num-images", "20000", "--out", "images.npz")
SHIPPED = Path(__file__).resolve().parents[2] / "saved_models" / "fashion"
PHASES = (
    Phase("importing", TRAIN, "tensorflow/__init__.py", "<module>"),
    Phase(
        "decoding data",
        ("train", "--data", "folder:photos", "--image-size", "64", "--out", "run"),
        "data/loading.py",
        "_fill_by",
    ),
    Phase("features of the data", TRAIN, "features/extractors.py", "extract"),
    Phase("building the networks", TRAIN, "training/build.py", "build_gan"),
    Phase("compiling the first step", TRAIN, "models/gan.py", "train_step"),
    Phase(
        *("a step", TRAIN, "callbacks/training_metrics.py", "on_train_batch_begin"),
        call=9,
        twice=True,
    ),
    Phase("a health probe", TRAIN, "callbacks/health_probe.py", "run"),
    Phase("an evaluation's images", TRAIN, "callbacks/evaluate.py", "run"),
    Phase(
        "an evaluation's scores", TRAIN, "evaluation/scores.py", "evaluate", twice=True
    ),
    Phase(
        "writing a checkpoint",
        TRAIN,
        "ganlab/runs/checkpoints.py",
        "save_best",
        twice=True,
    ),
    Phase(
        *("writing the report", SHORT, "training/train.py", "_write_report"),
        brief=True,
    ),
    Phase("export: loading", EXPORT, "models/saving.py", "load_gan", 1, SHORT),
    Phase("export: SavedModel", EXPORT, "export.py", "write_saved_model", 1, SHORT),
    Phase("export: ONNX", EXPORT, "onnx_convert.py", "convert", 1, SHORT),
    Phase("export: int8", EXPORT, "quantize.py", "in_every_format", 1, SHORT),
    Phase("export: parity", EXPORT, "parity.py", "certify", 1, SHORT),
    Phase("export: scores", EXPORT, "parity.py", "certify_formats", 1, SHORT),
    Phase("sampling", SAMPLE, "artifacts/artifact.py", "sample"),
    Phase("writing samples", SAMPLE, "ganlab/pictures.py", "save", brief=True),
)


def main() -> None:
    names = [phase.name for phase in PHASES]
    options = parse_options(__doc__ or "", "signals", "phase", names)
    cases = {}
    for index, phase in enumerate(PHASES):
        delay = 0.0 if phase.brief else DELAYS[index % len(DELAYS)]
        if not options.chosen or phase.name in options.chosen:
            for name in (SIGNALS[index % len(SIGNALS)], *([TWICE] * phase.twice)):
                job = {"phase": phase.name, "signal": name, "delay": delay}
                cases[phase.name, name] = partial(run, phase, job, options.out)
    path = options.out / "signals.jsonl"
    rows = run_all(cases, ("phase", "signal"), path, "signals")
    conclude(rows, "signals", in_words, options.markdown, table(rows))


def in_words(row: Row) -> str:
    return f"{row['phase']}, {row['signal']} after {row['delay']} s"


def run(phase: Phase, job: Row, out: Path) -> Row:
    """Runs a command in a folder of its own, and ends it by a signal."""
    with tempfile.TemporaryDirectory(prefix="signals-") as name:
        folder = Path(name)
        prepare(phase, folder, out)
        process = start(phase, folder)
        number = getattr(signal, job["signal"].split()[0])
        while is_running(process) and not (folder / REACHED).exists():
            time.sleep(0.01)
        reached = (folder / REACHED).exists()
        time.sleep(job["delay"])
        sent = time.monotonic()
        os.kill(process.pid, number)
        if job["signal"] == TWICE:
            time.sleep(SECOND)
            sent = time.monotonic()
            os.kill(process.pid, number)
        before = processor_seconds(process)
        printed, seconds = end(process)
        result = job | {
            "reached": reached,
            "seconds": round(time.monotonic() - sent, 2),
            "processor_seconds": round(seconds - before, 2),
            "exit": process.returncode,
            "printed": printed.rstrip("\n").rpartition("\n")[2],
            "log": (folder / "run" / "metrics.jsonl").is_file(),
            "report": (folder / "run" / "report.json").is_file(),
            "temporary": sorted(
                str(path.relative_to(folder))
                for path in folder.rglob(".*")
                if path.is_file() and path.name != ".lock"
            ),
        }
    return result | {"fault": fault_of(result, number, printed)}


def is_running(process: subprocess.Popen[str]) -> bool:
    return (
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    )


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """Seconds that a process has used so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def end(process: subprocess.Popen[str]) -> tuple[str, float]:
    """Waits for a process; what it printed, and the seconds that it used."""
    timer = threading.Timer(TIMEOUT, process.kill)
    timer.start()
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return printed, usage.ru_utime + usage.ru_stime


def prepare(phase: Phase, folder: Path, out: Path) -> None:
    """Makes what a phase's command needs."""
    if "folder:photos" in phase.command:
        (folder / "photos").mkdir()
        draws = np.random.default_rng(0)
        pixels = draws.integers(0, 256, (SIDE // 30, SIDE // 30, 3), np.uint8)
        Image.fromarray(pixels).resize((SIDE, SIDE)).save(folder / "photos" / "0.jpg")
        for index in range(1, NUM_PICTURES):
            os.link(folder / "photos" / "0.jpg", folder / "photos" / f"{index}.jpg")
    if "artifact" in phase.command and phase.command[0] == "sample":
        shutil.copytree(SHIPPED, folder / "artifact")
    if phase.prepared:
        if not (out / "prepared").exists():
            command = [sys.executable, "-m", "ganlab", *phase.prepared]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            shutil.move(folder / "run", out / "prepared")
        shutil.copytree(out / "prepared", folder / "run")


def start(phase: Phase, folder: Path) -> subprocess.Popen[str]:
    victim = (phase.file, phase.function, str(phase.call))
    return subprocess.Popen(
        [sys.executable, __file__, "--victim", *victim, *phase.command],
        cwd=folder,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "XDG_CACHE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_victim(file: str, function: str, call: str, *words: str) -> int:
    """Runs `ganlab` in this process, and says when it enters a function."""
    left = int(call)

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        code = frame.f_code
        if event != "call" or code.co_name != function:
            return
        if code.co_filename.endswith(file):
            left -= 1
            if left == 0:
                sys.setprofile(None)
                Path(REACHED).touch()

    from ganlab.cli.main import main as run_command

    for number in (signal.SIGTERM, signal.SIGHUP):  # ignored under nohup
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.setprofile(profile)
    sys.argv = ["ganlab", *words]
    return int(run_command())


def fault_of(result: Row, number: int, printed: str) -> str:
    """What does not hold, in words; empty if all does.

    The second Ctrl-C may come when Python has ended, and end the process itself.
    """
    twice = result["signal"] == TWICE
    lines = [line for line in printed.split("\n") if line.startswith("ganlab:")]
    faults = {
        "the phase was not reached": not result["reached"],
        f"used {result['processor_seconds']} s": result["processor_seconds"]
        > MAX_SECONDS,
        "killed after a time": result["seconds"] >= TIMEOUT,
        f"exit {result['exit']}": result["exit"] != 128 + number
        and not (twice and result["exit"] == -number),
        "a traceback": "Traceback" in printed,
        "not one line": len(lines) != 1 and not twice,
        "no report": result["log"] and not result["report"] and not twice,
        f"left {', '.join(result['temporary'])}": bool(result["temporary"]),
    }
    return ", ".join(text for text, holds in faults.items() if holds)


def seconds_of(row: Row) -> str:
    return f"{row['processor_seconds']:.1f} ({row['seconds']:.1f})"


def table(rows: Iterable[Row]) -> str:
    """Seconds until the end, by phase and signal, as a page of Markdown."""
    rows = list(rows)
    lines = [HEAD.format(day=f"{date.today():%d %B %Y}", max=MAX_SECONDS)]
    lines += ["| phase | signal | until the end | second Ctrl-C |", "|---|---|---|---|"]
    twice = {row["phase"]: seconds_of(row) for row in rows if row["signal"] == TWICE}
    for row in rows:
        if row["signal"] != TWICE:
            sent = f"{row['signal']} after {row['delay']} s"
            cells = (row["phase"], sent, seconds_of(row), twice.get(row["phase"], ""))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--victim"]:
        sys.exit(run_victim(*sys.argv[2:]))
    main()
