"""Extractors: each SPEC gives the features that it names."""

import hashlib

import importlib_resources
import numpy as np
import pytest

from ganlab import load_data
from ganlab.errors import UserError
from ganlab.features import efficientnet, extractors, inception_weights
from ganlab.features.extractors import load_extractor

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


@pytest.mark.e2e
def test_inceptions_weights_must_be_its_own(ported, tmp_path):
    _, path = ported
    with pytest.raises(UserError, match="of SHA-256 6726825d.*fetch-inception"):
        load_extractor(f"inception:{path}", COLOUR)
    with pytest.raises(UserError, match="run ganlab fetch-inception"):
        load_extractor(f"inception:{tmp_path / 'none.pth'}", COLOUR)


@pytest.mark.e2e
def test_inception_from_a_file_of_the_right_hash(ported, monkeypatch, pictures):
    _, path = ported
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception_weights, "SHA256", digest)
    extractor = load_extractor(f"inception:{path}", GREY)
    features, logits = extractor.extract(pictures(2, GREY))
    assert (features.shape, logits.shape) == ((2, 2048), (2, 1008))
    assert extractor.sha256 == digest
    assert "TensorFlow 1 bilinear" in extractor.resizer


@pytest.mark.e2e
def test_the_shipped_classifier_is_small_and_right():
    data = load_data("fashion_mnist")
    extractor = load_extractor("fashion_mnist", GREY)
    progress = []
    features, logits = extractor.extract(
        data.images[:1000], lambda *done: progress.append(done)
    )
    assert features.shape == (1000, 128)
    assert np.mean(logits.argmax(axis=1) == data.labels[:1000]) > 0.91
    assert extractor.class_names == data.class_names
    assert progress[-1] == (1000, 1000)
    path = importlib_resources.files("ganlab.features.classifiers")
    assert len((path / extractors.FASHION_FILE).read_bytes()) < 1_000_000
    floats = data.images[:50].astype(np.float32) / 127.5 - 1.0
    np.testing.assert_allclose(extractor.extract(floats)[0], features[:50], atol=1e-5)
    with pytest.raises(UserError, match="grey images of 28 pixels"):
        load_extractor("fashion_mnist", COLOUR)


def test_a_changed_classifier_is_refused(monkeypatch):
    monkeypatch.setattr(extractors, "FASHION_SHA256", "0" * 64)
    with pytest.raises(UserError, match="SHA-256.*install ganlab again"):
        load_extractor("fashion_mnist", GREY)


def test_arrays_have_no_features_and_opacity_is_compared_by_pixels():
    with pytest.raises(UserError, match="there are no features"):
        extractors.default_spec((64, 2))
    assert extractors.default_spec((32, 32, 4)) == "pixels"


def test_class_probabilities_are_softmax():
    probabilities = extractors.class_probabilities(
        np.array([[0.0, np.log(3.0)], [1e4, 0.0]])
    )
    np.testing.assert_allclose(probabilities, [[0.25, 0.75], [1.0, 0.0]])


def test_pixels_are_means_of_boxes(pictures):
    images = pictures(3, (32, 32, 3))
    features, logits = load_extractor("pixels", (32, 32, 3)).extract(images)
    boxes = images.reshape(3, 8, 4, 8, 4, 3).mean(axis=(2, 4)) / 127.5 - 1.0
    np.testing.assert_allclose(features, boxes.reshape(3, -1), atol=1e-6)
    assert logits is None


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        ("vgg", COLOUR, "one of: fashion_mnist, efficientnet-lite0, inc"),
        ("keras:Nothing", COLOUR, "MobileNetV2"),
        ("keras:preprocess_input", COLOUR, "MobileNetV2"),
        ("keras:MobileNetV2:none.weights.h5", COLOUR, "weights of MobileNetV2"),
        ("model:none.onnx", COLOUR, "a file that exists"),
        ("points", COLOUR, "points for toy 2-D mixtures"),
        ("pixels", (2,), "points for toy 2-D mixtures"),
        ("points", (5,), r"samples of shape \(5,\), for which there are no"),
        ("pixels", (16, 16, 5), "or toy 2-D samples, to score"),
    ],
)
def test_a_mistake_in_a_spec_is_one_line(spec, shape, message):
    with pytest.raises(UserError, match=message) as caught:
        load_extractor(spec, shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28, 1), np.uint8), "1 image or more"),
        (np.full((3, 28, 28, 1), 128.0), r"floats in \[-1, 1\]. Received: float64"),
        (np.full((3, 28, 28, 1), np.nan), "Received: float64 in .nan"),
        (np.zeros((3, 28, 28, 1), np.int64), "Received: int64"),
    ],
)
def test_images_of_another_range_are_refused(images, message):
    with pytest.raises(UserError, match=message):
        load_extractor("pixels", GREY).extract(images)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that says which networks there are: none of them is loaded."""

    def install(*names):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        package = tmp_path if "efficientnet-lite0" in names else None
        monkeypatch.setattr(efficientnet, "weights_file", lambda: package)
        if "inception" in names:
            inception_weights.cached_file().parent.mkdir()
            inception_weights.cached_file().write_bytes(b"")

    return install


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2,), "points"),
        (GREY, "fashion_mnist"),
        (COLOUR, "efficientnet-lite0"),
        ((64, 48, 1), "efficientnet-lite0"),
        ((64, 31, 3), "pixels"),
        ((64, 64, 4), "pixels"),
    ],
)
def test_the_default_depends_on_the_images(installed, caplog, shape, expected):
    installed("efficientnet-lite0")
    assert extractors.default_spec(shape) == expected
    assert not caplog.text


@pytest.mark.parametrize(
    ("there", "excluded", "expected", "said"),
    [
        ([], [], "pixels", "pip install 'ganlab[efficientnet]'"),
        (["efficientnet-lite0"], [], "efficientnet-lite0", None),
        (["inception"], [], "inception", None),
        (["inception", "efficientnet-lite0"], [], "inception", None),
        (
            ["efficientnet-lite0"],
            ["efficientnet-lite0"],
            "pixels",
            "ganlab fetch-inception",
        ),
        (
            ["inception", "efficientnet-lite0"],
            ["efficientnet-lite0"],
            "inception",
            None,
        ),
    ],
)
def test_the_default_depends_on_what_there_is(
    installed, caplog, there, excluded, expected, said
):
    installed(*there)
    assert extractors.default_spec(COLOUR, excluded) == expected
    if said is None:
        assert not caplog.text
    else:
        (record,) = caplog.records
        assert record.message.endswith(f"for a network's features: {said}")


def test_points_are_their_own_features():
    samples = np.array([[-3.0, 5.0], [0.0, 1.0]], np.float32)
    features, logits = load_extractor("points", (2,)).extract(samples)
    np.testing.assert_array_equal(features, samples)
    assert logits is None
