"""Backends: models in ONNX, Keras and keras.applications give their features."""

import importlib_resources
import keras
import numpy as np
import onnx
import pytest
from PIL import Image

from ganlab.errors import UserError
from ganlab.features import extractors
from ganlab.features.extractors import load_extractor

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


def small_model(path, names):
    inputs = keras.Input((16, 16, 1), name="images")
    maps = keras.layers.Conv2D(5, 3, name="maps")(inputs)
    means = keras.layers.GlobalAveragePooling2D(name="features")(maps)
    layers = {"maps": maps, "features": means}
    model = keras.Model(inputs, [layers[name] for name in names])
    model.save(path)
    return model


@pytest.mark.parametrize("names", [["maps"], ["maps", "features"]])
def test_a_keras_model_gives_its_features(tmp_path, names, pictures):
    model = small_model(tmp_path / "a.keras", names=names)
    images = pictures(6, (16, 16, 1))
    extractor = load_extractor(f"model:{tmp_path / 'a.keras'}", (16, 16, 1))
    features, _ = extractor.extract(images)
    maps = model(images / 127.5 - 1.0)
    maps = maps[0] if isinstance(maps, list) else maps
    np.testing.assert_allclose(features, np.mean(maps, axis=(1, 2)), atol=1e-5)
    assert extractor.name == "model:a.keras"
    with pytest.raises(UserError, match="images of 1 channels.*Received: 3"):
        extractor.extract(pictures(2, COLOUR))


def test_an_onnx_model_gives_what_keras_gives(tmp_path, pictures):
    path = importlib_resources.files("ganlab.features.classifiers")
    content = (path / extractors.FASHION_FILE).read_bytes()
    (tmp_path / "a.onnx").write_bytes(content)
    images = pictures(4, GREY)
    features, logits = load_extractor(f"model:{tmp_path / 'a.onnx'}", GREY).extract(
        images
    )
    expected, expected_logits = load_extractor("fashion_mnist", GREY).extract(images)
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(logits, expected_logits)
    assert onnx.load_model_from_string(content).ir_version > 0


@pytest.mark.e2e
def test_a_network_of_keras_applications(tmp_path, pictures):
    network = keras.applications.MobileNetV2(
        include_top=False, pooling="avg", input_shape=(224, 224, 3), weights=None
    )
    file = tmp_path / "a.weights.h5"
    network.save_weights(file)
    extractor = load_extractor(f"keras:MobileNetV2:{file}", GREY)
    images = pictures(2, (224, 224, 3))
    features, _ = extractor.extract(images)
    scaled = keras.applications.mobilenet_v2.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(features, network.predict(scaled, verbose=0), atol=1e-4)
    assert extractor.extract(pictures(2, GREY))[0].shape == (2, 1280)


@pytest.mark.parametrize("suffix", [".onnx", ".keras", ".txt"])
def test_a_broken_model_is_one_line(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError) as caught:
        load_extractor(f"model:{path}", GREY)
    assert "\n" not in str(caught.value)


def test_a_model_with_code_is_refused(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Lambda(lambda x: x[:, 0, 0])]
    )
    model.save(tmp_path / "a.keras")
    with pytest.raises(UserError, match="loads in safe mode"):
        load_extractor(f"model:{tmp_path / 'a.keras'}", (8, 8, 1))


def test_images_are_resized_as_pillow_does(tmp_path, pictures):
    small_model(tmp_path / "a.keras", names=["features"])
    extractor = load_extractor(f"model:{tmp_path / 'a.keras'}", GREY)
    images = pictures(2, GREY)
    resized = np.stack(
        [
            np.asarray(
                Image.fromarray(image[..., 0].astype(np.float32)).resize(
                    (16, 16), Image.Resampling.BICUBIC
                )
            )
            for image in images
        ]
    )[..., None]
    model = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    expected = model.predict(resized / 127.5 - 1.0, verbose=0)
    np.testing.assert_allclose(extractor.extract(images)[0], expected, atol=1e-5)
