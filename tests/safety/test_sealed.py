"""A sealed file is known to be whole, whichever byte is changed."""

import json
import zipfile

import numpy as np
import pytest

from ganlab.safety import sealed


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("weights", bytes(range(256)))
    return path


def test_notes_and_arrays_come_back(path):
    assert sealed.read_notes(path) == {}
    assert sealed.read_arrays(path) == {}
    arrays = {"weights/0": np.arange(3.0), "weights/1": np.ones((2, 2), np.float32)}
    sealed.seal(path, {"step": 7, "recipe": {"loss": "hinge"}}, arrays)
    assert sealed.read_notes(path) == {"step": 7, "recipe": {"loss": "hinge"}}
    kept = sealed.read_arrays(path)
    assert list(kept) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(kept[name], array)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("config.json") == b"{}"


def test_any_byte_that_is_changed_is_noticed(path):
    sealed.seal(path, {"step": 7})
    assert sealed.damage(path) is None
    content = path.read_bytes()
    mark = content.rindex(sealed.MARK)
    positions = [*range(0, mark, 7), mark - 1, len(content) - 1]
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 4
        path.write_bytes(changed)
        assert sealed.damage(path) is not None, position
    for length in (0, 1, mark, len(content) - 1):
        path.write_bytes(content[:length])
        assert sealed.damage(path) is not None, length
    path.write_bytes(content)
    assert sealed.damage(path) is None


def test_a_file_without_a_seal_is_held_to_its_checksums(path):
    assert sealed.damage(path) is None
    content = path.read_bytes()
    path.write_bytes(content.replace(bytes(range(256)), bytes(256)))
    assert sealed.damage(path) == "the checksum of weights differs"
    assert sealed.damage(path.with_name("b.keras")) == "No such file or directory"


@pytest.mark.parametrize("text", ["[1]", "{", "1" * 5000])
def test_notes_that_are_no_object_are_refused(path, text):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(sealed.NOTES, text)
    with pytest.raises(ValueError):  # noqa: PT011
        sealed.read_notes(path)


def test_notes_without_end_are_refused(path, monkeypatch):
    sealed.seal(path, {"step": 7})
    monkeypatch.setattr(sealed, "MAX_NOTES", len(json.dumps({"step": 7})) - 1)
    with pytest.raises(ValueError, match="more than 64 MB"):
        sealed.read_notes(path)
    path.write_bytes(b"no zip file")
    with pytest.raises(OSError, match="not a zip file"):
        sealed.read_notes(path)
