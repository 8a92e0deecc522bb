"""`ganlab serve`: artifacts over HTTP, without TensorFlow."""

import argparse
import importlib.util
import logging
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, port, positive, say
from ganlab.errors import UserError
from ganlab.safety.interruption import Interrupted
from ganlab.serving.limits import Limits

if TYPE_CHECKING:
    from ganlab.cli.common import Commands

LOGGER = logging.getLogger("ganlab")
PACKAGES = ("httptools", "orjson", "prometheus_client", "starlette", "uvicorn")
PORT = 8000
EXAMPLES = """\
examples:
  ganlab serve saved_models/fashion
  ganlab serve saved_models/fashion mine=runs/artifact --port 9000
  ganlab serve saved_models/fashion --host 0.0.0.0     for other machines too

then open its address in a browser, or in another terminal:
  curl http://127.0.0.1:8000/v1/models/fashion:sample \\
      -d '{"seed": 7, "count": 16, "label": "Bag"}' -o bags.png
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "serve",
        run,
        summary="serve artifacts over HTTP, without TensorFlow",
        usage="[OPTIONS] ARTIFACT...",
        epilog=EXAMPLES,
    )
    generators = parser.add_argument_group("generators")
    generators.add_argument(
        "artifacts",
        nargs="+",
        metavar="ARTIFACT",
        help="artifact folder, or NAME=FOLDER; URLs call it by the folder's name",
    )
    generators.add_argument(
        "--format",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="number format of the weights (default: float32)",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; 0.0.0.0 for other machines too, to whoever "
        "reaches it (default: this machine alone)",
    )
    network.add_argument(
        "--port",
        type=port,
        default=PORT,
        metavar="N",
        help=f"port; 0 for one that is free (default: {PORT})",
    )
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-images",
        type=positive,
        default=Limits.max_images,
        metavar="N",
        help="images of one request, fewer of large ones "
        f"(default: {Limits.max_images})",
    )
    limits.add_argument(
        "--queue",
        type=positive,
        default=Limits.queue,
        metavar="N",
        help="images of all requests at once, for each generator; more are answered "
        f"with 429 (default: {Limits.queue})",
    )
    limits.add_argument(
        "--deadline",
        type=positive,
        default=Limits.seconds,
        metavar="SECONDS",
        help=f"what a request may take before 429 (default: {Limits.seconds:g})",
    )
    limits.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="batches that are generated at once, each in one thread (default: one a "
        "core)",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Loads artifacts, prints the server's address, and serves until a signal.

    Raises:
        UserError: if a package is missing, or an artifact is refused.
        Interrupted: when it ends.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"Expected the packages of serving. Received: no {', '.join(missing)}; "
            "pip install 'ganlab[serve]'"
        )
    from ganlab.serving.app import log_line
    from ganlab.serving.models import load_models
    from ganlab.serving.server import Server
    from ganlab.serving.service import Service

    models = load_models(options.artifacts, options.format, options.max_images)
    limits = Limits(
        options.max_images, options.queue, options.deadline, options.threads
    )
    server = Server(Service(models, limits), options.host, options.port)
    for model in models.values():
        LOGGER.info(
            log_line(
                "serves",
                model=model.name,
                artifact=str(model.artifact.directory),
                max_images=model.max_images,
                batch_sizes=model.sizes,
            )
        )
    say(server.url)
    try:
        server.serve_until_stopped()
    except KeyboardInterrupt as stop:
        message = "stopped serving; every request that was taken is answered"
        raise Interrupted.of(stop, message) from stop
