"""Charts and pictures are inline."""

import base64
import io

from PIL import Image

from ganlab.diagnosis import Finding
from ganlab.diagnosis.charts import chart, evidence_chart, picture_url


def test_a_chart_is_an_svg_and_repeats(make_log):
    log = make_log()
    text = chart(log, [("d_loss", None), ("g_loss", None)], "losses")
    assert text.startswith("<div><svg")
    assert text == chart(log, [("d_loss", None), ("g_loss", None)], "losses")
    assert chart(log, [("unknown", None)]) == ""


def test_the_evidence_chart_takes_composed_signals_apart(make_log):
    evidence = {
        "signal": "d_real - d_fake",
        "value": 0.0,
        "threshold": 0.02,
        "says": "",
    }
    finding = Finding("generator_domination", "critical", 100, [evidence], 0.9)
    assert evidence_chart(make_log(), finding).count("<svg") == 1


def test_pictures_are_cut_or_scaled(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (800, 900)).save(path)
    for pictorial, size in ((True, (800, 120)), (False, (320, 360))):
        url = picture_url(path, pictorial=pictorial)
        header, _, data = url.partition(",")
        assert header == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert picture.size == size
    path.write_bytes(b"broken off")
    assert picture_url(path, pictorial=True) is None
