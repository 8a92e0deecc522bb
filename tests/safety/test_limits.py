"""A limit of the machine is told from other errors, and says what to do."""

import errno
import os

import pytest
import tensorflow as tf

from ganlab.errors import RunError, UserError
from ganlab.safety.limits import limit_reached, usable_cores


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.keras"), "free some"),
        (OSError(errno.EROFS, "Read-only file system", "run"), "run: Read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "permissions"),
        (OSError(errno.EMFILE, "Too many open files", "x"), "ulimit -n"),
        (OSError("errno = 28, error message = 'No space left on device'"), "disk"),
        (tf.errors.UnknownError(None, None, "x; Too many open files"), "ulimit -n"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM a\nb"), "OOM a; lower"),
        (MemoryError(), "MemoryError; lower the batch size"),
        (OSError("50176 requested and 8064 written"), "in part; free some"),
        (ImportError("a.so: failed to map segment from shared object"), "ulimit -v"),
        (RuntimeError("std::bad_alloc"), "lower the batch size"),
        (RuntimeError("can't start new thread"), "ulimit -u and ulimit -v"),
        (FileNotFoundError(2, "No usable temporary directory found in []"), "TMPDIR"),
    ],
    ids=[
        *("disk", "read-only", "denied", "files", "hdf5", "tf files", "tf", "memory"),
        *("numpy", "library", "c++", "thread", "temporary"),
    ],
)
def test_a_limit_says_what_to_do(error, text):
    line = limit_reached(error)
    assert line.startswith("Expected")
    assert text in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "error", [UserError("a"), RunError("b"), FileNotFoundError(2, "No"), KeyError("c")]
)
def test_another_error_is_no_limit(error):
    assert limit_reached(error) is None


def test_there_is_a_core_where_the_system_does_not_say_which(monkeypatch):
    assert usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr("os.sched_getaffinity")
    assert usable_cores() == os.cpu_count()
