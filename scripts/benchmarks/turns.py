"""Contenders of a benchmark: processes that work in turn, one at a time."""

import json
import os
import subprocess
import sys
import time
import venv

TORCH = "torch==2.13.0"


class Contender:
    """A process of `script --worker ...`, as its main process sees it.

    Args:
        name: String, for messages.
        command: What starts it: Python, script and arguments.
    """

    def __init__(self, name, command):
        self.name, self.started = name, time.time()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def turn(self):
        """Lets it work until it answers; returns the answer."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            command = " ".join(map(str, self.process.args))
            raise SystemExit(f"{self.name} ended; to see why, run: {command}")
        return json.loads(answer)


class Worker:
    """The other end: waits for its turn, and answers on what was stdout."""

    def __init__(self):
        self.answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print is no answer

    def wait(self):
        if not sys.stdin.readline():
            raise SystemExit

    def answer(self, found):
        print(json.dumps(found), file=self.answers, flush=True)


def torch_python(folder):
    """Python of a virtual environment with PyTorch alone; makes it if need be.

    Args:
        folder: `Path` of the environment.
    """
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.is_file():
        say(f"installing PyTorch in {folder}")
        venv.create(folder, with_pip=True, clear=True)
        packages = [TORCH, "numpy", "pillow"]
        command = [python, "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(command, check=True)
        ready.touch()
    return python


def say(text):
    print(text, file=sys.stderr, flush=True)


def bars(axes, rates, spreads, ours, text="{:.0f}"):
    """Horizontal bars with their spread, those of `ours` in colour.

    Args:
        axes: Of matplotlib.
        rates: A dict from each label to its value.
        spreads: A dict from each label to its least and greatest value.
        ours: Function from a label to whether it is ganlab's.
        text: Format of the values beside the bars.
    """
    values = list(rates.values())
    errors = [
        [value - spreads[name][0] for name, value in rates.items()],
        [spreads[name][1] - value for name, value in rates.items()],
    ]
    colours = ["#2a7f9e" if ours(name) else "#b8b8b8" for name in rates]
    drawn = axes.barh(list(rates), values, xerr=errors, color=colours, ecolor="#555555")
    axes.bar_label(drawn, [text.format(value) for value in values], padding=8)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
