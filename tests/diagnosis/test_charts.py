"""Charts and pictures are inline, and a chart's curves stand at its labels."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlab.diagnosis import Series
from ganlab.diagnosis.charts import BOTTOM, LEFT, RIGHT, TOP, draw, picture_url
from ganlab.diagnosis.panels import Curve, Panel, make_panel


class Chart:
    """A drawn chart, parsed: labelled places, and points of its curves."""

    def __init__(self, text):
        self.figure = ElementTree.fromstring(text)
        labels, lines = self.figure.findall("svg/g")
        self.steps, self.values = {}, {}
        for label in labels:
            across = label.get("text-anchor") == "middle"
            place = float(label.get("x" if across else "y"))
            (self.steps if across else self.values)[label.text] = place
        self.curves = [
            [
                tuple(map(float, point.split(",")))
                for point in line.get("points").split()
            ]
            for line in lines.findall("polyline")
        ]
        self.dashed = {
            line.get("stroke-dasharray"): line for line in lines.findall("line")
        }


def chart_of(steps, values, threshold=None, **panel):
    series = Series(np.array(steps), np.array(values, float))
    return Chart(draw(Panel("a", (Curve("d_loss", series, threshold),), **panel)))


def test_a_chart_is_an_svg_and_repeats(make_log):
    log = make_log()
    panel = make_panel(log, [("d_loss", None), ("g_loss", 1.0)], "losses", since=100)
    text = draw(panel)
    assert text == draw(panel)
    assert "".join(Chart(text).figure.find("figcaption").itertext()).split() == [
        *("losses", "d_loss", "g_loss")
    ]
    assert draw(make_panel(log, [("unknown", None)])) == ""


def test_curves_and_lines_stand_at_the_labels_of_their_values():
    chart = chart_of([0, 500, 1000], [0.0, 2.0, -1.0], threshold=2.0, since=500)
    assert list(chart.values) == ["-1", "0", "1", "2"]
    assert list(chart.steps) == ["0", "200", "400", "600", "800", "1,000"]
    assert chart.curves == [
        [
            (LEFT, chart.values["0"]),
            ((LEFT + RIGHT) / 2, chart.values["2"]),
            (RIGHT, chart.values["-1"]),
        ]
    ]
    assert float(chart.dashed["2 3"].get("y1")) == chart.values["2"]
    assert float(chart.dashed["5 4"].get("x1")) == (LEFT + RIGHT) / 2
    # Room above and below is 6 % of the span of 3 between -1 and 2.
    per_value = (BOTTOM - TOP) / (3 * 1.12)
    for label, place in chart.values.items():
        expected = TOP + (0.06 * 3 + 2 - float(label)) * per_value
        assert place == pytest.approx(expected, abs=0.051)


def test_values_of_several_orders_of_magnitude_are_spaced_by_their_logarithms():
    chart = chart_of([1, 2, 3], [0.01, 1.0, 100.0], threshold=-1.0)
    assert list(chart.steps) == ["1", "2", "3"]
    assert list(chart.values) == ["0.01", "0.1", "1", "10", "100"]
    assert [y for _, y in chart.curves[0]] == [
        chart.values[label] for label in ("0.01", "1", "100")
    ]
    gaps = -np.diff(list(chart.values.values()))
    np.testing.assert_allclose(gaps, gaps[0], atol=0.2)
    assert "2 3" not in chart.dashed  # a threshold that has no place


@pytest.mark.e2e
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**15), st.floats(allow_nan=False, allow_infinity=False)
        ),
        min_size=2,
        max_size=5,
    )
)
def test_every_value_has_a_place(points):
    steps = sorted(step for step, _ in points)
    chart = chart_of(steps, [value for _, value in points], since=steps[1])
    for x, y in chart.curves[0]:
        assert LEFT <= x <= RIGHT
        assert TOP <= y <= BOTTOM
    assert 0 < len(chart.values) <= 8


def test_a_column_of_another_log_is_text():
    series = Series(np.arange(3), np.ones(3))
    text = draw(Panel("<title>", (Curve("<b>\n$x$", series),)))
    assert "&lt;b&gt;\\n$x$</span>" in text
    assert not re.search("<title>|\n", text)


def test_pictures_are_cut_or_scaled(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (800, 900)).save(path)
    for pictorial, size in ((True, (800, 120)), (False, (320, 360))):
        url = picture_url(path, pictorial=pictorial)
        header, _, data = url.partition(",")
        assert header == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert picture.size == size
            assert b"trainedAlgorithmicMedia" in picture.info["xmp"]
    path.write_bytes(b"broken off")
    assert picture_url(path, pictorial=True) is None
