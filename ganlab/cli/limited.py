"""Runs a command where memory is limited: TensorFlow ends the process, and says no why.

Under `ulimit -v` its allocator and its threads abort instead of raising. A process that
waits for another says what to do about it.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable

from ganlab.errors import RunError
from ganlab.safety.interruption import SIGNALS

LIMITS = {resource.RLIMIT_AS: "-v", resource.RLIMIT_DATA: "-d"}
ABORTS = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGTRAP)
C_LIBRARY_ABORT = 127  # glibc's exit code, of no memory for a thread
MIN_BYTES = 250_000_000  # in less OpenBLAS ends the process, or tries without end
TENSORFLOW_BYTES = 2_000_000_000  # likewise, with TensorFlow's libraries
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def memory_limit() -> tuple[int, str] | None:
    """The smallest limit of memory in bytes, and in words; `None` without one."""
    sizes = {resource.getrlimit(limit)[0]: option for limit, option in LIMITS.items()}
    sizes.pop(resource.RLIM_INFINITY, None)
    if not sizes:
        return None
    size = min(sizes)
    return size, f"{size / 1e9:.2f} GB by ulimit {sizes[size]}"


def check_memory(num_bytes: int) -> None:
    """Raises `RunError` where memory is limited to less than a number of bytes."""
    limit = memory_limit()
    if limit is not None and limit[0] < num_bytes:
        raise RunError(
            f"Expected {num_bytes / 1e9:.2f} GB of memory or more. Received: a limit "
            f"of {limit[1]}; raise it"
        )


def run_limited(command: Callable[[], int]) -> int:
    """Runs a command, in a process of its own where memory is limited.

    Signals to this process are passed on, and that one ends with this.

    Args:
        command: Function that returns an exit code.

    Returns:
        The command's exit code.

    Raises:
        RunError: if the command's process was aborted, or there is too little memory.
    """
    limit = memory_limit()
    if limit is None:
        return command()
    check_memory(MIN_BYTES)
    if not hasattr(signal, "sigwaitinfo"):  # as on macOS
        return command()
    waited = {signal.SIGCHLD, *SIGNALS}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    child = os.fork()
    if not child:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        return command()
    try:
        status = _wait(child, waited)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if -status in ABORTS or status == C_LIBRARY_ABORT:
        name = signal.Signals(-status).name if status < 0 else f"exit {status}"
        raise RunError(
            f"Expected more memory than {limit[1]}. Received: an abort ({name}); "
            "raise the limit, or lower the batch size; a run goes on from its last "
            "checkpoint with --resume"
        )
    return status if status >= 0 else 128 - status


def _wait(child: int, waited: set[signal.Signals]) -> int:
    """The exit code of a child, or minus the signal that ended it."""
    while True:
        received = signal.sigwaitinfo(waited)
        if received.si_signo == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        elif received.si_code <= 0:  # a terminal's go to both processes
            os.kill(child, received.si_signo)
