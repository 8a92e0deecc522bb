import json

import pytest

from ganlab.bounded import MAX_DEPTH, MAX_DIGITS, parse_json, read_bytes, read_json
from ganlab.errors import UserError


def test_what_json_holds_is_read():
    value = {"a": [1, 2.5, -3, None, True], "b": {"c": '"[{\\'}, "d": 10**38}
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["lists", "objects"])
def test_depth_is_bounded(opening):
    closing = "]" if opening == "[" else "}"
    for depth in (MAX_DEPTH, MAX_DEPTH + 1, 200_000):
        text = opening * depth + "1" + closing * depth
        if depth == MAX_DEPTH:
            parse_json(text)
        else:
            with pytest.raises(ValueError, match="nested deeper than 64"):
                parse_json(text)


def test_brackets_in_strings_and_beside_each_other_are_not_depth():
    value = ["[" * 100, '\\"' + "{" * 100, *([[]] * 100)]
    assert parse_json(json.dumps(value)) == value


def test_digits_are_bounded():
    assert parse_json("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    for count in (MAX_DIGITS + 1, 5000):
        with pytest.raises(ValueError, match="more than 40 digits"):
            parse_json("9" * count)


def test_bytes_are_bounded(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(10))
    assert read_bytes(file, 10) == bytes(10)
    with pytest.raises(ValueError, match="more than 9 bytes"):
        read_bytes(file, 9)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe1", b"[" * 300, b"1" * 100, b'"' + b"\\" * 99, b" " * 2000],
    ids=["empty", "torn", "utf-16", "deep", "digits", "backslashes", "large"],
)
def test_a_file_that_is_refused_is_a_mistake_in_one_line(content, tmp_path):
    file = tmp_path / "card.json"
    file.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        read_json(file, 1000)
    message = str(refusal.value)
    assert message.startswith(f"Expected JSON in {file}. Received: ")
    assert "\n" not in message


def test_a_byte_order_mark_is_no_fault(tmp_path):
    file = tmp_path / "card.json"
    file.write_bytes(b"\xef\xbb\xbf{}")
    assert read_json(file) == {}
