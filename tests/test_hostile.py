"""The table of hostile inputs judges as it says, and the audit lists what there is."""

import json
import runpy
import subprocess
import sys
import types
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


ANSWERS = {
    "knows nothing": {"name": "numpy", "version": "1", "vulns": []},
    "knows a fault": {
        "name": "numpy",
        "version": "1",
        "vulns": [{"id": "PYSEC-1", "fix_versions": ["2", "3"]}],
    },
    "does not know it": {"name": "numpy", "skip_reason": "not found on PyPI"},
}


@pytest.mark.parametrize(
    ("service", "code", "line"),
    [
        ("knows nothing", 0, "audited: 1 packages, 0 known faults"),
        ("knows a fault", 1, "vulnerable: numpy 1, PYSEC-1, mended in 2, 3"),
        ("does not know it", 0, "not audited: 1 of 1 packages, the first by: not f"),
        ("fails", 0, "not audited: pip-audit failed (no reply)"),
        ("is away", 0, "is not reached (<urlopen error"),
        ("is not installed", 0, "not audited: pip-audit is not installed"),
    ],
    ids=str,
)
def test_the_audit_says_what_the_service_knows(
    tmp_path, monkeypatch, capsys, service, code, line
):
    audit = runpy.run_path(str(SCRIPTS / "audit.py"))
    stand_in = tmp_path / "pip_audit"
    stand_in.mkdir()
    (stand_in / "__init__.py").touch()
    answer = {"dependencies": [ANSWERS[service]]} if service in ANSWERS else None
    (stand_in / "__main__.py").write_text(
        "import sys\n"
        "assert sys.stdin.read() == 'numpy==1'\n"
        + (
            "sys.exit('no reply')"
            if answer is None
            else f"print({json.dumps(answer)!r})"
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = audit["audit"].__globals__
    reached = tmp_path / (
        "nothing" if service == "is away" else "pip_audit/__init__.py"
    )
    monkeypatch.setitem(names, "SERVICE", reached.as_uri())
    if service == "is not installed":
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    packages = {"numpy": types.SimpleNamespace(version="1")}
    assert audit["audit"](packages) == code
    printed = capsys.readouterr().out
    assert line in printed
    assert all(
        row.startswith(("audited", "not audited", "vuln"))
        for row in printed.splitlines()
    )


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


def test_a_limit_is_run_in_namespaces_and_what_is_left_is_looked_at(
    monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    hostile = runpy.run_path(str(SCRIPT))
    limits = [case for case in hostile["CASES"] if case.kind == "limits"]
    assert all(case.before for case in limits)
    words = hostile["words_of"](limits[0])
    assert words[:2] == ["unshare", "-rm"]
    (tmp_path / "half.keras").write_bytes(b"half")
    command = ["bash", "-c", f"code=1\n{hostile['CHECK']}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "half done: 'half.keras'")
    (tmp_path / "half.keras").unlink()
    assert subprocess.run(command, cwd=tmp_path).returncode == 1


def test_a_signal_that_a_command_hears_too_late_is_a_fault(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    signals = runpy.run_path(str(SCRIPT.with_name("signals.py")))
    right = {
        **{"reached": True, "processor_seconds": 1.0, "seconds": 9.0, "exit": 143},
        **{"log": True, "report": True, "temporary": [], "signal": "SIGTERM"},
    }
    told = "0/6\nganlab: stopped\n"
    assert signals["fault_of"](right, 15, told) == ""
    for changes, printed in (
        ({"reached": False}, told),
        ({"processor_seconds": 5.1}, told),
        ({"seconds": 130.0}, told),
        ({"exit": 0}, told),
        ({"report": False}, told),
        ({"temporary": [".a-1"]}, told),
        ({}, "Traceback\nganlab: stopped\n"),
        ({}, "stopped\n"),
    ):
        assert signals["fault_of"](right | changes, 15, printed)
    twice = {"signal": "SIGINT twice", "exit": -2, "report": False}
    assert signals["fault_of"](right | twice, 2, "") == ""
    rows = [
        right | {"phase": "a step", "delay": 0.4},
        right | twice | {"phase": "a step"},
    ]
    assert "| a step | SIGTERM after 0.4 s | 1.0 (9.0) | 1.0 (9.0) |" in signals[
        "table"
    ](rows)


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
