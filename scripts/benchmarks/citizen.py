"""What do Keras users bring to `ganlab.GAN`, and what does it do?

    python scripts/benchmarks/citizen.py                # every case, some minutes
    python scripts/benchmarks/citizen.py data labels    # some groups, or cases by name
    python scripts/benchmarks/citizen.py --markdown > cases.md

A case is something that a user brings: networks, data, labels, callbacks, optimizers,
losses, precisions, devices. It is right if the value computed by hand comes out, or if
it is refused by one line that says what was expected, what was received and what to
do. A fault is all else: another value, a warning that is missing, a traceback from
inside TensorFlow or Keras. Prints every case and the counts; exits with 1 after a
fault.
"""

import argparse
import collections
import os
import re
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from citizen_cases import CASES, Case, devices
from citizen_cases.case import tried

from ganlab import UserError


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases or groups")
    parser.add_argument("--markdown", action="store_true", help="print a table")
    parser.add_argument("--seconds", action="store_true", help="and how long each took")
    options = parser.parse_args()
    devices.two_devices()
    try:
        cases = chosen(options.names)
    except UserError as error:
        parser.error(str(error))
    counts, group = collections.Counter(), ""
    for number, case in enumerate(cases, 1):
        if case.group != group:
            group = case.group
            print(heading(group, markdown=options.markdown), flush=True)
        start = time.perf_counter()
        outcome = tried(case)
        seconds = time.perf_counter() - start
        counts[re.match(r"\w+", outcome)[0]] += 1
        line = row(case, outcome, markdown=options.markdown)
        print(f"{line}  {seconds:.1f} s" if options.seconds else line, flush=True)
        if sys.stderr.isatty():
            print(f"{number} of {len(cases)}", end="\r", file=sys.stderr, flush=True)
    print(
        f"\n{len(cases)} cases: {counts['works']} work, "
        f"{counts['refused']} are refused, {counts['FAULT']} are faults, "
        f"{counts['skipped']} were skipped."
    )
    sys.exit(counts["FAULT"] > 0)


def chosen(names: list[str]) -> list[Case]:
    """The cases of these names or groups; all of them for none."""
    groups = {case.group for case in CASES.values()}
    for name in names:
        if name not in CASES and name not in groups:
            raise UserError(
                f"Expected names of cases or groups. Received: {name}; the groups are "
                f"{', '.join(sorted(groups))}"
            )
    cases = CASES.values()
    return [
        case
        for group in dict.fromkeys(case.group for case in cases)
        for case in cases
        if case.group == group and (not names or {case.name, group} & {*names})
    ]


def heading(group: str, *, markdown: bool) -> str:
    if not markdown:
        return f"\n{group}"
    columns = "| case | what is brought | what ganlab does |\n|---|---|---|"
    return f"\n## {group.capitalize()}\n\n{columns}"


def row(case: Case, outcome: str, *, markdown: bool) -> str:
    if not markdown:
        return f"  {case.name:32} {outcome}"
    told = f"works: {case.right}" if outcome == "works" else outcome
    cells = (case.name, case.brings, told)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main()
