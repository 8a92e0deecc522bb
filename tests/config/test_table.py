"""One row of the table of settings."""

import math

import numpy as np
import pytest

from ganlab.config.table import Setting
from ganlab.errors import UserError


@pytest.mark.parametrize(
    ("setting", "bounds"),
    [
        (Setting("", "Run"), ""),
        (Setting("", "Run", minimum=1), "1 or more"),
        (Setting("", "Run", above=0, maximum=1), "above 0 and at most 1"),
        (Setting("", "Run", minimum=0, below=0.5), "0 or more and under 0.5"),
        (Setting("", "Run", minimum=16, maximum=128), "16 to 128"),
    ],
)
def test_bounds_in_words(setting, bounds):
    assert setting.bounds == bounds
    assert setting.values == bounds


def test_unset_is_allowed_where_it_means_something():
    Setting("", "Run", minimum=1, unset="the data's own").check(None)
    with pytest.raises(UserError, match="Unknown kind. Expected one of: a, b"):
        Setting("", "Run", choices=("a", "b"), name="kind").check(None)


def test_names_and_defaults_in_words():
    setting = Setting("", "Run", name="batch_size", default=64)
    assert (setting.words, setting.option) == ("batch size", "--batch-size")
    assert setting.default_text == "64"
    assert Setting("", "Run", default=False).default_text == "false"
    assert Setting("", "Run", unset="the data's own").default_text == "the data's own"


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (int, [1.5, "2", math.nan], [0, np.int64(3)]),
        (float, [math.nan, math.inf, -math.inf, "1", 1j], [0.5, 1, np.float32(2)]),
        (bool, [1, "true"], [True]),
        (str, [1, b"a"], ["a"]),
    ],
)
def test_a_value_of_another_kind_is_refused(kind, wrong, right):
    setting = Setting("", "Run", name="some_number", kind=kind)
    for value in right:
        setting.check(value)
    for value in wrong:
        with pytest.raises(UserError, match="Expected some number, .*Received: "):
            setting.check(value)
