"""What a case is, and what came of it."""

import contextlib
import importlib
import io
import re
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from ganlab import UserError

MESSAGE = re.compile(
    r"Expected .*Received.*\S|Unknown .*Expected .*Received", re.DOTALL
)
FOLDERS = tempfile.TemporaryDirectory()


@dataclass(frozen=True)
class Case:
    """Something that a Keras user brings.

    Args:
        name: Its name on the command line.
        group: What kind of thing it is.
        brings: One sentence: what is brought.
        right: What is right: a clause, or for a refusal or a warning the words in
            which it says what to do.
        outcome: `"works"`, `"warns"` or `"refused"`.
        run: Returns whether the right value came out.
        slow: Whether it takes more than a second or two.
    """

    name: str
    group: str
    brings: str
    right: str
    outcome: str
    run: Callable[[], Any]
    slow: bool = False


CASES: dict[str, Case] = {}


class Group:
    """Registers the cases of one kind by decorators, which return the function.

    Args:
        name: Title of the group.
        slow: Whether its cases that work take more than a second or two.
    """

    def __init__(self, name: str, slow: bool = False) -> None:
        self.name = name
        self.slow = slow

    def works(
        self,
        right: str,
        name: str = "",
        brings: str = "",
        *,
        slow: bool = False,
    ) -> Callable:
        """A case that does what its user means: the function returns `True`."""
        return self._adding("works", right, name, brings, slow or self.slow)

    def warns(self, right: str, name: str = "", brings: str = "") -> Callable:
        """A case that works, and warns in some words."""
        return self._adding("warns", right, name, brings, self.slow)

    def refused(self, right: str, name: str = "", brings: str = "") -> Callable:
        """A case that `UserError` refuses, in one line that holds some words."""
        return self._adding("refused", right, name, brings, False)

    def _adding(
        self, outcome: str, right: str, name: str, brings: str, slow: bool
    ) -> Callable:
        def add(run: Callable) -> Callable:
            title = name or run.__name__.replace("_", "-")
            sentence = brings or " ".join(run.__doc__.split())
            if title in CASES:
                raise ValueError(f"two cases are called {title}")
            CASES[title] = Case(title, self.name, sentence, right, outcome, run, slow)
            return run

        return add


class MissingError(Exception):
    """A package that a case needs is not installed."""


def optional(package: str) -> Any:
    """A package that ganlab does not need, or raises `MissingError`."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingError(package) from None


def new_path(name: str) -> Path:
    """A path of that name in a new folder, which goes with the process."""
    return Path(tempfile.mkdtemp(dir=FOLDERS.name)) / name


def tried(case: Case) -> str:
    """What ganlab does with a case.

    Returns:
        `works`, `works, and warns: …`, `refused: …`, `skipped: …` or `FAULT: …`.
    """
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    try:
        with warnings.catch_warnings(record=True) as caught, _quiet():
            warnings.simplefilter("always")
            right = case.run()
    except MissingError as error:
        return f"skipped: {error} is not installed"
    except UserError as error:
        return _refusal(case, str(error))
    except Exception as error:
        message = " ".join(str(error).split())
        return f"FAULT: {type(error).__name__}: {message[:200]}"
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")
    if case.outcome == "refused":
        return "FAULT: was not refused"
    if not right:
        return "FAULT: did something else"
    if case.outcome == "works":
        return "works"
    lines = [str(warning.message) for warning in caught]
    lines = [line for line in lines if case.right in line and MESSAGE.search(line)]
    return f"works, and warns: {lines[0]}" if lines else "FAULT: did not warn"


def _refusal(case: Case, message: str) -> str:
    if case.outcome != "refused":
        return f"FAULT: refused: {message}"
    if "\n" in message or not MESSAGE.search(message):
        return f"FAULT: no line of what was expected and received: {message}"
    if case.right not in message:
        return f"FAULT: refused without {case.right!r}: {message}"
    return f"refused: {message}"


@contextlib.contextmanager
def _quiet() -> Any:
    """Nothing that Keras prints is shown."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield
