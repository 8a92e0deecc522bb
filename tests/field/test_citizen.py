"""Every case of `scripts/benchmarks/citizen.py`; those that train are `e2e`."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
try:
    cases = importlib.import_module("citizen_cases.case")
    CASES = importlib.import_module("citizen_cases").CASES
    devices = importlib.import_module("citizen_cases.devices")
    citizen = importlib.import_module("citizen")
finally:
    sys.path.remove(str(BENCHMARKS))


SLOW = ("compile-jit", "mirrored-penalties", "optimizer-lamb")


def marked(case):
    marks = [] if case.outcome == "refused" else [pytest.mark.e2e]
    if case.name in SLOW:
        marks.append(pytest.mark.slow)
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.e2e
@pytest.mark.parametrize("case", [marked(case) for case in CASES.values()])
def test_what_a_user_brings_works_or_is_refused(case, strategy, monkeypatch):
    monkeypatch.setattr(devices, "strategy", lambda: strategy)
    outcome = cases.tried(case)
    if outcome.startswith("skipped"):
        pytest.skip(outcome)
    assert not outcome.startswith("FAULT"), f"{case.brings} Right: {case.right}."


def outcome_of(run, outcome="works", right="do this"):
    case = cases.Case("case", "group", "brings", right, outcome, run)
    return cases.tried(case)


def refuses(message):
    def run():
        raise cases.UserError(message)

    return run


LINE = "Expected one. Received: two; do this"


@pytest.mark.parametrize(
    ("run", "outcome", "told"),
    [
        (lambda: True, "works", "works"),
        (lambda: False, "works", "FAULT: did something else"),
        (lambda: 1 / 0, "works", "FAULT: ZeroDivisionError: division by zero"),
        (refuses(LINE), "works", f"FAULT: refused: {LINE}"),
        (refuses(LINE), "refused", f"refused: {LINE}"),
        (refuses(LINE.replace("this", "that")), "refused", "FAULT: refused without"),
        (refuses("do this"), "refused", "FAULT: no line of what was expected"),
        (lambda: True, "refused", "FAULT: was not refused"),
        (lambda: True, "warns", "FAULT: did not warn"),
    ],
)
def test_what_counts_as_right(run, outcome, told):
    assert outcome_of(run, outcome).startswith(told)


def test_names_choose_cases_and_groups():
    assert len(citizen.chosen([])) == len(CASES) > 110
    assert {case.group for case in citizen.chosen(["labels"])} == {"labels"}
    assert [case.name for case in citizen.chosen(["npy-file"])] == ["npy-file"]
    with pytest.raises(cases.UserError, match="the groups are"):
        citizen.chosen(["lables"])
