"""A growing file is read on, and from its start where it is another."""

import pytest

from ganlab.diagnosis.logs import growing
from ganlab.diagnosis.logs.growing import CHECKED_BYTES, GrowingFile


@pytest.fixture
def path(tmp_path):
    """A path where no file is yet."""
    return tmp_path / "log"


def append(path, text):
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def test_lines_are_given_once_and_whole(path):
    file = GrowingFile(path)
    assert file.read() == ([], False)
    append(path, "one\n\ntw")
    assert file.read() == (["one", ""], False)
    assert file.read() == ([], False)
    append(path, "o\nthrée")
    assert file.read() == (["two"], False)
    assert file.read(to_end=True) == (["thrée"], False)


def test_a_letter_that_is_half_written_is_waited_for(path):
    file = GrowingFile(path)
    letter = "é".encode()
    path.write_bytes(b"a\n" + letter[:1])
    assert file.read().lines == ["a"]
    path.write_bytes(b"a\n" + letter + b"\n")
    assert file.read() == (["é"], False)


@pytest.mark.parametrize(
    "text", ["other one\n", "short\n", "", "line 0\n" + "x" * 9000 + "\n"]
)
def test_another_file_is_read_from_its_start(path, text):
    file = GrowingFile(path)
    append(path, "".join(f"line {number}\n" for number in range(1000)))
    assert len(file.read().lines) == 1000
    path.write_text(text)
    assert file.read() == (text.splitlines(), True)
    append(path, "on\n")
    assert file.read() == (["on"], False)


def test_a_file_that_went_away_and_came_back_is_another(path):
    file = GrowingFile(path)
    append(path, "one\n")
    assert file.read().lines == ["one"]
    path.unlink()
    assert file.read() == ([], True)
    append(path, "one\n")
    assert file.read() == (["one"], False)


def test_the_end_of_a_long_file_is_known_again(path):
    file = GrowingFile(path)
    append(path, "a" * (3 * CHECKED_BYTES) + "\n")
    file.read()
    append(path, "b\n")
    assert file.read() == (["b"], False)


def test_a_long_file_is_read_in_blocks_and_a_long_line_in_parts(path, monkeypatch):
    monkeypatch.setattr(growing, "BLOCK_BYTES", 1000)
    text = "".join(f"line {number}\n" for number in range(300)) + "x" * 2500 + "\nend"
    append(path, text)
    file = GrowingFile(path)
    blocks = []
    while lines := file.read(to_end=True).lines:
        blocks.append(lines)
    assert len(blocks) > 4
    every = [line for lines in blocks for line in lines]
    assert every[:300] == text.splitlines()[:300]
    assert "".join(every[300:]) == "x" * 2500 + "end"
