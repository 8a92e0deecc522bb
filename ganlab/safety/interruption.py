"""Signals that end a run: heeded at once, or where nothing is half done."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)

ECHO_SECONDS = 1.0  # in which `timeout` and job schedulers send a signal twice
GRACE_SECONDS = 1.0


class Interrupted(KeyboardInterrupt):
    """Raised where a signal ends the run.

    Args:
        number: Integer: the signal's number.
        message: What to tell the user, in one line.
    """

    def __init__(self, number: int, message: str = "stopped") -> None:
        super().__init__(message)
        self.number = number

    @classmethod
    def of(cls, stop: KeyboardInterrupt, message: str) -> "Interrupted":
        """The same interruption with another message."""
        return cls(getattr(stop, "number", signal.SIGINT), message)

    @property
    def exit_code(self) -> int:
        """What a process that the signal ended exits with: 130 for Ctrl-C."""
        return 128 + self.number


class _State:
    """What is known of signals in this process."""

    pending: int | None = None
    last: int | None = None
    received = 0.0
    held = False


def _receive(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if number == _State.last:
        if number == signal.SIGINT:
            _State.held = False  # the second Ctrl-C does not wait
        elif not _State.held and now - _State.received < ECHO_SECONDS:
            return
    _State.last, _State.received = number, now
    if not _State.held:
        raise Interrupted(number)
    _State.pending = number


@contextmanager
def handled() -> Iterator[None]:
    """Raises `Interrupted` in this block for Ctrl-C, SIGTERM and SIGHUP.

    A signal that the caller handles or ignores itself, as under `nohup`, is left as
    it is; so is every one outside the main thread. Blocks may be nested.

    Raises:
        Interrupted: at once, or after `hold` in `heed` or at the end of the block. The
            second Ctrl-C is never held. Any other signal that comes twice within a
            second counts once.
    """
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                replaced[number] = signal.signal(number, _receive)
    held = _State.held
    try:
        yield
        heed()
    finally:
        _State.held = held
        for number, handler in replaced.items():
            signal.signal(number, handler)
        if replaced:
            _State.pending = _State.last = None


def hold() -> None:
    """Holds signals back from now on, until the innermost `handled` block ends."""
    _State.held = True


def is_held() -> bool:
    """Whether signals are held back."""
    return _State.held


def heed() -> None:
    """Raises `Interrupted` if a signal was held back."""
    number, _State.pending = _State.pending, None
    if number is not None:
        raise Interrupted(number)


@contextmanager
def at_once() -> Iterator[None]:
    """Lets a signal interrupt this block, which leaves nothing half done."""
    heed()
    held, _State.held = _State.held, False
    try:
        yield
    finally:
        _State.held = held


@contextmanager
def ended_by_second_ctrl_c() -> Iterator[None]:
    """Ends the process where this block does not end soon after a second Ctrl-C.

    Python hears of a signal between two of its own instructions, not within a long
    one of TensorFlow's; a thread does. It is for a command, in its main thread.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    ended = threading.Event()

    def watch() -> None:
        count = 0
        while numbers := os.read(reader, 64):
            count += numbers.count(signal.SIGINT)
            if count > 1 and not ended.wait(GRACE_SECONDS):
                os.write(2, b"ganlab: stopped\n")
                os._exit(128 + signal.SIGINT)
        os.close(reader)

    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        os.close(writer)
