"""What does ganlab do with hostile and broken files?

    python scripts/benchmarks/hostile.py                  # all, about 20 minutes
    python scripts/benchmarks/hostile.py ONNX card        # some kinds
    python scripts/benchmarks/hostile.py --markdown docs/hostile_inputs.md
    python scripts/benchmarks/hostile.py limits --markdown docs/limits.md

The inputs are written by `hostile_cases/`, each into a folder of its own, and given to
a command of ganlab in a process of its own. A case holds if the command ends with one
line and the exit code 1 or 2 (or 0, where the input is odd but right), without a
traceback or a control character, within 10 seconds of a processor beyond those that
starting takes, and within 1 GB. Results go to `hostile.jsonl` in `--out`; a case that
is there is not run again. Exits with 1 if a case does not hold.

The kind `limits` is run when it is named: a machine without memory, disk, open files, a
home or a folder that may be written, in Linux namespaces of its own. It holds if what
is left is whole, too.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from held import Row, conclude, parse_options, run_all
from hostile_cases import CASES, Case

MAX_SECONDS, MAX_GB = 10.0, 1.0
LIMITS = "limits"
TIMEOUT = 180.0  # seconds that pass until a case is killed
HEAD = (
    "Made by `python scripts/benchmarks/hostile.py{}`: seconds of a processor and peak "
    "memory are those of the whole command, TensorFlow's start included."
)
CHECK = f"""\
ulimit -v unlimited -n 1024 2> /dev/null
{sys.executable} {Path(__file__).with_name("hostile_cases")}/left.py || exit 3
exit $code
"""
SHOWN = 150  # characters of what was printed


def main() -> None:
    known = {case.kind for case in CASES}
    options = parse_options(__doc__ or "", "hostile", "kind", known)
    kinds = options.chosen or known - {LIMITS}
    cases = {
        (case.kind, case.name): partial(run, case)
        for case in CASES
        if case.kind in kinds
    }
    path = options.out / "hostile.jsonl"
    rows = run_all(cases, ("kind", "name"), path, "inputs")
    limits = kinds == [LIMITS]
    title = "Limits of the machine" if limits else "Hostile inputs"
    page = table(rows, title, HEAD.format(f" {LIMITS}" if limits else ""))
    conclude(rows, "inputs", in_words, options.markdown, page)


def in_words(row: Row) -> str:
    return f"{row['kind']}: {row['name']}"


def run(case: Case) -> Row:
    """Runs a case in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        case.write(folder)
        start = time.monotonic()
        code, printed, seconds, memory = run_command(words_of(case), folder)
        passed = time.monotonic() - start
    result = {
        "kind": case.kind,
        "name": case.name,
        "exit": code,
        "printed": last_line(printed).replace(name, "FOLDER"),
        "processor_seconds": round(seconds, 1),
        "seconds": round(passed, 1),
        "peak_gb": round(memory, 2),
    }
    return result | {"fault": fault_of(case, result, printed)}


def words_of(case: Case) -> list[str]:
    """The command of a case, within what it needs before."""
    words = [sys.executable, "-m", "ganlab", *case.command]
    if not case.before:
        return words
    script = f'{case.before}\n"$@"; code=$?\n{CHECK}'
    return ["unshare", "-rm", "bash", "-c", script, "bash", *words]


def run_command(words: Sequence[str], folder: Path) -> tuple[int, str, float, float]:
    """Runs a command; its exit code, text, processor seconds and peak memory in GB."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "HOME": str(folder)}
    with tempfile.TemporaryFile("w+b") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + TIMEOUT
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    seconds = usage.ru_utime + usage.ru_stime
    return process.returncode, text, seconds, usage.ru_maxrss * 1024 / 1e9


def fault_of(case: Case, result: Row, printed: str) -> str:
    """What does not hold, in words; empty if all does."""
    start = START_SECONDS.get(case.command[0], 0.0)
    lines = printed.rstrip("\n").split("\n")
    bars = "\r" if case.command[0] == "train" else ""
    text = printed.translate({ord(character): None for character in f"\n{bars}"})
    faults = {
        "a traceback": "Traceback" in printed,
        "a control character": any(map(is_control, text)),
        f"exit {result['exit']}": result["exit"]
        not in ((0, 1, 2) if case.taken else (1, 2)),
        "more than one line": not case.taken and result["exit"] and not is_told(lines),
        "too slow": result["processor_seconds"] > MAX_SECONDS + start,
        "killed after a time": result["seconds"] >= TIMEOUT,
        "too much memory": result["peak_gb"] > MAX_GB,
    }
    return ", ".join(text for text, holds in faults.items() if holds)


START_SECONDS = {"check": 10.0, "evaluate": 10.0, "train": 10.0, "export": 10.0}


def is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def is_told(lines: Iterable[str]) -> bool:
    """Whether the last line is ganlab's own, and no other is."""
    *others, last = lines
    own = "ganlab"
    return last.startswith(own) and not any(line.startswith(own) for line in others)


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    line = lines[-1] if lines else ""
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def table(results: Iterable[Row], title: str, head: str) -> str:
    """The results as a page of Markdown."""
    lines = [
        f"# {title}",
        "",
        head,
        "",
        "| kind | input | exit | s | GB | printed |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        printed = result["printed"].replace("`", "'").replace("|", "\\|")
        cells = (
            *(result["kind"], result["name"], str(result["exit"])),
            *(f"{result['processor_seconds']:.1f}", f"{result['peak_gb']:.2f}"),
            f"`{printed}`" if printed else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
