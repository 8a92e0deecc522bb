"""A lab as a picture: the claim, samples of both runs, measurements over the steps."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganlab.callbacks.scalars import SCALARS
from ganlab.diagnosis.report import Report
from ganlab.labs.lab import Lab
from ganlab.provenance.marks import COMPOSITE, Mark
from ganlab.runs import RunFolder

COLORS = {"failing": "#b3261e", "cured": "#2e6b34"}
LOG_SCALE_RATIO = 50  # of the largest to the smallest value


def plot_lab(lab: Lab, reports: Mapping[str, Report], path: Path) -> None:
    """Writes the picture of a lab.

    Args:
        lab: The lab.
        reports: The reports of `failing` and `cured`.
        path: A `.png` file.
    """
    figure = Figure(figsize=(12, 6.4), dpi=100, layout="constrained")
    figure.suptitle(f"{lab.name}: {lab.claim}", fontsize=11, fontweight="bold")
    num_columns = len(lab.log_keys)
    grid = figure.add_gridspec(2, 2 * num_columns, height_ratios=[3, 2.4])
    for index, (arm, report) in enumerate(reports.items()):
        cells = grid[0, index * num_columns : (index + 1) * num_columns]
        _plot_samples(figure.add_subplot(cells), arm, report)
    for index, key in enumerate(lab.log_keys):
        cells = grid[1, 2 * index : 2 * index + 2]
        _plot_values(figure.add_subplot(cells), key, reports)
    info = Mark(source_type=COMPOSITE).png_info
    FigureCanvasAgg(figure).print_png(path, pil_kwargs={"pnginfo": info})


def _plot_samples(axes: Axes, arm: str, report: Report) -> None:
    axes.set_axis_off()
    names = [finding.name for finding in report.findings if finding.severity != "note"]
    findings = ", ".join(names).replace("_", " ") or "nothing found"
    axes.set_title(f"{arm}: {findings}", fontsize=9, color=COLORS[arm], wrap=True)
    picture = _last_picture(report.log.source)
    if picture is not None:
        axes.imshow(picture)


def _plot_values(axes: Axes, key: str, reports: Mapping[str, Report]) -> None:
    plotted = []
    for arm, report in reports.items():
        series = report.log.get(key)
        if series is not None:
            axes.plot(series.steps, series.values, color=COLORS[arm], label=arm)
            plotted.append(series.values)
    if plotted:
        values = np.concatenate(plotted)
        if values.min() > 0 and values.max() > LOG_SCALE_RATIO * values.min():
            axes.set_yscale("log")
        axes.legend(fontsize=8, frameon=False)
    axes.set_title(SCALARS[key].tag, fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _last_picture(directory: Path) -> np.ndarray | None:
    """The newest sample grid, cut to a wide strip; a decision surface whole."""
    by_step = RunFolder(directory).pictures()
    if not by_step:
        return None
    with Image.open(by_step[max(by_step)]) as opened:
        picture = opened.convert("RGB")
    if picture.height > 0.9 * picture.width and picture.width < 650:
        picture = picture.crop((0, 0, picture.width, picture.height // 2))
    return np.asarray(picture)
