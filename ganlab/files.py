"""Atomic writes, locks, the cache folder, and whether a folder is new."""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from ganlab.errors import RunError, UserError, brief, one_line

LEFTOVER = re.compile(r"\..+-[0-9a-f]{8}")
LOCK_NAME = ".lock"
MAX_STEM = 40  # characters of a temporary name


def _temporary(path: Path) -> Path:
    """A hidden name beside `path` with its suffix, which some writers demand.

    It holds the process and its host, so that what a crash left is known.
    """
    owner = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{path.stem[:MAX_STEM]}-{owner}{path.suffix}")


def _host() -> str:
    """Tells the machine, and on Linux the container, that process numbers are of."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _remove_own_leftovers(path: Path) -> None:
    """Removes what was to become `path` in processes of this host that have ended."""
    name = re.compile(
        rf"\.{re.escape(path.stem[:MAX_STEM])}-{_host()}-(\d+)-[0-9a-f]{{8}}"
        rf"{re.escape(path.suffix)}"
    )
    with contextlib.suppress(OSError):  # of a folder that may only be written to
        for entry in os.listdir(path.parent):
            match = name.fullmatch(entry)
            if match and not _is_running(int(match[1])):
                _remove(path.with_name(entry))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _remove(path: Path) -> None:
    """Removes a file or a folder, as far as that is allowed."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until the disk has what was written to a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cut(path: Path, size: int) -> None:
    """Cuts a file to its first bytes; removes it where there are none."""
    if size <= 0:
        path.unlink()
    elif size < path.stat().st_size:
        os.truncate(path, size)


@contextlib.contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Gives a temporary name to write to, which becomes `path` when all went well.

    A crash leaves the earlier file whole, and the temporary one until `path` is written
    again; an exception removes that.

    Args:
        path: The file. Its folder is made where it is missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_own_leftovers(path)
    temporary = _temporary(path)
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Gives a temporary folder, which becomes `path` when all went well.

    What a crash leaves of it is removed when `path` is written again. Where `path`
    exists, it is in there, for a volume cannot be replaced.

    Args:
        path: A folder that does not exist or is empty. Its parents are made.
    """
    path = Path(path)
    target = path / path.resolve().name if path.is_dir() else path
    _remove_own_leftovers(target)
    temporary = _temporary(target)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise UserError(
            f"Expected a folder that can be made. Received: {path} "
            f"({one_line(error)}); name another"
        ) from error
    try:
        yield temporary
        for entry in temporary.rglob("*"):
            sync(entry)
        sync(temporary)
        if target is path:
            temporary.replace(path)
            sync(path.parent)
        else:
            for entry in temporary.iterdir():
                entry.rename(path / entry.name)
            sync(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Removes what `atomic_file` had begun to write into a folder in a crash."""
    for path in folder.glob(".*"):
        if LEFTOVER.fullmatch(path.stem) and path.is_file():
            path.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Writes UTF-8 text atomically; bytes of a name that are no text are escaped."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def append_line(path: Path, line: str) -> None:
    """Adds one line to a text file: all of it, or where that fails none of it."""
    with path.open("ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        content = f"{line}\n".encode()
        try:
            while content:
                content = content[file.write(content) :]
        except OSError:
            file.truncate(size)
            raise


@contextlib.contextmanager
def locked_folder(path: Path | str) -> Iterator[Callable[[], None]]:
    """Keeps other processes from locking a folder for the length of the block.

    Gives a function that raises `RunError` if the folder was deleted or moved away.

    The lock is one of the system's on a file in the folder. It ends with the process,
    however that ends, and the file is removed at the end of the block.

    Args:
        path: A folder that exists.

    Raises:
        UserError: if another process, or another block, holds the folder.
    """
    lock = Path(path) / LOCK_NAME
    handle = _lock(lock)

    def check() -> None:
        if not _is_open_file(lock, handle):
            raise RunError(
                f"Expected the folder {path} to stay while it is written to. Received: "
                "none any more; it was deleted or moved"
            )

    try:
        yield check
    finally:
        if _is_open_file(lock, handle):
            lock.unlink()
        os.close(handle)


def _lock(path: Path) -> int:
    """Locks a file, made where it is missing; returns its descriptor."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_file(path, handle):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()} on {socket.gethostname()}".encode())
                return handle
        except BlockingIOError:
            holder = os.read(handle, 200).decode(errors="replace")
            os.close(handle)
            raise UserError(
                "Expected a folder that no other process writes to. Received: "
                f"{path.parent}, held by process {holder!r}; wait until it ends, or "
                "name another folder"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # of a file that its holder removed in the meantime


def _is_open_file(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except (FileNotFoundError, NotADirectoryError):
        return False


def cache_folder() -> Path:
    """Where downloads and decoded data are kept: `$XDG_CACHE_HOME/ganlab`.

    Without that variable it is `~/.cache/ganlab`. The folder may not exist.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(root) if root else Path.home() / ".cache") / "ganlab"
    except RuntimeError as error:
        raise UserError(
            "Expected a home folder for the cache. Received: none of this user; set "
            "XDG_CACHE_HOME"
        ) from error


def as_path(value: Path | str) -> Path:
    """The path of a folder, `~` expanded.

    Raises:
        UserError: for what names no folder, such as `None` or a path below a file.
    """
    try:
        path = Path(value).expanduser()
        path.lstat()
    except FileNotFoundError:
        return path
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise UserError(
            f"Expected the path of a folder. Received: {brief(value)} "
            f"({one_line(error)}); name another"
        ) from error
    return path


def check_new_folder(path: Path, kind: str, holds: str, fix: str) -> None:
    """Raises `UserError` unless `path` is a new or empty folder, but for a lock.

    It is refused too where its name is no text, which TensorFlow does not take.

    Args:
        path: The folder.
        kind: What the folder is for.
        holds: How the message describes a folder in use.
        fix: What to do instead.
    """
    check_name(path)
    if path.exists() and not is_empty(path):
        raise UserError(
            f"Expected a new or empty folder for the {kind}. Received: {path}, which "
            f"{holds}; {fix}"
        )


def new_folder(path: Path | str, kind: str, option: str) -> Path:
    """The path of a new folder, `~` expanded.

    Args:
        path: The folder.
        kind: What it is for.
        option: Of the command line, which names it.

    Raises:
        UserError: if something is there.
    """
    path = as_path(path)
    check_new_folder(path, kind, "exists", f"name another with {option}")
    return path


def is_empty(path: Path) -> bool:
    """Whether a folder holds nothing but locks and what crashes left."""
    if not path.is_dir():
        return False
    own = path / path.resolve().name
    _remove_own_leftovers(own)
    return all(entry.name == LOCK_NAME for entry in path.iterdir())


def check_name(path: Path) -> None:
    """Raises `UserError` for a path that is no text, which TensorFlow does not take."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"Expected a folder whose name is UTF-8. Received: {path}; rename it, or "
            "name another"
        ) from error
