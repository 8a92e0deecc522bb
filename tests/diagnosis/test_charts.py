"""Charts and pictures are inline."""

import base64
import io

import numpy as np
from PIL import Image

from ganlab.diagnosis import Series
from ganlab.diagnosis.charts import draw, picture_url
from ganlab.diagnosis.panels import Curve, Panel, make_panel


def test_a_chart_is_an_svg_and_repeats(make_log):
    log = make_log()
    panel = make_panel(log, [("d_loss", None), ("g_loss", 1.0)], "losses", since=100)
    text = draw(panel)
    assert text.startswith("<div><svg")
    assert text == draw(panel)
    assert draw(make_panel(log, [("unknown", None)])) == ""


def test_a_column_of_another_log_is_no_formula():
    series = Series(np.arange(3), np.ones(3))
    name = r"loss $\frac{"
    assert draw(Panel("$title$", (Curve(name, series),))).startswith("<div><svg")


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
