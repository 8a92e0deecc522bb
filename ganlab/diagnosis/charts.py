"""Charts and pictures of a report as inline SVG and PNG."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab.diagnosis.log import Series
from ganlab.diagnosis.panels import Panel, thinned
from ganlab.provenance import marks
from ganlab.text import shortened

STRIP_HEIGHT = 120
PLANE_SIZE = 360
CURVE_COLORS = ("#0b62a4", "#c2410c", "#1a7f4b", "#8b3fa0")  # the live page's
SINCE_COLOR, GRID_COLOR, LABEL_COLOR = "#b3261e", "#dedbe2", "#5f5e62"
WIDTH, HEIGHT = 600, 180
LEFT, RIGHT, TOP, BOTTOM = 64, WIDTH - 14, 8, HEIGHT - 22  # of the plot
NUM_TICKS = 5
MAX_VALUE = 1e300  # that is drawn, so that differences are finite
MAX_WHOLE = 1e9  # that is labelled in full
MIN_RELATIVE_SPAN = 1e-5  # of less, labels of six digits would be the same


def draw(panel: Panel | None) -> str:
    """A panel as inline SVG, below its title and legend; nothing of `None`."""
    if panel is None:
        return ""
    series = [thinned(curve.series) for curve in panel.curves]
    steps, values = _step_axis(series), _value_axis(panel, series)
    labels = [
        f'<text x="{LEFT - 6}" y="{y:.1f}" dy=".32em" text-anchor="end">{text}</text>'
        for text, y in values.ticks
    ] + [
        f'<text x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{text}</text>'
        for text, x in steps.ticks
    ]
    lines = [_line(LEFT, RIGHT, y, y, GRID_COLOR) for _, y in values.ticks]
    if panel.since is not None:
        x = steps.place(panel.since)
        lines.append(_line(x, x, TOP, BOTTOM, SINCE_COLOR, dashes="5 4"))
    names = []
    for index, (curve, points) in enumerate(zip(panel.curves, series, strict=True)):
        color = CURVE_COLORS[index % len(CURVE_COLORS)]
        name = escape(shortened(curve.name))
        names.append(f'<span style="color:{color}">{name}</span>')
        if curve.threshold is not None and values.includes(curve.threshold):
            y = values.place(curve.threshold)
            lines.append(_line(LEFT, RIGHT, y, y, color, dashes="2 3"))
        places = " ".join(
            f"{steps.place(step):.1f},{values.place(value):.1f}"
            for step, value in zip(points.steps, points.values, strict=True)
        )
        lines.append(f'<polyline stroke="{color}" points="{places}"/>')
    title = escape(shortened(panel.title))
    return (
        f"<figure><figcaption><b>{title}</b> {' '.join(names)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title or "Evidence"}">'
        f'<g fill="{LABEL_COLOR}" font-size="11">{"".join(labels)}</g>'
        f'<g fill="none" stroke-width="1.5" stroke-linejoin="round">{"".join(lines)}'
        "</g></svg></figure>"
    )


def _line(
    x1: float, x2: float, y1: float, y2: float, color: str, dashes: str = "none"
) -> str:
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" '
        f'stroke="{color}" stroke-width="1" stroke-dasharray="{dashes}"/>'
    )


class _Axis:
    """Places of the values of `[low, high]`, and labels of some.

    Args:
        low: Float: the value at `start`.
        high: Float, larger.
        start: Float: a coordinate.
        end: Float: another.
        values: Those that are labelled.
        scale: Function by which values are spaced.
    """

    def __init__(
        self,
        low: float,
        high: float,
        start: float,
        end: float,
        values: Iterable[float],
        scale: Callable[[float], float] = float,
    ) -> None:
        self._low, self._high, self._start, self._scale = low, high, start, scale
        self._factor = (end - start) / (scale(high) - scale(low))
        self.ticks = [(_label(value), self.place(value)) for value in values]

    def includes(self, value: float) -> bool:
        return self._low <= value <= self._high

    def place(self, value: float) -> float:
        """The coordinate of a value, or of the nearest that the axis has."""
        value = min(max(value, self._low), self._high)
        return (
            self._start + (self._scale(value) - self._scale(self._low)) * self._factor
        )


def _step_axis(series: Sequence[Series]) -> _Axis:
    low = min(int(points.steps[0]) for points in series)
    high = max(int(points.steps[-1]) for points in series)
    high = max(high, low + 1)
    return _Axis(low, high, LEFT, RIGHT, _multiples(low, high, 1))


def _value_axis(panel: Panel, series: Sequence[Series]) -> _Axis:
    limits = [curve.threshold for curve in panel.curves if curve.threshold is not None]
    if panel.logarithmic:
        limits = [limit for limit in limits if limit > 0]
    values = np.concatenate([limits, *(points.values for points in series)])
    values = np.clip(values, -MAX_VALUE, MAX_VALUE)
    low, high = float(values.min()), float(values.max())
    if panel.logarithmic:
        low, high = low / 1.3, high * 1.3
        return _Axis(low, high, BOTTOM, TOP, _powers(low, high), math.log10)
    span = high - low
    if span <= MIN_RELATIVE_SPAN * abs(high):
        span = abs(high)
    room = 0.06 * span if span > 1 / MAX_VALUE else 1.0
    low, high = low - room, high + room
    return _Axis(low, high, BOTTOM, TOP, _multiples(low, high))


def _multiples(low: float, high: float, least: float = 0.0) -> Iterator[float]:
    """About `NUM_TICKS` round numbers, `least` or more apart."""
    raw = (high - low) / NUM_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    width = min(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= raw)
    width = max(width, least)
    for index in range(math.ceil(low / width), math.floor(high / width) + 1):
        yield index * width


def _powers(low: float, high: float) -> Iterator[float]:
    """Powers of 10, `NUM_TICKS` or fewer."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    for power in range(first, last + 1, -(-(last - first + 1) // NUM_TICKS)):
        yield 10.0**power


def _label(value: float) -> str:
    whole = abs(value) < MAX_WHOLE and value == round(value)
    return f"{value:,.0f}" if whole else f"{value:.6g}"


def picture_url(path: Path, *, pictorial: bool) -> str | None:
    """A sample grid as a `data:` URL, or `None` of a picture that broke off.

    Args:
        path: The file.
        pictorial: Whether it shows images, whose first rows are enough, or the
            plane of a toy 2-D mixture.
    """
    try:
        with Image.open(path) as opened:
            picture, info = opened.convert("RGB"), marks.copied_info(opened)
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
