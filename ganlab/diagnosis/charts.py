"""Charts and pictures of a report as inline SVG and PNG."""

import base64
import io
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from ganlab import provenance
from ganlab.diagnosis.panels import Panel, thinned
from ganlab.text import drawable

STRIP_HEIGHT = 120
PLANE_SIZE = 360
SINCE_COLOR = "#b3261e"


def draw(panel: Panel | None) -> str:
    """A panel as inline SVG; nothing of `None`."""
    if panel is None:
        return ""
    figure = Figure(figsize=(6, 2.3), layout="constrained")
    axes = figure.add_subplot()
    for index, curve in enumerate(panel.curves):
        series = thinned(curve.series)
        axes.plot(
            series.steps,
            series.values,
            ".-",
            markersize=3,
            linewidth=1.2,
            color=f"C{index}",
            label=drawable(curve.name),
        )
        if curve.threshold is not None:
            axes.axhline(curve.threshold, color=f"C{index}", linestyle=":", linewidth=1)
    if panel.since is not None:
        axes.axvline(panel.since, color=SINCE_COLOR, linestyle="--", linewidth=1)
    if panel.logarithmic:
        axes.set_yscale("log")
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.set_title(drawable(panel.title), fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    file = io.StringIO()
    salt = f"{panel.title}{panel.since}{[curve.name for curve in panel.curves]}"
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
            picture, info = opened.convert("RGB"), provenance.copied_info(opened)
    except OSError:
        return None
    if pictorial:
        height = min(STRIP_HEIGHT, picture.height)
        picture = picture.crop((0, 0, picture.width, height))
    else:
        picture.thumbnail((PLANE_SIZE, PLANE_SIZE))
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=info)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
