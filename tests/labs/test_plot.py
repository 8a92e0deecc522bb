"""The picture of a lab."""

from PIL import Image

from ganlab.labs import get_lab
from ganlab.labs.plot import plot_lab
from ganlab.provenance.marks import COMPOSITE, read_mark


def test_the_picture_shows_both_runs(make_reports, tmp_path):
    reports = make_reports(
        (["discriminator_domination"], [0.5, 0.001]), ([], [0.5, 0.4])
    )
    plot_lab(get_lab("strong-discriminator"), reports, tmp_path / "lab.png")
    with Image.open(tmp_path / "lab.png") as picture:
        assert picture.width == 1200
        colors = set(picture.convert("RGB").get_flattened_data())
    assert read_mark(tmp_path / "lab.png").source_type == COMPOSITE
    assert {(0xB3, 0x26, 0x1E), (0x2E, 0x6B, 0x34)} <= colors
