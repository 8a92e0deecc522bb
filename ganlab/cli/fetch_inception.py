"""`ganlab fetch-inception`: downloads the network that published FIDs are made with."""

import argparse
import sys
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, say

if TYPE_CHECKING:
    from ganlab.cli.common import Commands


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "fetch-inception",
        run,
        summary="download the network of published FIDs (91 MiB, hash checked)",
        usage="",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Downloads, and prints where the network is."""
    from ganlab.callbacks.progress import StageBars
    from ganlab.features import inception_weights

    bars = StageBars(sys.stderr)
    try:
        path = inception_weights.fetch(
            progress=lambda done, count: bars("bytes", done, count)
        )
    finally:
        bars.close()
    say(path)
