"""`ganlab lab`: makes a failure happen, and cures it."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.cli.common import (
    add_command,
    add_help,
    import_tensorflow,
    natural,
    print_json,
    say,
)
from ganlab.config.command import as_assignments
from ganlab.errors import RunError, UserError

if TYPE_CHECKING:
    from ganlab.cli.common import Commands
    from ganlab.labs import Lab

EXAMPLES = """\
examples:
  ganlab lab list
  ganlab lab run ring-collapse            half a minute; labs/ring-collapse
  ganlab lab run all
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "lab",
        run,
        summary="make a failure happen, and cure it",
        usage="list|run [OPTIONS] [NAME]",
        epilog=EXAMPLES,
    )
    labs = parser.add_argument_group("labs")
    labs.add_argument(
        "action",
        choices=("list", "run"),
        metavar="list|run",
        help="print names and claims, or run a lab",
    )
    labs.add_argument("name", metavar="NAME", nargs="?", help="name of a lab, or all")
    labs.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="seed (default: 0)"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", metavar="DIR", help="folder of the lab (default: labs/NAME)"
    )
    output.add_argument("--json", action="store_true", help="print one JSON document")
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Lists labs, or runs one or all and prints what they show.

    Raises:
        RunError: if a lab does not show its claim.
    """
    from ganlab.labs.catalogue import LABS, get_lab

    if options.action == "list":
        _list(LABS, as_json=options.json)
        return
    if options.name is None:
        raise UserError(
            "Expected the name of a lab. Received: none; see ganlab lab list"
        )
    labs = LABS if options.name == "all" else [get_lab(options.name)]
    import_tensorflow()
    from ganlab.labs.run import run_lab

    root = Path(options.out or "labs")
    results = []
    for lab in labs:
        out = root if len(labs) == 1 and options.out else root / lab.name
        result = run_lab(lab, out, seed=options.seed, stream=sys.stderr)
        results.append(result)
        if not options.json:
            _print_result(lab, result, out)
    if options.json:
        print_json(results)
    missed = [result["lab"] for result in results if not result["shown"]]
    if missed:
        raise RunError(f"not shown: {', '.join(missed)}; look at the pictures")


def _list(labs: "list[Lab]", *, as_json: bool) -> None:
    if as_json:
        print_json([{"name": lab.name, "claim": lab.claim} for lab in labs])
        return
    width = max(len(lab.name) for lab in labs)
    for lab in labs:
        say(f"{lab.name:{width}}  {lab.claim}")


def _print_result(lab: "Lab", result: Mapping[str, Any], out: Path) -> None:
    say(f"{lab.name}: {lab.claim}")
    say(f"  {lab.theory}")
    for arm in ("failing", "cured"):
        say(f"  {arm:8} {result[arm]['verdict']}")
    for key in lab.log_keys:
        failing, cured = (
            _number(result[arm]["measured"][key]) for arm in ("failing", "cured")
        )
        say(f"  {key:24} {failing:>10} -> {cured}")
    say(f"  remedy   {as_assignments(lab.remedy)}")
    say(f"  picture  {out / 'lab.png'}", "")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
