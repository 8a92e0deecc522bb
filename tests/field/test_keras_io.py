"""keras.io's examples in ganlab: they train, export, and the artifact samples."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganlab import Artifact

EXAMPLES = sorted((Path(__file__).parents[2] / "scripts" / "keras_io").glob("*.py"))
QUICK_ONES = ("dcgan", "patch")


@pytest.mark.e2e
@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, marks=[pytest.mark.slow] * (path.stem not in QUICK_ONES))
        for path in EXAMPLES
    ],
    ids=lambda path: path.stem,
)
def test_an_example_trains_and_its_artifact_samples(example, tmp_path, monkeypatch):
    command = [str(example), "--quick"]
    if example.stem == "dcgan":  # one stands for a process of its own
        subprocess.run(
            [sys.executable, *command], cwd=tmp_path, check=True, capture_output=True
        )
    else:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", command)
        runpy.run_path(str(example), run_name="__main__")
    artifact = Artifact(tmp_path / "runs" / "keras_io" / example.stem)
    images = artifact.sample(5, seed=1)
    side = 32 if example.stem == "ada" else 28
    assert images.shape == (5, side, side, 1)
    assert images.dtype == np.uint8
    assert images.std() > 0
    assert artifact.conditional == (example.stem == "conditional")


def code_lines(text, start=1):
    """Number of lines that hold code, from a line on; docstrings are none."""
    tree = ast.parse(text)
    (docstring, *_) = tree.body
    first = max(start, docstring.end_lineno + 1)
    lines = text.splitlines()[first - 1 :]
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") for line in lines
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_training_and_export_take_a_tenth_of_the_examples_lines(example):
    text = example.read_text()
    stated = re.sub(r"\s+", " ", ast.get_docstring(ast.parse(text)))
    of_example = int(
        re.search(r"example has (?:about )?(\d+) lines of code", stated)[1]
    )
    here = int(re.search(r"here it is (\d+)", stated)[1])
    assert code_lines(text) == here
    gan = text[: text.index("gan = ganlab.GAN(")].count("\n") + 1
    assert code_lines(text, gan) <= of_example / 10
