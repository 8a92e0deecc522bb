"""Charts and pictures of a report as inline SVG and PNG."""

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import Log

MAX_POINTS = 400
LOG_SCALE_RATIO = 50  # of the largest value to the smallest
STRIP_HEIGHT = 120
PLANE_SIZE = 360
SINCE_COLOR = "#b3261e"

SignalAndThreshold = tuple[str, float | None]


def evidence_chart(log: Log, finding: Finding) -> str:
    """The signals of a finding with their thresholds, from the step that it holds."""
    signals: list[SignalAndThreshold] = []
    for evidence in finding.evidence:
        names = re.split(r" - |, ", evidence["signal"])
        names = ["d_accuracy_fake"] if names == ["d_accuracy"] else names
        signals += [
            (name, evidence["threshold"]) for name in names if name in log.series
        ]
    return chart(log, signals, since=finding.since_step)


def chart(
    log: Log,
    signals: Sequence[SignalAndThreshold],
    title: str = "",
    since: int | None = None,
) -> str:
    """Series as inline SVG; nothing if none was logged twice.

    Args:
        log: The `Log`.
        signals: Pairs of a log key and a threshold, or `None`.
        title: Title of the chart.
        since: Step that is marked, thresholds with it, or `None`.
    """
    curves = [
        (name, threshold, series)
        for name, threshold in signals
        if (series := log.get(name, 2)) is not None
    ]
    if not curves:
        return ""
    figure = Figure(figsize=(6, 2.3), layout="constrained")
    axes = figure.add_subplot()
    for index, (name, threshold, series) in enumerate(curves):
        stride = -(-len(series) // MAX_POINTS)
        axes.plot(
            series.steps[::stride],
            series.values[::stride],
            ".-",
            markersize=3,
            linewidth=1.2,
            color=f"C{index}",
            label=name,
        )
        if threshold is not None and since is not None:
            axes.axhline(threshold, color=f"C{index}", linestyle=":", linewidth=1)
    if since is not None:
        axes.axvline(since, color=SINCE_COLOR, linestyle="--", linewidth=1)
    values = np.concatenate([series.values for _, _, series in curves])
    if values.min() > 0 and values.max() / values.min() > LOG_SCALE_RATIO:
        axes.set_yscale("log")
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    file = io.StringIO()
    salt = f"{title}{since}{[name for name, _ in signals]}"
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return f"<div>{text[text.index('<svg') :]}</div>"


def picture_url(path: Path, *, pictorial: bool) -> str | None:
    """A sample grid as a `data:` URL, or `None` of a picture that broke off.

    Args:
        path: The file.
        pictorial: Whether it shows images, whose first rows are enough, or the
            plane of a toy 2-D mixture.
    """
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except OSError:
        return None
    if pictorial:
        height = min(STRIP_HEIGHT, picture.height)
        picture = picture.crop((0, 0, picture.width, height))
    else:
        picture.thumbnail((PLANE_SIZE, PLANE_SIZE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
