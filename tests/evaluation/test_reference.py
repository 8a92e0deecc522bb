"""Features of real images are kept, and cut to as many as there are others."""

import numpy as np
import pytest

from ganlab import evaluation
from ganlab.errors import UserError


def test_features_are_kept_by_what_made_them(fashion, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = evaluation.load_reference(fashion, num_images=50)
    assert not (tmp_path / "ganlab").exists()  # before they are asked for
    assert first.take(np.arange(7)).features.shape == (7, first.features.shape[1])
    (kept,) = (tmp_path / "ganlab" / "features").iterdir()

    def fail(*_, **__):
        raise AssertionError("extracted again")

    with monkeypatch.context() as patched:
        patched.setattr("ganlab.features.extractors.Extractor.extract", fail)
        again = evaluation.load_reference(fashion, num_images=50)
        np.testing.assert_array_equal(first.features, again.features)
        np.testing.assert_array_equal(first.logits, again.logits)
        with pytest.raises(AssertionError):
            _ = evaluation.load_reference(fashion, num_images=50, seed=1).features
        with pytest.raises(AssertionError):
            _ = evaluation.load_reference(
                fashion, num_images=50, features="pixels"
            ).features
    kept.write_bytes(b"broken")
    again = evaluation.load_reference(fashion, num_images=50)
    np.testing.assert_array_equal(first.features, again.features)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "other"])
def test_damaged_features_are_made_again(
    fashion, monkeypatch, tmp_path, caplog, damage
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = evaluation.load_reference(fashion, num_images=20, features="pixels")
    assert first.logits is None
    (kept,) = (tmp_path / "ganlab" / "features").iterdir()
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {"flip": content, "truncate": content[:99], "empty": b""}
    if damage == "other":
        np.savez(kept, other=np.zeros(3))
    else:
        kept.write_bytes(damaged[damage])
    for _ in range(2):
        again = evaluation.load_reference(fashion, num_images=20, features="pixels")
        np.testing.assert_array_equal(first.features, again.features)
    assert caplog.text.count("is damaged") == 1


@pytest.mark.e2e
def test_fewer_images_are_held_against_as_many_real_ones(reference, evaluated):
    few = evaluation.evaluate(reference, evaluated.images[:60])
    assert few.protocol.num_images == 60
    assert few.details["fewer_images_than_features"]
    assert "fid_infinity" not in few.scores
    assert len(few.pairs.covered) == 60
    with pytest.raises(UserError, match="num images"):
        few.protocol.check_comparable(evaluated.protocol)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((9, 28, 28, 3), np.uint8), r"\(28, 28, 1\).*Received: \(28, 28, 3\)"),
        (np.zeros((9, 32, 32, 1), np.uint8), r"Received: \(32, 32, 1\)"),
        (np.zeros((1, 28, 28, 1), np.uint8), "6 images or more. Received: 1"),
        (np.full((9, 28, 28, 1), 200.0), r"floats in \[-1, 1\]"),
        (np.full((9, 28, 28, 1), np.nan), "nan"),
    ],
)
def test_images_that_do_not_compare_are_refused(reference, images, message):
    with pytest.raises(UserError, match=message) as caught:
        evaluation.evaluate(reference, images)
    assert "\n" not in str(caught.value)
