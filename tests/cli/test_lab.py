"""`ganlab lab`: what it prints of results, and its exit codes."""

import importlib
import json

import pytest

from ganlab.cli.main import main
from ganlab.labs import LABS, get_lab

LAB = get_lab("ring-collapse")


@pytest.fixture
def results(monkeypatch):
    """Makes labs give results without training; the claim of the second is missed."""
    measured = dict.fromkeys(LAB.log_keys, 2.0)
    run = importlib.import_module("ganlab.labs.run")
    calls = []

    def run_lab(lab, out, *, seed, stream):
        calls.append((lab.name, str(out), seed))
        arm = {"verdict": "Healthy.", "measured": dict.fromkeys(lab.log_keys)}
        cured = {**arm, "measured": measured if lab is LAB else arm["measured"]}
        return {"lab": lab.name, "shown": lab is LAB, "failing": arm, "cured": cured}

    monkeypatch.setattr(run, "run_lab", run_lab)
    return calls


def test_one_lab_is_printed(results, capsys):
    assert main(["lab", "run", "ring-collapse", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"ring-collapse: {LAB.claim}\n  {LAB.theory}\n")
    assert f"  {LAB.log_keys[0]:24}       none -> 2\n" in printed
    assert "remedy   loss=relativistic regularizer=r1+r2 beta_1=0.0" in printed
    assert results == [("ring-collapse", "labs/ring-collapse", 3)]


def test_all_labs_in_one_folder_and_a_missed_claim(results, capsys):
    assert main(["lab", "run", "all", "--out", "elsewhere", "--json"]) == 1
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == len(LABS)
    assert "not shown: flat-cross-entropy" in captured.err
    assert results[0] == ("flat-cross-entropy", "elsewhere/flat-cross-entropy", 0)
