"""How is a lab run, and what does it show?

A folder with two runs, `failing` and `cured`, and beside them `lab.json`, what was
found and measured, and `lab.png`, the claim as a picture.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganlab.callbacks.scalars import SCALARS
from ganlab.diagnosis import report
from ganlab.errors import RunError
from ganlab.files import check_new_folder, write_text
from ganlab.runs import RunFolder
from ganlab.training.train import train

ARMS = ("failing", "cured")
COLORS = {"failing": "#b3261e", "cured": "#2e6b34"}


def run_lab(lab, out, *, seed=0, stream=None):
    """Trains the recipe that fails and the one that is cured, and compares them.

    Args:
        lab: A `ganlab.labs.Lab`.
        out: A new or empty folder.
        seed: Integer.
        stream: Text stream for progress, or `None`.

    Returns:
        A dict: what `lab.json` holds.

    Raises:
        UserError: if `out` holds something.
    """
    out = Path(out)
    check_new_folder(out, "lab", "is in use", "name another with --out")
    reports = {}
    for arm, recipe in zip(ARMS, (lab.recipe, lab.cured), strict=True):
        if stream is not None:
            print(f"{lab.name}: {arm}", file=stream, flush=True)
        reports[arm] = run_arm(lab, recipe, out / arm, seed, stream)
        report.write(reports[arm], out / arm)
    found = _measured(lab, reports, seed)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    write_text(out / "lab.json", text)
    draw(lab, reports, out / "lab.png")
    return found


def run_arm(lab, recipe, directory, seed=0, stream=None):
    """Trains one recipe of a lab; a run that diverges is a result too.

    Returns:
        A `ganlab.diagnosis.report.Report`.
    """
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
            print(f"{lab.name}: {error}", file=stream, flush=True)
    return report.examine(directory)


def _measured(lab, reports, seed):
    found = {
        "lab": lab.name,
        "claim": lab.claim,
        "finding": lab.finding,
        "remedy": lab.remedy,
        "seed": seed,
    }
    for arm, each in reports.items():
        found[arm] = {
            "verdict": each.verdict,
            "findings": [finding.name for finding in each.findings],
            "critical": [
                finding.name
                for finding in each.findings
                if finding.severity == "critical"
            ],
            "measured": {key: each.log.last(key, 3) for key in lab.shows},
        }
    fires = lab.finding in found["failing"]["findings"]
    found["shown"] = fires and lab.finding not in found["cured"]["findings"]
    return found


def draw(lab, reports, path):
    """The claim, the samples of both runs, and what was measured over the steps.

    Args:
        lab: A `Lab`.
        reports: A dict from `failing` and `cured` to a `Report`.
        path: A `.png` file.
    """
    figure = Figure(figsize=(12, 6.4), dpi=100, layout="constrained")
    figure.suptitle(f"{lab.name}: {lab.claim}", fontsize=11, fontweight="bold")
    columns = len(lab.shows)
    grid = figure.add_gridspec(2, 2 * columns, height_ratios=[3, 2.4])
    for place, (arm, each) in enumerate(reports.items()):
        axes = figure.add_subplot(
            grid[0, place * columns : (place + 1) * columns],
        )
        axes.set_axis_off()
        names = [
            finding.name for finding in each.findings if finding.severity != "note"
        ]
        said = ", ".join(names).replace("_", " ") or "nothing found"
        axes.set_title(f"{arm}: {said}", fontsize=9, color=COLORS[arm], wrap=True)
        picture = _last_picture(each.log.source)
        if picture is not None:
            axes.imshow(picture)
    for place, key in enumerate(lab.shows):
        axes = figure.add_subplot(grid[1, 2 * place : 2 * place + 2])
        every = []
        for arm, each in reports.items():
            series = each.log.get(key)
            if series is not None:
                axes.plot(series.steps, series.values, color=COLORS[arm], label=arm)
                every.append(series.values)
        if every:
            values = np.concatenate(every)
            if values.min() > 0 and values.max() > 50 * values.min():
                axes.set_yscale("log")
            axes.legend(fontsize=8, frameon=False)
        axes.set_title(SCALARS[key].tag, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure).print_png(path)


def _last_picture(directory):
    """The newest sample grid, cut to a wide strip; a decision surface whole."""
    by_step = RunFolder(directory).pictures()
    if not by_step:
        return None
    with Image.open(by_step[max(by_step)]) as opened:
        picture = opened.convert("RGB")
    if picture.height > 0.9 * picture.width and picture.width < 650:
        picture = picture.crop((0, 0, picture.width, picture.height // 2))
    return np.asarray(picture)
