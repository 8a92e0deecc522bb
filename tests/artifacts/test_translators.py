"""An exported translator makes Keras's images, of any size."""

import keras
import numpy as np
import pytest

from ganlab import Translator, networks
from ganlab.artifacts import translators
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.onnx_run import open_session
from ganlab.artifacts.parity import ParityError
from ganlab.errors import UserError


@pytest.fixture(scope="module")
def session(translated):
    return open_session(translated[1] / "generator.onnx", optimized=True)


def made(session, sources):
    return session.run(["images"], {"sources": sources})[0]


def noise(*shape):
    return np.random.default_rng(5).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.e2e
def test_the_file_makes_the_images_of_the_average(translated, session):
    translator, _, card = translated
    sources = noise(3, 16, 24, 1)
    expected = translator.predict(sources, verbose=0)
    np.testing.assert_allclose(made(session, sources), expected, atol=1e-5)
    raw = translator.generator.predict(sources, verbose=0)
    assert np.abs(raw - expected).max() > 0.01  # which is another
    assert card["parity"]["sizes"] == [[16, 24], [8, 12], [20, 8]]
    assert card["parity"]["max_difference"]["onnx"] <= 1e-5
    assert card["parity"]["training_inference_difference"] > 0.001  # of dropout
    assert card["data_license"] is None


def test_sides_are_free(session):
    names = [value.shape for value in session.get_inputs() + session.get_outputs()]
    assert names == [["batch", "height", "width", n] for n in (1, 3)]
    assert made(session, noise(1, 36, 4, 1)).shape == (1, 36, 4, 3)


def test_pixels_reach_as_far_as_the_card_states(translated, session):
    stated = translated[2]["inputs"]["sources"]
    multiple, reach = stated["multiple"], stated["reach"]
    assert multiple == 4
    sources = noise(1, 64, 64, 1)
    before = made(session, sources)[0, 32 : 32 + multiple, 32 : 32 + multiple]
    for distance, changes in ((reach, True), (reach + 1, False)):
        other = sources.copy()
        other[:, : 32 - distance + 1] *= -1
        other[:, 32 + multiple - 1 + distance :] *= -1
        after = made(session, other)[0, 32 : 32 + multiple, 32 : 32 + multiple]
        assert (np.abs(after - before).max() > 0) == changes


@pytest.mark.e2e
def test_sources_that_were_enlarged_are_enlarged_again(tmp_path):
    translator = Translator(
        networks.resnet_translator(16, base_filters=2, num_blocks=1),
        networks.patch_discriminator(16, source_channels=3, base_filters=2, stages=1),
    )
    card = translators.export_translator(
        translator, tmp_path / "x", training={"data": "task:small:4:emoji:twitter"}
    )
    assert card["inputs"]["sources"]["enlarged"] == 4
    assert card["inputs"]["sources"]["multiple"] == 4
    assert card["data_license"] == "cc-by-4.0"
    with pytest.raises(UserError, match="new or empty|exists"):
        translators.export_translator(translator, tmp_path / "x")


@pytest.mark.e2e
def test_other_images_are_not_exported(translated, tmp_path, monkeypatch):
    translator, *_ = translated
    monkeypatch.setattr(keras.Model, "set_weights", lambda self, weights: None)
    with pytest.raises(ParityError, match="of 16 by 24 pixels, batch 1, seed 0; not"):
        translators.export_translator(translator, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_it_is_no_generator(translated):
    with pytest.raises(UserError, match="a translator's.*ganlab filter ARTIFACT"):
        Artifact(translated[1])
