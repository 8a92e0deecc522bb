"""Messages are one line, and name what is known."""

import pytest

from ganlab.errors import RunError, UserError, one_line, unknown_name


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


def test_a_mistake_is_a_value_error_and_a_failed_run_is_not():
    assert issubclass(UserError, ValueError)
    assert not issubclass(RunError, ValueError)
