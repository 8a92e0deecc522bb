"""One row of the table of settings."""

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
