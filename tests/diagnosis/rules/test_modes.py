"""Rules of diversity."""

import numpy as np
import pytest

CASES = [
    ("mode_collapse", {"pairwise_ratio": 0.05}, {}),
    ("mode_collapse", {"nearest_ratio": 0.01}, {}),
    ("mode_collapse", {"duplicate_share": 0.9}, {}),
    ("mode_collapse", {"modes_hit": 2.0}, {"data": "ring"}),
    ("mode_dropping", {"modes_hit": 6.0}, {"data": "ring"}),
    ("mode_dropping", {"recall": 0.01}, {}),
    ("ignored_labels", {"label_accuracy": 0.1}, {}),
    ("memorisation", {"copied_share": 0.5}, {}),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


def test_lost_modes_are_one_finding(make_log, names_of):
    assert names_of(make_log({"modes_hit": 2.0}, {"data": "ring"})) == ["mode_collapse"]
    assert names_of(make_log({"modes_hit": 8.0}, {"data": "ring"})) == []


def test_labels_that_are_being_learned_are_not_ignored(make_log, names_of):
    learning = np.linspace(0.05, 0.45, 40)
    assert names_of(make_log({"label_accuracy": learning})) == []


def test_what_looks_bad_has_not_dropped_modes(make_log, names_of):
    assert names_of(make_log({"recall": 0.01, "precision": 0.3})) == []
