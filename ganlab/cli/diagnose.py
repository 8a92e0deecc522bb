"""`ganlab diagnose`: names what went wrong in a run."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import (
    add_columns,
    add_command,
    add_help,
    import_tensorflow,
    positive,
    print_json,
    say,
)
from ganlab.errors import UserError

if TYPE_CHECKING:
    from ganlab.cli.common import Commands
    from ganlab.diagnosis.report import Report

EXAMPLES = """\
examples:
  ganlab diagnose runs/first              report.html, .md and .json in it
  ganlab diagnose runs/first runs/second  what differs
  ganlab diagnose runs/first --remedy-trials
  ganlab diagnose lightning_logs/version_0/metrics.csv
  ganlab diagnose tensorboard_folder      any tool's
  ganlab diagnose log.csv --columns d_loss=critic,g_loss=gen,step=iter
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "diagnose",
        run,
        summary="name what went wrong in a run, with evidence and a remedy",
        usage="[OPTIONS] RUN|LOG [RUN|LOG]",
        epilog=EXAMPLES,
    )
    logs = parser.add_argument_group("logs")
    logs.add_argument(
        "subjects",
        metavar="RUN|LOG",
        nargs="+",
        help="a run folder, or another trainer's log: CSV, JSON lines, TensorBoard "
        "events, or a folder with one; two are compared",
    )
    add_columns(logs)
    remedies = parser.add_argument_group("remedies")
    remedies.add_argument(
        "--remedy-trials",
        action="store_true",
        help="train branches with and without each remedy first, compare their scores, "
        "and keep the best",
    )
    remedies.add_argument(
        "--trial-seeds",
        type=positive,
        default=2,
        metavar="N",
        help="branches for each remedy at first, 2 or more; more tell smaller "
        "differences (default: 2)",
    )
    remedies.add_argument(
        "--trial-steps",
        type=positive,
        default=1000,
        metavar="N",
        help="length of a branch at first; undecided ones go on to 2 and 4 times as "
        "many steps, each time with one more seed (default: 1000)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="DIR",
        help="folder of report.html, report.md and report.json (default: the run, or "
        "LOG-report for another trainer's; none for a file with --json)",
    )
    output.add_argument("--json", action="store_true", help="print one JSON document")
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Writes and prints the report of one log, or the comparison of two."""
    from ganlab.diagnosis import report
    from ganlab.diagnosis.logs.columns import parse_columns

    if len(options.subjects) > 2:
        raise UserError(
            "Expected one or two runs or files to diagnose. Received: "
            f"{len(options.subjects)}"
        )
    if options.remedy_trials:
        if len(options.subjects) > 1:
            raise UserError("Expected one run for --remedy-trials. Received: 2")
        import_tensorflow()
        from ganlab.training.remedy_trials import try_remedies

        try_remedies(
            options.subjects[0],
            steps=options.trial_steps,
            seeds=options.trial_seeds,
            stream=sys.stderr,
        )
    columns = parse_columns(options.columns)
    reports = [report.examine(path, columns) for path in options.subjects]
    if len(reports) == 2:
        _compare(options, *reports)
    else:
        _report(options, reports[0])


def _report(options: argparse.Namespace, examined: "Report") -> None:
    from ganlab.diagnosis import report, trials

    source = Path(options.subjects[0])
    page = None
    if source.is_dir() or options.out or not options.json:
        folder = Path(f"{source.stem}-report")
        if source.is_dir():
            # Another trainer's folder may hold a report.md of its own, and Lightning
            # takes each folder beside `version_0` for a version.
            named = Path(f"{source.resolve().name}-report")
            folder = named if examined.log.foreign else source
        page = report.write(examined, Path(options.out or folder))
    if options.json:
        print_json(examined.as_dict())
        return
    say(examined.verdict)
    for finding in examined.findings:
        title = finding.failure.title
        say("", f"{finding.severity:8}  {title}, since {finding.since_step:,}")
        for evidence in finding.evidence:
            say(f"          {evidence['says']}")
        say(f"          remedy: {finding.failure.remedy}")
    for trial in examined.trials:
        say(f"trial     {trials.sentence(trial, examined.fid_name)}")
    if examined.command:
        say("", f"change    {examined.command}")
    if examined.best is not None:
        say(f"best      step {examined.best['step']:,}")
    for problem in examined.log.problems:
        say(f"note      {problem}")
    say(f"report    {page}")


def _compare(options: argparse.Namespace, first: "Report", second: "Report") -> None:
    from ganlab.diagnosis import html, report
    from ganlab.files import write_text

    out = Path(options.out or "comparison")
    text = report.compare(first, second)
    page = out / "comparison.html"
    write_text(out / "comparison.md", text)
    write_text(page, html.draw_both(first, second, text))
    if options.json:
        print_json([first.as_dict(), second.as_dict()])
        return
    say(*text.splitlines(), "")
    say(f"report    {page}")
