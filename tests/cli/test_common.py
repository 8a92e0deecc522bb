"""What the commands share."""

import argparse
import json

import pytest

from ganlab.cli.common import natural, positive, print_json


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [(positive, "1", 1), (natural, "0", 0), (natural, "12", 12)],
)
def test_whole_numbers(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (positive, "0"),
        (positive, "-1"),
        (natural, "-1"),
        (natural, "1.5"),
        (natural, ""),
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
