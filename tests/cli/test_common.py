"""What the commands share."""

import argparse
import io
import json
import sys

import pytest

from ganlab.cli.common import natural, positive, positive_number, print_json, say


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (positive, "1", 1),
        (natural, "0", 0),
        (natural, "12", 12),
        (positive_number, "0.5", 0.5),
    ],
)
def test_numbers(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (positive, "0"),
        (positive, "-1"),
        (natural, "-1"),
        (natural, "1.5"),
        (natural, ""),
        (positive_number, "0"),
        (positive_number, "inf"),
        (positive_number, "nan"),
        (positive_number, "soon"),
    ],
)
def test_other_numbers_are_refused(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"received '{text}'"):
        read(text)


def test_one_json_document(capsys):
    print_json({"name": "é", "value": None})
    printed = capsys.readouterr().out
    assert "é" in printed
    assert json.loads(printed) == {"name": "é", "value": None}


def test_a_document_of_a_strangers_text_controls_no_terminal(capsys):
    document = {"na\x1b[2Jme\n": "\x9b2J\x7f\u202e\U000e0001"}
    print_json(document)
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed) == document


def test_lines_are_said_in_any_encoding(monkeypatch):
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, "ascii"))
    say("ok", "\x1b[2J\nganlab: fine", "猫", "")
    expected = ["ok", r"\u001b[2J\nganlab: fine", r"\u732b", ""]
    assert content.getvalue().decode().splitlines() == expected
