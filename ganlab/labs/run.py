"""Runs a lab: trains the recipe that fails and the cured one, and compares them.

A lab's folder holds two runs, `failing` and `cured`, and beside them `lab.json`, the
findings and measurements, and `lab.png`, the claim as a picture.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from ganlab.config.settings import Recipe
from ganlab.diagnosis import report
from ganlab.errors import RunError
from ganlab.files import check_new_folder, write_text
from ganlab.labs.lab import Lab
from ganlab.labs.plot import plot_lab
from ganlab.text import printable
from ganlab.training.train import train

ARMS = ("failing", "cured")


def run_lab(
    lab: Lab, out: Path | str, *, seed: int = 0, stream: TextIO | None = None
) -> dict[str, Any]:
    """Trains both recipes of a lab and compares them.

    Args:
        lab: A `ganlab.labs.Lab`.
        out: A new or empty folder.
        seed: Integer.
        stream: Text stream for progress, or `None`.

    Returns:
        A dict, the contents of `lab.json`; `shown` states whether the finding fired
        on the failing recipe alone.

    Raises:
        UserError: if `out` holds something.
    """
    out = Path(out)
    check_new_folder(out, "lab", "is in use", "name another with --out")
    reports = {}
    for arm, recipe in zip(ARMS, (lab.recipe, lab.cured), strict=True):
        if stream is not None:
            print(printable(f"{lab.name}: {arm}"), file=stream, flush=True)
        reports[arm] = run_arm(lab, recipe, out / arm, seed, stream)
        report.write(reports[arm], out / arm)
    result = compare_arms(lab, reports, seed)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    write_text(out / "lab.json", text)
    plot_lab(lab, reports, out / "lab.png")
    return result


def run_arm(
    lab: Lab,
    recipe: Recipe,
    directory: Path,
    seed: int = 0,
    stream: TextIO | None = None,
) -> report.Report:
    """Trains one recipe of a lab; a run that diverges is a result too."""
    if lab.make_data is not None:
        recipe = recipe.replace(data=lab.make_data(directory.parent / "data"))
    try:
        train(
            recipe.replace(seed=seed),
            directory,
            monitoring=lab.monitoring,
            stream=stream,
        )
    except RunError as error:
        if stream is not None:
            print(printable(f"{lab.name}: {error}"), file=stream, flush=True)
    return report.examine(directory)


def compare_arms(
    lab: Lab, reports: Mapping[str, report.Report], seed: int
) -> dict[str, Any]:
    """Findings and measurements of both runs; see `run_lab`.

    Args:
        lab: The lab.
        reports: The reports of `failing` and `cured`.
        seed: Integer.
    """
    result: dict[str, Any] = {
        "lab": lab.name,
        "claim": lab.claim,
        "finding": lab.finding,
        "remedy": lab.remedy,
        "seed": seed,
    }
    for arm, arm_report in reports.items():
        findings = arm_report.findings
        result[arm] = {
            "verdict": arm_report.verdict,
            "findings": [finding.name for finding in findings],
            "critical": [
                finding.name for finding in findings if finding.severity == "critical"
            ],
            "measured": {key: arm_report.log.last(key, 3) for key in lab.log_keys},
        }
    fires, stays = (lab.finding in result[arm]["findings"] for arm in ARMS)
    return result | {"shown": fires and not stays}
