"""`ganlab diagnose`: names what went wrong in a run."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import (
    add_command,
    add_help,
    import_tensorflow,
    positive,
    print_json,
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
  ganlab diagnose log.csv --json          step,d_loss,g_loss[,seconds][,fid]
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "diagnose",
        run,
        summary="name what went wrong in a run, with evidence and a remedy",
        usage="[OPTIONS] RUN|FILE.csv [RUN|FILE.csv]",
        epilog=EXAMPLES,
    )
    logs = parser.add_argument_group("logs")
    logs.add_argument(
        "subjects",
        metavar="RUN|FILE.csv",
        nargs="+",
        help="a run folder or the log of another trainer; two are compared",
    )
    remedies = parser.add_argument_group("remedies")
    remedies.add_argument(
        "--remedy-trials",
        action="store_true",
        help="train a short branch for each remedy first, and keep the best",
    )
    remedies.add_argument(
        "--trial-steps",
        type=positive,
        default=1000,
        metavar="N",
        help="length of a branch in steps (default: 1000)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="DIR",
        help="folder of report.html, report.md and report.json (default: the run, or "
        "FILE-report; none for a file with --json)",
    )
    output.add_argument("--json", action="store_true", help="print one JSON document")
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Writes and prints the report of one log, or the comparison of two."""
    from ganlab.diagnosis import report

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

        try_remedies(options.subjects[0], steps=options.trial_steps, stream=sys.stderr)
    reports = [report.examine(path) for path in options.subjects]
    if len(reports) == 2:
        _compare(options, *reports)
    else:
        _report(options, reports[0])


def _report(options: argparse.Namespace, examined: "Report") -> None:
    from ganlab.diagnosis import report

    source = Path(options.subjects[0])
    page = None
    if source.is_dir() or options.out or not options.json:
        folder = source if source.is_dir() else f"{source.stem}-report"
        page = report.write(examined, Path(options.out or folder))
    if options.json:
        print_json(examined.as_dict())
        return
    print(examined.verdict)
    for finding in examined.findings:
        title = finding.failure.title
        print(f"\n{finding.severity:8}  {title}, since {finding.since_step:,}")
        for evidence in finding.evidence:
            print(f"          {evidence['says']}")
        print(f"          remedy: {finding.failure.remedy}")
    for trial in examined.trials:
        fid = "none" if trial["fid"] is None else f"{trial['fid']:.3g}"
        kept = ", kept" if trial["kept"] else ""
        print(f"trial     {trial['name']}: FID {fid}{kept}")
    if examined.command:
        print(f"\nchange    {examined.command}")
    if examined.best is not None:
        print(f"best      step {examined.best['step']:,}")
    for problem in examined.log.problems:
        print(f"note      {problem}")
    print(f"report    {page}")


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
    print(text)
    print(f"report    {page}")
