"""Healthy cases: drawn by seed, of all kinds, with every fault off."""

import numpy as np

from ganlab.labs.cases import Case
from ganlab.labs.healthy import DATA, TOYS, choose, draw_healthy

CASES = [draw_healthy(seed) for seed in range(100)]
FAULTLESS = ("nan_share", "distinct", "still", "reversed_loss", "blind", "spike")


def test_a_case_is_a_function_of_its_seed():
    assert draw_healthy(3) == draw_healthy(3) != draw_healthy(4)


def test_all_data_and_both_trainers_are_drawn():
    assert {case.data for case in CASES} == {*DATA, *TOYS}
    assert {case.trainer for case in CASES} == {"ganlab", "keras"}
    assert {case.toy for case in CASES} == {True, False}


def test_every_fault_is_off():
    plain = Case(0, "keras", "mnist")
    for case in CASES:
        assert all(getattr(case, name) == getattr(plain, name) for name in FAULTLESS)


def test_the_output_has_the_range_of_the_data():
    ranges = {(case.value_range, case.output) for case in CASES if not case.toy}
    assert ranges == {("symmetric", "tanh"), ("unit", "sigmoid")}


def test_one_of_the_values_is_chosen():
    random = np.random.default_rng(0)
    assert {choose(random, 1, 2) for _ in range(20)} == {1, 2}
