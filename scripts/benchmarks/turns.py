"""Contenders of a benchmark: processes that work in turn, one at a time."""

import contextlib
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

TORCH = "torch==2.13.0"
GANLAB_COLOR, OTHER_COLOR = "#2a7f9e", "#b8b8b8"


class Contender:
    """A process of `script --worker ...`, as its main process sees it.

    Args:
        name: String, for messages.
        command: What starts it: Python, script and arguments.
    """

    def __init__(self, name: str, command: list) -> None:
        self.name, self.started = name, time.time()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def turn(self, word: str = "go") -> dict:
        """Gives it a word, and lets it work until it answers; returns the answer."""
        with contextlib.suppress(BrokenPipeError):  # then there is no answer
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            command = " ".join(map(str, self.process.args))
            raise SystemExit(f"{self.name} ended; to see why, run: {command}")
        return json.loads(answer)


class Worker:
    """The other end: waits for its turn, and answers on what was stdout."""

    def __init__(self) -> None:
        self.answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print is no answer

    def wait(self) -> str:
        """Waits for the turn, and returns its word; ends the process without one."""
        word = sys.stdin.readline().strip()
        if not word:
            raise SystemExit
        return word

    def answer(self, answer: dict) -> None:
        """Ends the turn."""
        print(json.dumps(answer), file=self.answers, flush=True)


def runs_here(name: str) -> bool:
    """Whether the machine computes as a contender does, and emulates nothing."""
    from ganlab.training.bfloat16 import is_emulated

    return "bfloat16" not in name or not is_emulated()


def torch_python(folder: Path, *more: str) -> Path:
    """Python of a virtual environment with PyTorch alone, made if need be.

    Args:
        folder: Folder of the environment.
        more: Other packages that it has.
    """
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.is_file():
        log(f"installing PyTorch in {folder}")
        venv.create(folder, with_pip=True, clear=True)
        packages = [TORCH, "numpy", "pillow", *more]
        command = [python, "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(command, check=True)
        ready.touch()
    return python


def declare_torchvision_operators() -> Any:
    """Lets a torchvision that was built for CUDA be imported without it.

    Returns:
        The library that declares operators that nothing here calls; to be kept alive.
    """
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
    return library


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def plot_rates(axes, rates: dict[str, float], spreads: dict[str, list[float]]) -> None:
    """Horizontal bars of rates with their spread, those of ganlab in colour.

    Args:
        axes: Of matplotlib.
        rates: Rate of each contender.
        spreads: Lowest and highest rate of each contender.
    """
    values = list(rates.values())
    errors = [
        [value - spreads[name][0] for name, value in rates.items()],
        [spreads[name][1] - value for name, value in rates.items()],
    ]
    colors = [
        GANLAB_COLOR if name.startswith("ganlab") else OTHER_COLOR for name in rates
    ]
    bars = axes.barh(list(rates), values, xerr=errors, color=colors, ecolor="#555555")
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=8)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
