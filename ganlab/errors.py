"""The exceptions that ganlab raises, and their messages."""

import operator
import re
import reprlib
from collections.abc import Iterable

from ganlab.text import printable


class UserError(ValueError):
    """A mistake in what the caller gave, with a one-line message.

    The message says what was expected, what was received and how to mend it.
    The command line prints it and exits with 2; nothing has been written. Control
    characters, which a file's text may hold, are escaped in it.
    """

    def __init__(self, message: object) -> None:
        super().__init__(printable(message))


class RunError(RuntimeError):
    """Training or export came out wrong, though it was asked for rightly.

    The command line prints the one-line message and exits with 1. Control characters
    are escaped in it.
    """

    def __init__(self, message: object) -> None:
        super().__init__(printable(message))


def unknown_name(kind: str, name: object, known: Iterable[object]) -> UserError:
    """Returns the `UserError` for a name outside `known`, which it lists."""
    listed = ", ".join(str(choice) for choice in known)
    return UserError(f"Unknown {kind}. Expected one of: {listed}. Received: {name!r}")


def as_integer(value: object) -> int | None:
    """An integer, NumPy's included, as one of Python's; `None` for anything else.

    `True` and `False` are no integers.
    """
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def as_count(name: str, value: object, minimum: int = 1) -> int:
    """Returns an integer, NumPy's included, of a minimum or more, in 64 bits.

    Raises:
        UserError: for anything else.
    """
    number = as_integer(value)
    if number is None or not minimum <= number < 2**63:
        limit = " under 2^63" if number is not None and number >= minimum else ""
        raise UserError(
            f"Expected {name} of {minimum} or more, an integer{limit}. Received: "
            f"{value!r}"
        )
    return number


def one_line(error: Exception) -> str:
    """What an exception says, cut and on one line; its class if it says nothing."""
    said = re.sub(r" at 0x[0-9a-f]+", "", " ".join(str(error).split()))
    return said[:160] or type(error).__name__


def brief(value: object) -> str:
    """A value that was received, cut and on one line, with its class."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if type(value).__repr__ is object.__repr__:  # which tells an address
        return f"an instance of {type(value).__name__}"
    return f"{' '.join(reprlib.repr(value).split())} ({type(value).__name__})"
