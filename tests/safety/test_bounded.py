import json
import struct
import zipfile

import pytest

from ganlab.errors import UserError
from ganlab.safety.bounded import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_LOG_NAMES,
    MAX_LOG_NUMBERS,
    check_log,
    check_ratio,
    lines,
    open_zip,
    parse_json,
    read_bytes,
    read_json,
    read_member,
)


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


def zipped(path, count=1, content=b"abc", suffix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(count):
            archive.writestr(f"{index}{suffix}", content)
    return path


def test_a_member_is_read(tmp_path):
    with open_zip(zipped(tmp_path / "a.zip", content=bytes(3 << 20))) as archive:
        assert read_member(archive, "0", 3 << 20) == bytes(3 << 20)
    with (
        pytest.raises(ValueError, match="0 of more than 99 bytes"),
        open_zip(tmp_path / "a.zip") as archive,
    ):
        read_member(archive, "0", 99)


def test_a_zip_file_of_too_many_members_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", 4000, b"", "a" * 300)
    with pytest.raises(ValueError, match="a table of contents of"), open_zip(path):
        pass


def test_members_within_one_another_are_refused(tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip", 2, bytes(2000)).read_bytes())
    last = content.rindex(b"PK\1\2")
    content[last + 20 : last + 28] = struct.pack("<II", 9000, 9000)
    (tmp_path / "a.zip").write_bytes(content)
    with (
        pytest.raises(ValueError, match="within one another"),
        open_zip(tmp_path / "a.zip"),
    ):
        pass


def test_whatever_a_reader_raises_is_a_value_error(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    with (
        pytest.raises(ValueError, match="not a zip file"),
        open_zip(tmp_path / "a.zip"),
    ):
        pass
    path = zipped(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="MemoryError"), open_zip(path):
        raise MemoryError


def test_a_bomb_is_refused_by_what_it_says():
    check_ratio(1 << 26, 1)
    check_ratio(250_000_000, 1_000_000)
    with pytest.raises(ValueError, match="1,000,000 bytes that unpack to 250,000,001"):
        check_ratio(250_000_001, 1_000_000)


def test_lines_are_those_of_the_text():
    for text in ("", "a", "a\n", "a\n\nb", "\n"):
        assert list(lines(text)) == text.splitlines(keepends=True)


def test_a_log_is_bounded_in_numbers_and_names():
    check_log(MAX_LOG_NUMBERS, MAX_LOG_NAMES)
    for numbers, names in ((MAX_LOG_NUMBERS + 1, 1), (1, MAX_LOG_NAMES + 1)):
        with pytest.raises(UserError, match="10,000,000 numbers under 10,000 names"):
            check_log(numbers, names)
