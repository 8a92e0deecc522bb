"""Damaged files of every kind raise `UserError` alone, by scripts/fuzz.py."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "fuzz.py"
TARGETS = (
    *("card", "config", "run-log", "json", "csv"),
    *("events", "idx", "npz", "shards", "pth", "onnx"),
)


@pytest.fixture(scope="module")
def fuzz():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_reader_is_a_target(fuzz):
    assert tuple(fuzz.TARGETS) == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_a_reader_raises_one_line_alone(target, fuzz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fuzz.run_mutations(target, count=40) == 40
