"""What the machine has: its cores, and what to do where disk or memory end."""

import errno
import os

from ganlab.errors import RunError, UserError, one_line

DISK_FULL = "Expected room on the disk. Received: {}; free some"
NOT_WRITABLE = (
    "Expected a file or folder that may be read and written. Received: {}; "
    "check its permissions, or name another"
)
OPEN_FILES = (
    "Expected to open one more file. Received: {}; close other programs, or raise "
    "the limit: ulimit -n 4096"
)
MEMORY = (
    "Expected more memory than there is. Received: {}; lower the batch size, or the "
    "size or number of the images, or raise the limit: ulimit -v"
)
THREADS = (
    "Expected to start one more thread. Received: {}; close other programs, or raise "
    "the limits: ulimit -u and ulimit -v"
)
TEMPORARY = (
    "Expected a folder for temporary files. Received: {}; free some space, or name one "
    "in TMPDIR"
)
BY_NUMBER = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: DISK_FULL,
    errno.EROFS: NOT_WRITABLE,
    errno.EACCES: NOT_WRITABLE,
    errno.EPERM: NOT_WRITABLE,
    errno.EMFILE: OPEN_FILES,
    errno.ENFILE: OPEN_FILES,
    errno.ENOMEM: MEMORY,
}
OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError")
QUOTED = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EROFS, errno.EMFILE, errno.ENOMEM),
)
BY_TEXT = {
    **{os.strerror(number): BY_NUMBER[number] for number in QUOTED},
    " requested and ": DISK_FULL.format("an array that was written in part"),  # NumPy's
    "failed to map segment": MEMORY,
    "bad_alloc": MEMORY,
    "can't start new thread": THREADS,
    "No usable temporary directory": TEMPORARY,
}


def is_of_machine(error: BaseException) -> bool:
    """Whether an exception tells of the machine's memory or open files, not a file."""
    numbers = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in numbers


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_reached(error: BaseException) -> str | None:
    """What to do about an exception, in one line, if a limit of the machine is why.

    Args:
        error: Any exception. Libraries that report the system's error in their own
            words, such as TensorFlow and HDF5, are understood.

    Returns:
        The line, or `None` if the exception has another reason.
    """
    if isinstance(error, (UserError, RunError)):
        return None
    if isinstance(error, OSError) and error.errno in BY_NUMBER:
        name = "" if error.filename is None else f"{error.filename}: "
        return BY_NUMBER[error.errno].format(f"{name}{error.strerror}")
    text = str(error)
    for quoted, line in BY_TEXT.items():
        if quoted in text:
            return line.format(quoted)
    if any(kind.__name__ in OUT_OF_MEMORY for kind in type(error).__mro__):
        first = text.partition("\n")[0] or type(error).__name__
        return MEMORY.format(one_line(Exception(first)))
    return None
