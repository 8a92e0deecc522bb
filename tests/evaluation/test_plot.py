"""The chart of a comparison is written, of images and of toy 2-D samples."""

import numpy as np
import pytest
from PIL import Image

from ganlab import evaluation, load_data
from ganlab.evaluation import plot
from ganlab.evaluation.compare import Comparison
from ganlab.provenance.marks import COMPOSITE, read_mark

LONG = "saved_models/$x$-quickstart-20260101-000000-and-more-of-a-name"


@pytest.mark.e2e
@pytest.mark.parametrize("data", ["fashion_mnist", "ring"])
def test_a_comparison_is_drawn(tmp_path, data):
    reference = evaluation.load_reference(
        load_data(data), num_images=60, features="pixels" if data != "ring" else None
    )
    noisy = reference.images[np.arange(60) % 20]
    subjects = {"a": evaluation.evaluate(reference, noisy)}
    subjects["a/very/long/name/of-a-run-in-a-folder"] = subjects["a"]
    real = evaluation.evaluate_real(reference)
    path = tmp_path / "new" / "scores.png"
    plot.draw(Comparison(reference, real, subjects), path)  # a layout that fails warns
    plot.draw(Comparison(reference, real, {LONG: subjects["a"]}), tmp_path / "one.png")
    with Image.open(path) as picture:
        assert picture.width == 1400
        assert len(set(picture.convert("L").tobytes())) > 10
    assert read_mark(path).source_type == COMPOSITE
