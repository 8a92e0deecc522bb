"""Files are written whole or not at all; a folder has one writer at a time."""

import contextlib
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ganlab import files
from ganlab.errors import RunError, UserError


def test_text_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "page.md"
    files.write_text(path, "Fréchet\n")
    files.write_text(path, "Inception\n")
    assert path.read_text(encoding="utf-8") == "Inception\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_crash_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "scores.json"
    files.write_text(path, "{}")
    with pytest.raises(ZeroDivisionError), files.atomic_file(path) as temporary:
        temporary.write_text('{"fid": ') and 1 / 0
    assert json.loads(path.read_text()) == {}
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_is_beside_the_file_with_its_suffix(tmp_path):
    with files.atomic_file(tmp_path / "step.keras") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".keras"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"weights")
    assert (tmp_path / "step.keras").read_bytes() == b"weights"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "cache" / "images"
    with pytest.raises(ZeroDivisionError), files.atomic_folder(folder) as temporary:
        (temporary / "first.npy").write_bytes(b"1") and 1 / 0
    assert list(folder.parent.iterdir()) == []
    with files.atomic_folder(folder) as temporary:
        (temporary / "first.npy").write_bytes(b"1")
        assert not folder.exists()
    assert list(folder.parent.iterdir()) == [folder]
    assert (folder / "first.npy").read_bytes() == b"1"


def test_the_cache_folder_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / "ganlab"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert files.cache_folder() == Path.home() / ".cache" / "ganlab"


def test_a_folder_in_use_is_refused(tmp_path):
    files.check_new_folder(tmp_path, "run", "is in use", "name another")
    files.check_new_folder(tmp_path / "new", "run", "is in use", "name another")
    (tmp_path / "notes.txt").write_text("mine")
    message = "new or empty folder for the run. Received: .* is in use; name another"
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UserError, match=message):
            files.check_new_folder(path, "run", "is in use", "name another")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def refuse():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", refuse)
    with pytest.raises(UserError, match="home folder.*set XDG_CACHE_HOME"):
        files.cache_folder()


def test_what_a_crash_left_is_removed(tmp_path):
    with files.atomic_file(tmp_path / "step-1.keras") as temporary:
        temporary.write_bytes(b"weights")
        left = tmp_path / f"{temporary.stem}{temporary.suffix}"
    left.write_bytes(b"half")
    (tmp_path / ".gitignore").touch()
    files.remove_leftovers(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"step-1.keras", ".gitignore"}


LEAVE = """
import sys
from ganlab.files import atomic_file, atomic_folder
writer = {"file": atomic_file, "folder": atomic_folder}[sys.argv[1]]
with writer(sys.argv[2]) as temporary:
    path = temporary if sys.argv[1] == "file" else temporary / "half"
    path.write_text("half")
    print(temporary, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def leave(kind, path):
    """Runs a writer that dies at the end of the block; gives its temporary path."""
    command = [sys.executable, "-c", LEAVE, kind, path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as writer:
        yield Path(writer.stdout.readline().strip())
        writer.kill()


@pytest.mark.parametrize("kind", ["file", "folder", "folder that exists"])
def test_the_next_writer_removes_what_a_crash_of_the_same_left(tmp_path, kind):
    kind, _, exists = kind.partition(" ")
    path, other = tmp_path / "art.png", tmp_path / "art2.png"
    if exists:
        path.mkdir()
        other.mkdir()
    with leave(kind, path) as left, leave(kind, other) as other_left:
        assert left.exists()
        assert other_left.exists()
    writer = {"file": files.atomic_file, "folder": files.atomic_folder}[kind]
    with leave(kind, path) as in_use, writer(path) as temporary:
        content = temporary if kind == "file" else temporary / "whole"
        content.write_text("whole")
        assert not left.exists()
        assert other_left.exists()
        assert in_use.exists()
    assert (path if kind == "file" else path / "whole").read_text() == "whole"


def test_a_folder_with_what_a_crash_left_is_empty(tmp_path):
    with leave("folder", tmp_path) as left:
        assert left.parent == tmp_path
    files.check_new_folder(tmp_path, "run", "is in use", "name another")
    assert not left.exists()


def test_a_long_name_has_room_for_a_temporary_one(tmp_path):
    path = tmp_path / f"{'é' * 120}.json"
    files.write_text(path, "{}")
    assert list(tmp_path.iterdir()) == [path]


def test_bytes_of_a_name_that_are_no_text(tmp_path):
    files.write_text(tmp_path / "page.md", "a\udcff")
    assert (tmp_path / "page.md").read_text() == r"a\udcff"
    message = r"whose name is UTF-8. Received: .*a\\udcff; rename it"
    with pytest.raises(UserError, match=message):
        files.check_new_folder(tmp_path / "a\udcff", "run", "is in use", "")


def test_a_line_that_does_not_fit_leaves_nothing(tmp_path):
    path = tmp_path / "metrics.jsonl"
    files.append_line(path, "first")
    files.append_line(path, "second")
    assert path.read_text() == "first\nsecond\n"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            files.append_line(path, "third" * 9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_text() == "first\nsecond\n"


HOLD = """
import sys
from ganlab.files import locked_folder
with locked_folder(sys.argv[1]):
    print("holds", flush=True)
    sys.stdin.read()
"""


def test_a_folder_has_one_writer_and_a_crash_lets_it_go(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as holder:
        assert holder.stdout.readline() == "holds\n"
        message = f"no other process writes to.*'{holder.pid} on .*name another"
        with pytest.raises(UserError, match=message), files.locked_folder(tmp_path):
            pytest.fail("is locked")
        holder.kill()
    assert [path.name for path in tmp_path.iterdir()] == [files.LOCK_NAME]
    files.check_new_folder(tmp_path, "run", "is in use", "name another")
    with (
        files.locked_folder(tmp_path),
        pytest.raises(UserError),
        files.locked_folder(tmp_path),
    ):
        pytest.fail("is locked")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_folder_that_was_deleted_ends(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with files.locked_folder(folder) as check:
        check()
        (folder / files.LOCK_NAME).unlink()
        with files.locked_folder(folder):  # as its new owner would
            pass
        folder.rmdir()
        with pytest.raises(RunError, match="it was deleted or moved"):
            check()


@pytest.mark.parametrize("value", [None, 5, b"folder", "a\0b", "x" * 300])
def test_what_names_no_folder_is_refused(value):
    with pytest.raises(UserError, match="Expected the path of a folder"):
        files.as_path(value)


def test_a_path_is_of_the_home_folder_and_below_folders_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.as_path("~/new") == tmp_path / "new"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="name another"):
        files.as_path(tmp_path / "file" / "new")
