"""The benchmark of serving, with its smallest settings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "benchmarks" / "serving.py"


@pytest.mark.e2e
def test_the_benchmark_of_serving_writes_a_table(tmp_path):
    words = ["--seconds", "0.5", "--clients", "4", "--counts", "1", "3"]
    command = [sys.executable, SCRIPT, *words, "--only", "ganlab", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| ganlab serve | 3 |" in done.stdout
    report = json.loads((tmp_path / "out" / "serving.json").read_text())
    assert report["direct"]["images_per_cpu_second"] > 0
    for count in (1, 3):
        row = report[f"ganlab {count}"]
        assert set(row["statuses"]) == {"200"}
        assert row["images_per_cpu_second"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"]
