"""The command line: parses, runs a command, and turns errors into exit codes.

Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 1 a failed run,
2 a mistake in what was asked, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP,
141 where whoever reads the results has left.
"""

import argparse
import atexit
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from ganlab import __version__
from ganlab.cli import (
    check,
    diagnose,
    evaluate,
    export,
    fetch_inception,
    filter,
    lab,
    sample,
    serve,
    train,
    verify,
    watch,
)
from ganlab.cli.common import Parser
from ganlab.cli.limited import run_limited
from ganlab.errors import RunError, UserError
from ganlab.safety import interruption
from ganlab.safety.limits import limit_reached
from ganlab.text import printable

COMMANDS = (
    *(train, check, watch, diagnose, lab),
    *(export, sample, filter, serve, verify, evaluate, fetch_inception),
)

SIGNALLED = 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code.

    Args:
        arguments: Words after `ganlab`, or `None` for those of the process.
    """
    _open_closed()
    options = build_parser().parse_args(arguments)
    if arguments is not None:
        return _run(options)
    try:
        code = run_limited(lambda: _run_alone(options))
    except RunError as error:
        return _fail(error, 1)
    if code > SIGNALLED:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Exits without waiting for threads, or for TensorFlow to give its memory back."""
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(code)


def _run_alone(options: argparse.Namespace) -> int:
    with interruption.ended_by_second_ctrl_c():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    """Runs a command; returns its exit code."""
    logging.basicConfig(handlers=[_log_handler()], force=True)
    logging.getLogger("ganlab").setLevel(logging.INFO)
    try:
        with interruption.handled():
            options.run(options)
    except UserError as error:
        return _fail(error, 2)
    except RunError as error:
        return _fail(error, 1)
    except interruption.Interrupted as stop:
        return _fail(stop, stop.exit_code)
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except BrokenPipeError:
        return SIGNALLED + signal.SIGPIPE  # whoever read the results has left
    except Exception as error:
        limit = limit_reached(error)
        if limit is not None:
            return _fail(limit, 1)
        if isinstance(error, OSError):
            return _fail(_os_error_text(error), 2)
        raise
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of every command."""
    parser = Parser(
        prog="ganlab",
        usage="ganlab COMMAND [OPTIONS]",
        description="Train GANs with Keras, know why one is failing, and ship the "
        "generator that works.",
        epilog="`ganlab COMMAND --help` lists the options of a command.",
    )
    parser.add_argument(
        "--version", action="version", version=__version__, help="print the version"
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND [OPTIONS]", required=True
    )
    for command in COMMANDS:
        command.add(commands)
    return parser


def _open_closed() -> None:
    """Lets standard streams that are closed lead nowhere, as `>&-` asks for."""
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


class _LineFormatter(logging.Formatter):
    """A record on one line, without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(record.getMessage())


def _log_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter())
    return handler


def _fail(message: object, code: int) -> int:
    print(printable(f"ganlab: {message}"), file=sys.stderr)
    _leave_behind(code)
    return code


def _leave_behind(code: int) -> None:
    """Exits at once where a model's operator, which nothing can stop, still runs."""
    if "ganlab.safety.onnx_model" in sys.modules:
        from ganlab.safety import onnx_model

        if onnx_model.is_left_running():
            _leave(code)


def _os_error_text(error: OSError) -> object:
    if error.filename is None:
        return error
    return (
        f"Expected to read or write {error.filename}. Received: {error.strerror}; "
        "check the path and its permissions"
    )
