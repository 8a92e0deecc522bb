"""Signals that end a run: heeded at once, or where nothing is half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)


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
    held = False


def _receive(number: int, frame: FrameType | None) -> None:
    if number == signal.SIGINT == _State.pending:
        _State.held = False  # the second Ctrl-C does not wait
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
            second Ctrl-C is never held.
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
            _State.pending = None


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
