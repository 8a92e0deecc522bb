"""Messages are one line, and name what is known."""

import numpy as np
import pytest

from ganlab.errors import (
    RunError,
    UserError,
    as_count,
    brief,
    one_line,
    unknown_name,
)


def test_an_unknown_name_lists_the_known_ones():
    error = unknown_name("loss", "hing", ["hinge", "wasserstein"])
    assert isinstance(error, UserError)
    expected = "Unknown loss. Expected one of: hinge, wasserstein. Received: 'hing'"
    assert str(error) == expected


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\n  lines"), "two lines"),
        (ValueError("x" * 500), "x" * 160),
        (KeyError(), "KeyError"),
    ],
)
def test_an_exception_becomes_one_line(error, text):
    assert one_line(error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (3, "3 (int)"),
        (UserError, "the class UserError"),
        (["a", 1], "['a', 1] (list)"),
        (object(), "an instance of object"),
        ("l1\nl2", r"'l1\nl2' (str)"),
    ],
)
def test_a_value_is_told_with_its_class(value, text):
    assert brief(value) == text


def test_a_value_of_many_parts_or_lines_is_cut():
    class Poem:
        def __repr__(self):
            return "two\nlines"

    assert brief(Poem()) == "two lines (Poem)"
    assert len(brief(list(range(1000)))) < 60


def test_a_mistake_is_a_value_error_and_a_failed_run_is_not():
    assert issubclass(UserError, ValueError)
    assert not issubclass(RunError, ValueError)


@pytest.mark.parametrize("value", [0, -3, 1.5, "2", None, True, 2**63])
def test_a_count_is_an_integer_of_a_minimum_or_more(value):
    as_count("steps", 1)
    as_count("seed", 0, 0)
    as_count("steps", np.int64(3))
    with pytest.raises(UserError, match=r"Expected steps of 1 or more, an int"):
        as_count("steps", value)
