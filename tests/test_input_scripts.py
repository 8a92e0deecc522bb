"""The benchmarks of memory and of input, with their smallest settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts" / "benchmarks"


def run(script, *arguments, cwd):
    """Runs a script as a user would; returns what it prints."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_benchmarks_of_memory_and_of_streaming_write_tables(tmp_path):
    printed = run("training_memory.py", "--only", 0, cwd=tmp_path)
    ratio = float(printed.splitlines()[-1].split(" | ")[-1].strip(" |"))
    assert 1 / 1.5 < ratio < 1.5
    small = ["--num-images", 640, "--batches", 5, "--steps", 2, "--out", "out"]
    printed = run("streaming.py", *small, cwd=tmp_path)
    assert [line.split(" | ")[0] for line in printed.splitlines()[2:]] == [
        "| folder, memory",
        "| folder, streamed",
        "| TFRecord, streamed",
        "| WebDataset, streamed",
    ]
