"""Benchmarks of cases, each of which holds or does not: options, results, exit code.

The result of a case is a row: a dict of JSON values, whose `fault` says what does not
hold, or is empty. What has a row in the file of results is not run again.
"""

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

Row = dict[str, Any]


def parse_options(
    description: str, out: str, word: str, known: Collection[str]
) -> argparse.Namespace:
    """The options of such a benchmark: `chosen`, `out` and `markdown`.

    Args:
        description: What `--help` says.
        out: The folder of results.
        word: What is chosen, such as `kind`.
        known: What may be chosen.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "chosen", nargs="*", metavar=word.upper(), help=f"names of {word}s"
    )
    parser.add_argument("--out", type=Path, default=Path(out), metavar="DIR")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table")
    options = parser.parse_args()
    unknown = {*options.chosen} - {*known}
    if unknown:
        parser.error(f"unknown {word}s: {', '.join(sorted(unknown))}")
    return options


def run_all(
    cases: Mapping[tuple[str, ...], Callable[[], Row]],
    keys: Sequence[str],
    path: Path,
    word: str,
) -> list[Row]:
    """Runs what is not done yet; returns the results of all, in order.

    Args:
        cases: What runs a case, by what the `keys` of its row hold.
        keys: Names of those entries.
        path: The file of results.
        word: What the cases are called, such as `inputs`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text().splitlines() if path.is_file() else []
    done = {tuple(row[key] for key in keys): row for row in map(json.loads, lines)}
    with path.open("a") as file:
        for name, run in tqdm(cases.items(), path.stem, unit=f" {word}", disable=None):
            if name not in done:
                done[name] = run()
                file.write(json.dumps(done[name]) + "\n")
                file.flush()
    return [done[name] for name in cases]


def conclude(
    rows: Sequence[Row],
    word: str,
    described: Callable[[Row], str],
    markdown: Path | None,
    page: str,
) -> None:
    """Prints what does not hold, writes the page, and exits with 1 if there is any."""
    faults = [row for row in rows if row["fault"]]
    for row in faults:
        print(f"{described(row)}: {row['fault']}")
    print(f"{len(rows)} {word}, {len(faults)} do not hold")
    if markdown is not None:
        markdown.write_text(page, encoding="utf-8")
    sys.exit(bool(faults))
