"""`ganlab watch`: a live page of a run."""

import argparse
import logging
from typing import TYPE_CHECKING

from ganlab.cli.common import add_columns, add_command, add_help, port, say
from ganlab.safety.interruption import Interrupted

if TYPE_CHECKING:
    from ganlab.cli.common import Commands

LOGGER = logging.getLogger("ganlab")
EXAMPLES = """\
examples:
  ganlab watch runs/first                 before, while or after it trains
  ganlab watch runs/first --port 8000     the same address every time
  ganlab watch lightning_logs/version_0/metrics.csv
  ganlab watch log.csv --columns d_loss=critic,g_loss=gen,step=iter
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "watch",
        run,
        summary="show the report of a run as it forms, in a browser on this machine",
        usage="[OPTIONS] RUN|LOG",
        epilog=EXAMPLES,
    )
    logs = parser.add_argument_group("log")
    logs.add_argument(
        "subject",
        metavar="RUN|LOG",
        help="a run folder, or another trainer's log as `ganlab diagnose` reads it; it "
        "is waited for where it is not there yet",
    )
    add_columns(logs)
    page = parser.add_argument_group("page")
    page.add_argument(
        "--port",
        type=port,
        default=0,
        metavar="N",
        help="port on 127.0.0.1 (default: one that is free)",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Prints the page's address, and serves it until Ctrl-C.

    Raises:
        Interrupted: when it ends.
    """
    from ganlab.watch.server import Server

    columns = None
    if options.columns:
        from ganlab.diagnosis.logs.columns import parse_columns

        columns = parse_columns(options.columns)
    try:
        with Server(options.subject, options.port, columns) as server:
            say(server.url)
            LOGGER.info("Shows %s until Ctrl-C", options.subject)
            server.serve_forever()
    except KeyboardInterrupt as stop:
        message = "stopped watching; the run itself goes on"
        raise Interrupted.of(stop, message) from stop
