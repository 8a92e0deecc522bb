"""What the commands share: parsers, types of options, JSON, TensorFlow's import."""

import argparse
import contextlib
import json
import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ganlab.cli.limited import TENSORFLOW_BYTES, check_memory
from ganlab.models.registration import require_tensorflow
from ganlab.text import printable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

CHECKPOINTS = ("newest", "best")
MAX_PORT = 65535
# What Keras imports for its galleries, its data frames and its scikit-learn wrappers,
# where it is installed: 1.6 of the 5.4 s of CPU that the import of TensorFlow takes.
OPTIONAL_OF_KERAS = ("matplotlib", "pandas", "sklearn")


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        text = printable(f"{self.prog}: {message}; see {self.prog} --help")
        self.exit(2, f"{text}\n")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of an epilog, and gives options 28 columns."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


def add_command(
    commands: "Commands",
    name: str,
    run: Callable[[argparse.Namespace], None],
    *,
    summary: str,
    usage: str = "[OPTIONS]",
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    """Adds the parser of a command.

    Args:
        commands: The subparsers of `ganlab`.
        name: What a person types after `ganlab`.
        run: Function of the parsed options that does it.
        summary: What it does, in one phrase.
        usage: What follows the name.
        epilog: Examples, printed as they are.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        usage=f"ganlab {name} {usage}".rstrip(),
        description=textwrap.fill(f"{summary[0].upper()}{summary[1:]}.", 78),
        epilog=epilog,
        formatter_class=HelpFormatter,
        add_help=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_help(parser: argparse.ArgumentParser) -> None:
    """Adds `--help`, to stand after a command's own options."""
    group = parser.add_argument_group("help")
    group.add_argument("-h", "--help", action="help", help="print this and exit")


def add_columns(group: argparse._ArgumentGroup) -> None:
    """Adds `--columns`, for logs of other trainers."""
    group.add_argument(
        "--columns",
        default="",
        metavar="NAME=COLUMN,...",
        help="which columns of another trainer's log hold which number; NAME is step, "
        "d_loss, g_loss, fid, seconds and so on (default: by their names)",
    )


def positive(text: str) -> int:
    """Reads a whole number of 1 or more."""
    return _whole_number(text, 1)


def natural(text: str) -> int:
    """Reads a whole number of 0 or more."""
    return _whole_number(text, 0)


def positive_number(text: str) -> float:
    """Reads a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(
            f"expected a number above 0, received {text!r}"
        )
    return number


def port(text: str) -> int:
    """Reads the number of a port, 0 for one that is free."""
    number = natural(text)
    if number > MAX_PORT:
        raise argparse.ArgumentTypeError(
            f"expected a port of 0 to {MAX_PORT}, received {text!r}"
        )
    return number


def _whole_number(text: str, minimum: int) -> int:
    if not text.isdecimal() or int(text) < minimum:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of {minimum} or more, received {text!r}"
        )
    return int(text)


def say(*lines: object) -> None:
    """Prints lines of a result, whatever they hold on one line each."""
    for line in lines:
        text, encoding = printable(line), sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def print_json(document: Any) -> None:
    """Prints one JSON document."""
    say(*json.dumps(document, indent=2, ensure_ascii=False).split("\n"))


def import_tensorflow() -> None:
    """Imports TensorFlow without the lines that it writes before logging can be set.

    Raises:
        UserError: if KERAS_BACKEND names another backend.
        RunError: if memory is limited to less than TensorFlow needs.
    """
    check_memory(TENSORFLOW_BYTES)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    require_tensorflow()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        with _without(OPTIONAL_OF_KERAS):
            import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@contextlib.contextmanager
def _without(packages: Sequence[str]) -> Iterator[None]:
    """Hides packages that are not imported yet, as if they were not installed."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
