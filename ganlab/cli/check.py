"""`ganlab check`: looks for mistakes before training."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganlab.cli.common import add_command, add_help, import_tensorflow, print_json, say
from ganlab.cli.settings import add_settings, read_settings
from ganlab.config.command import as_assignments
from ganlab.errors import RunError

if TYPE_CHECKING:
    from ganlab.cli.common import Commands

EXAMPLES = """\
examples:
  ganlab check                            the default preset on Fashion-MNIST
  ganlab check --data folder:photos --image-size 64 --set beta_1=0.9
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "check",
        run,
        summary="look for mistakes before training, with one batch",
        epilog=EXAMPLES,
    )
    add_settings(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON document")
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Prints the problems of a run.

    Raises:
        RunError: if one is critical.
    """
    chosen = read_settings(options)
    import_tensorflow()
    from ganlab.callbacks.progress import decoding_bar
    from ganlab.training import preflight

    progress = decoding_bar(sys.stderr)
    problems = preflight.check(
        chosen.recipe,
        chosen.monitoring.cache,
        progress,
        chosen.monitoring.max_data_memory,
    )
    if options.json:
        print_json([problem.as_dict() for problem in problems])
    else:
        for problem in problems:
            say(f"{problem.severity:8}  {problem.says}")
            say(f"          {problem.fix}{_options_text(problem.changes)}")
        if not problems:
            say("nothing found: the settings, the data and one batch look right")
    if any(problem.severity == "critical" for problem in problems):
        raise RunError("the run would fail; mend what is critical first")


def _options_text(changes: Mapping[str, Any]) -> str:
    words = [f"--set {text}" for text in as_assignments(changes).split()]
    return f": {' '.join(words)}" if words else ""
