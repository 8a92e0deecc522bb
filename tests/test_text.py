"""No text can control a terminal, forge a line, or become a formula."""

import io
import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from ganlab.errors import RunError, UserError
from ganlab.text import MAX_DRAWN_LENGTH, drawable, printable


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain, naïve 猫, 100 %", "plain, naïve 猫, 100 %"),
        ("\x1b[2J\rganlab: done\n", r"\u001b[2J\rganlab: done\n"),
        ("\x9b2J\x7f", r"\u009b2J\u007f"),
        ("a\u202etxt.exe\u2028b", r"a\u202etxt.exe\u2028b"),
        ("\udc80", r"\udc80"),
        ("\U000e0001", r"\udb40\udc01"),
        (7, "7"),
    ],
)
def test_control_characters_are_escaped(text, escaped):
    assert printable(text) == escaped


@given(st.text(st.characters(codec=None), max_size=40))
def test_what_is_printed_is_one_line_and_controls_nothing(text):
    line = printable(text)
    assert all(unicodedata.category(character)[0] != "C" for character in line)
    assert len(line.splitlines()) <= 1
    assert printable(line) == line


@pytest.mark.parametrize(
    "text", ["a$b$", "$", r"\$", r"$\frac{", "a$b\n$", "$$", "x" * 9999]
)
def test_matplotlib_draws_a_name_as_it_is(text):
    figure = Figure()
    figure.suptitle(drawable(text))
    figure.savefig(io.BytesIO(), format="svg")
    assert len(drawable(text)) <= MAX_DRAWN_LENGTH + text.count("$")


@pytest.mark.parametrize("kind", [UserError, RunError])
def test_an_error_controls_no_terminal(kind):
    error = kind("Received: \x1b[2J\nganlab: fine")
    assert str(error) == r"Received: \u001b[2J\nganlab: fine"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
