"""The table of hostile inputs judges as it says, and the audit lists what there is."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
SCRIPT = SCRIPTS / "benchmarks" / "hostile.py"


def test_the_audit_lists_what_ganlab_brings_with_licences():
    audit = runpy.run_path(str(SCRIPTS / "audit.py"))
    packages = audit["dependencies"]("ganlab")
    assert {"numpy", "keras", "protobuf"} <= set(packages)
    assert "pytest" not in packages
    licences = {name: audit["licence"](packages[name]) for name in packages}
    assert licences["numpy"].startswith("BSD-3-Clause")
    assert not [text for text in licences.values() if "\n" in text]


def test_a_hostile_input_that_ends_otherwise_is_a_fault(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    hostile = runpy.run_path(str(SCRIPT))
    names = [(case.kind, case.name) for case in hostile["CASES"]]
    assert len(set(names)) == len(names) > 80
    case = hostile["Case"]("card", "a", lambda folder: None, ("sample", "a"))
    right = {"exit": 2, "processor_seconds": 1.0, "seconds": 1.0, "peak_gb": 0.1}
    told = "ganlab: Expected a. Received: b\n"
    assert hostile["fault_of"](case, right, told) == ""
    for changes, printed in (
        ({}, "Traceback (most recent call last):\nganlab: a\n"),
        ({}, "ganlab: \x1b[2J\n"),
        ({}, "ganlab: a\nganlab: b\n"),
        ({}, "Aborted\n"),
        ({"exit": 0}, told),
        ({"exit": -6}, told),
        ({"processor_seconds": 11.0}, told),
        ({"seconds": 200.0}, told),
        ({"peak_gb": 1.1}, told),
    ):
        assert hostile["fault_of"](case, right | changes, printed)


@pytest.mark.e2e
def test_hostile_inputs_are_run_once_and_become_a_table(tmp_path):
    page, log = tmp_path / "table.md", tmp_path / "hostile.jsonl"
    options = ["settings", "--out", str(tmp_path), "--markdown", str(page)]
    counts = []
    for _ in range(2):
        command = [sys.executable, str(SCRIPT), *options]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert "0 do not hold" in done.stdout
        counts.append(len(log.read_text().splitlines()))
    assert counts[0] == counts[1]
    assert len(page.read_text().splitlines()) == counts[0] + 6
