"""The page says which step to export, and by which scores."""

import pytest

from ganlab.callbacks.quality_page import quality_page

PROTOCOL = {
    "num_images": 2000,
    "data": "fashion_mnist",
    "extractor": "fashion_mnist",
    "fingerprint": "0123456789abcdef",
    "image_shape": (28, 28, 1),
}


def record(step, fid, error=0.005):
    score = {
        "value": fid,
        "low": fid - 2 * error,
        "high": fid + 2 * error,
        "standard_error": error,
    }
    return {"step": step, "protocol": PROTOCOL, "scores": {"fid": score}}


@pytest.mark.parametrize(
    ("best", "last", "conclusion"),
    [
        (record(4, 0.2), record(10, 0.6), "better at step 4: export it"),
        (record(4, 0.2, 0.3), record(10, 0.6, 0.3), "do not differ by more than"),
        (record(10, 0.2), record(10, 0.2), "The last step is the best"),
    ],
)
def test_the_conclusion_is_by_the_intervals(best, last, conclusion):
    page = quality_page(best, last, "checkpoints/best.png")
    assert conclusion in page
    assert "2,000 images of fashion_mnist" in page
    assert "`0123456789ab`" in page
    assert "![Images of the best step](checkpoints/best.png)" in page


def test_toy_mixtures_have_no_picture():
    last = record(4, 0.2)
    last["protocol"] = PROTOCOL | {"image_shape": (2,)}
    assert "![" not in quality_page(last, last, "checkpoints/best.png")
