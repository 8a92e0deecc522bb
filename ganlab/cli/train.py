"""`ganlab train`: trains a GAN or a translator into a run folder."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, import_tensorflow, positive, say
from ganlab.cli.settings import add_settings, read_settings, settings_epilog
from ganlab.errors import RunError
from ganlab.safety.bounded import read_json
from ganlab.safety.interruption import Interrupted
from ganlab.safety.limits import limit_reached

if TYPE_CHECKING:
    from ganlab.cli.common import Commands
    from ganlab.runs import RunFolder

EXAMPLES = """\
examples:
  ganlab train                             Fashion-MNIST in 3 minutes on 2 cores
  ganlab train --minutes 3                 in 3 minutes on any machine
  ganlab train --minutes 60 --until fid=1  in an hour, or once FID is 1
  ganlab train --preset r3gan --data ring  toy 2-D mixture and decision surface
  ganlab train --preset small-data --data folder:photos --image-size 64
  ganlab train --loss hinge --regularizer r1 --set beta_1=0
  ganlab train --data tfds:cifar10 --dtype-policy mixed_float16 --out runs/cifar
  ganlab train --model translator --data pairs:photos:paintings
  ganlab train --out runs/cifar --resume --steps 50000
  tensorboard --logdir runs                watch every run
"""
ON_FAILURE = ("none", "warn", "stop", "rollback")


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "train",
        run,
        summary="train a GAN or a translator into a run folder",
        epilog=f"{settings_epilog()}\n\n{EXAMPLES}",
    )
    group = add_settings(parser)
    group.add_argument(
        "--resume", action="store_true", help="go on with the run in --out"
    )
    group.add_argument(
        "--until",
        type=score_and_value,
        metavar="SCORE=X",
        help="end the run before its last step, at the first evaluation with an fid or "
        "kid of X or less, or a precision, recall, density or coverage of X or more",
    )
    group.add_argument(
        "--change-settings",
        action="store_true",
        help="let --resume go on with other settings than the run began with, of those "
        "that leave the networks as they are",
    )
    failures = parser.add_argument_group("failures")
    failures.add_argument(
        "--on-failure",
        choices=ON_FAILURE,
        default="warn",
        help="what to do when a critical finding appears (default: warn)",
    )
    failures.add_argument(
        "--max-rollbacks",
        type=positive,
        default=2,
        metavar="N",
        help="largest number of rollbacks to the best checkpoint, each with a change "
        "of settings (default: 2)",
    )
    add_help(parser)


def score_and_value(text: str) -> tuple[str, float]:
    """Reads the name of a score and a number, such as `fid=5`."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a score and its value, such as fid=5, received {text!r}"
        ) from None


def run(options: argparse.Namespace) -> None:
    """Trains, and prints where the results are."""
    chosen = read_settings(options)
    import_tensorflow()
    from ganlab.runs import RunFolder, load_run
    from ganlab.training.train import train

    out = Path(options.out or chosen.default_folder)
    recipe, monitoring = chosen.recipe, chosen.monitoring
    if options.resume:
        recipe, monitoring = chosen.resumed(
            load_run(out), change=options.change_settings
        )
    try:
        trained = train(
            recipe,
            out,
            monitoring=monitoring,
            on_failure=options.on_failure,
            max_rollbacks=options.max_rollbacks,
            epochs=options.epochs,
            minutes=options.minutes,
            until=options.until,
            resume=options.resume,
            change_settings=options.change_settings,
            stream=sys.stderr,
        )
    except KeyboardInterrupt as stop:
        raise Interrupted.of(stop, _how_to_go_on(RunFolder(out))) from None
    except Exception as error:
        limit = limit_reached(error)
        if limit is None:
            raise
        raise RunError(f"{limit}; {_how_to_go_on(RunFolder(out))}") from error
    folder = trained.folder
    say(f"run          {folder}")
    say(f"verdict      {read_json(folder.report('json'))['verdict']}")
    say(f"report       {folder.report('html')}")
    say(f"pictures     {folder.samples}")
    say(f"tensorboard  tensorboard --logdir {folder.tensorboard}")
    say(f"export       ganlab export {folder}")


def _how_to_go_on(folder: "RunFolder") -> str:
    """What became of an interrupted run, in one line."""
    if not folder.holds_run():
        return "stopped before anything was written"
    checkpoint = folder.newest_checkpoint()
    command = shlex.join(["ganlab", "train", "--out", str(folder), "--resume"])
    if checkpoint is None:
        return f"stopped before the first checkpoint; start anew with: {command}"
    return f"stopped, {checkpoint.name} is saved; go on with: {command}"
