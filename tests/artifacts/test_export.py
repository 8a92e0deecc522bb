"""Export: a folder whose formats have the averaged generator's images, or nothing."""

import functools
import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image

from ganlab import GAN, draw_latents, networks
from ganlab.artifacts import export
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.parity import ParityError
from ganlab.errors import UserError


def test_the_folder_holds_every_format(exported):
    _, directory, card = exported
    names = {path.name for path in directory.iterdir()}
    assert names == {
        "saved_model",
        "generator.onnx",
        "generator.float16.onnx",
        "generator.int8.onnx",
        "generator.keras",
        "generator.safetensors",
        "card.json",
        "README.md",
        "samples.png",
    }
    assert card == json.loads((directory / "card.json").read_text())
    assert {
        "README.md",
        "generator.onnx",
        "samples.png",
        "saved_model/saved_model.pb",
    } <= set(card["files"])
    assert card["inputs"]["latents"]["shape"] == [None, 8]
    assert card["outputs"]["images"]["shape"] == [None, 16, 16, 3]
    assert card["class_names"] == ["a", "b", "c"]
    assert card["training"] == {"data": "noise"}
    assert list(directory.parent.iterdir()) == [directory]


def test_onnx_file_is_named_dynamic_and_current(exported):
    _, directory, _ = exported
    model = onnx.load(directory / "generator.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert next(o.version for o in model.opset_import if o.domain == "") == 18
    session = onnxruntime.InferenceSession(directory / "generator.onnx")
    assert [value.name for value in session.get_inputs()] == ["latents", "labels"]
    assert [value.name for value in session.get_outputs()] == ["images"]
    for batch_size in (1, 5):
        feeds = {
            "latents": np.zeros((batch_size, 8), np.float32),
            "labels": np.zeros(batch_size, np.int32),
        }
        assert session.run(["images"], feeds)[0].shape == (batch_size, 16, 16, 3)


def test_every_format_has_the_averaged_generators_images(exported):
    gan, directory, _ = exported
    artifact = Artifact(directory)
    expected = gan.sample(9, seed=7)
    images = artifact.sample(9, seed=7)
    assert np.abs(images.astype(int) - expected).max() <= 1  # rounding to uint8
    latents = np.random.default_rng(7).standard_normal((9, 8), np.float32)
    loaded = keras.saving.load_model(directory / "generator.keras")
    names = pytest.importorskip("safetensors.numpy").load_file(
        directory / "generator.safetensors"
    )
    assert len(names) == len(loaded.variables)
    for variable in loaded.variables:
        np.testing.assert_array_equal(names[variable.path], variable.numpy())
    np.testing.assert_allclose(
        loaded.predict([latents, np.arange(9) % 3], verbose=0),
        artifact.generate(latents, np.arange(9) % 3),
        atol=1e-5,
    )
    assert all(layer.trainable for layer in loaded.layers)


def test_saved_model_signatures(exported):
    _, directory, _ = exported
    signatures = tf.saved_model.load(directory / "saved_model").signatures
    assert set(signatures) == {"serving_default", "sample"}
    outputs = signatures["sample"](seed=tf.constant(3), count=tf.constant(5))
    assert outputs["images"].shape == (5, 16, 16, 3)
    assert outputs["images"].dtype == tf.uint8
    assert set(outputs["labels"].numpy()) <= {0, 1, 2}
    again = signatures["sample"](seed=tf.constant(3), count=tf.constant(5))
    np.testing.assert_array_equal(outputs["images"], again["images"])
    other = signatures["sample"](seed=tf.constant(4), count=tf.constant(5))
    assert not np.array_equal(outputs["images"], other["images"])


def test_the_saved_model_refuses_labels_out_of_range(exported):
    _, directory, _ = exported
    serve = tf.saved_model.load(directory / "saved_model").signatures["serving_default"]
    latents = tf.zeros((2, 8))
    assert serve(latents=latents, labels=tf.constant([0, 2]))["images"].shape[0] == 2
    for label in (-1, 3):
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels from 0 to 2"):
            serve(latents=latents, labels=tf.constant([0, label]))


def test_a_generator_that_onnx_cannot_hold_leaves_nothing(tmp_path):
    class LogGamma(keras.layers.Layer):
        def call(self, inputs):
            return tf.math.lgamma(inputs)

    with pytest.raises(UserError, match="Lgamma"):
        export.export_generator(small_gan((4, 4, 1), LogGamma()), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_export_refuses_a_folder_in_use_and_missing_names(make_gan, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="new or empty folder"):
        export.export_generator(make_gan(), tmp_path)
    with pytest.raises(UserError, match="3 class names. Received: 0; pass class_names"):
        export.export_generator(make_gan(3), tmp_path / "a")
    with pytest.raises(
        UserError, match=r"that are strings, none empty. Received: \[0, 1, 2\]"
    ):
        export.export_generator(make_gan(3), tmp_path / "a", class_names=[0, 1, 2])
    with pytest.raises(UserError, match="JSON values as training"):
        export.export_generator(make_gan(), tmp_path / "a", training={"a": tmp_path})
    with pytest.raises(UserError, match="licence of one line"):
        export.export_generator(make_gan(), tmp_path / "a", license="")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.e2e
def test_a_format_that_differs_fails_the_export_and_leaves_nothing(
    make_gan, tmp_path, monkeypatch
):
    write_onnx = export.write_onnx

    def write_another(function, *rest, **options):
        write_onnx(
            lambda latents: {"images": function(latents)["images"] + 0.1},
            *rest,
            **options,
        )

    monkeypatch.setattr(export, "write_onnx", write_another)
    with pytest.raises(
        ParityError, match=r"onnx.*batch 1, seed 0, at image, row.*\(0, "
    ):
        export.export_generator(make_gan(), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_mixed_precision_generator_leaves_in_float32(make_gan, tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    gan = make_gan()
    for weight in gan.ema_generator.weights:
        weight.assign(4.0 * weight)  # images from black to white
    gan.step.assign(1)
    card = export.export_generator(gan, tmp_path / "a")
    assert max(card["parity"]["max_difference"].values()) < 1e-4
    latents = np.random.default_rng(0).standard_normal((4, 8), np.float32)
    shipped = Artifact(tmp_path / "a").generate(latents)
    np.testing.assert_allclose(gan.generate(latents), shipped, atol=1e-4)
    assert keras.config.dtype_policy().name == policy
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "a" / "generator.keras")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    "options",
    [
        {"upsampling": "nearest", "kernel_size": 3},
        {"upsampling": "bilinear", "normalization": "layer"},
        {"padding": "valid", "activation": "tanh", "output_activation": "sigmoid"},
        {"normalization": "none", "activation": "leaky_relu", "kernel_size": 5},
    ],
)
def test_every_kind_of_generator_exports(tmp_path, options):
    gan = GAN(
        networks.dcgan_generator(16, 1, latent_dim=8, base_filters=4, **options),
        networks.dcgan_discriminator(16, 1, base_filters=4),
    )
    card = export.export_generator(gan, tmp_path / "a")
    assert max(card["parity"]["max_difference"].values()) < 1e-4


@pytest.mark.e2e
@pytest.mark.parametrize(
    "make_generator",
    [
        lambda: networks.resnet_generator(16, num_classes=3, base_filters=8),
        pytest.param(
            lambda: networks.resnet_generator(16, base_filters=8, attention=True),
            marks=pytest.mark.slow,
        ),
        lambda: networks.r3gan_generator(16, num_classes=3, base_filters=16),
        lambda: networks.dcgan_generator(
            16, num_classes=3, base_filters=4, conditioning="batch_norm"
        ),
    ],
)
def test_residual_and_conditional_generators_export(make_generator, tmp_path, perturb):
    generator = make_generator()
    num_classes = 3 if len(generator.inputs) == 2 else None
    discriminator = networks.dcgan_discriminator(
        16, num_classes=num_classes, base_filters=2
    )
    gan = GAN(generator, discriminator, num_classes=num_classes)
    perturb(gan.ema_generator)
    gan.step.assign(1)
    card = export.export_generator(
        gan, tmp_path / "a", class_names="abc" if num_classes else ""
    )
    assert max(card["parity"]["max_difference"].values()) < 1e-4
    images = Artifact(tmp_path / "a").sample(6, seed=1).astype(int)
    assert np.abs(images - gan.sample(6, seed=1)).max() <= 1
    assert images.std() > 1.0


def test_what_is_no_image_leaves_as_an_array(series):
    gan, directory, card = series
    names = {path.name for path in directory.iterdir()}
    assert {"samples.npy", "samples.npy.json"} <= names
    assert "samples.png" not in names
    assert card["inputs"]["latents"]["shape"] == [None, 3, 2]
    assert card["outputs"]["images"] == {
        "shape": [None, 6, 2],
        "dtype": "float32",
        "range": None,
    }
    samples = np.load(directory / "samples.npy")
    expected = gan.sample(20, labels=[0] * 10 + [1] * 10)
    np.testing.assert_allclose(samples, expected, rtol=1e-4, atol=1e-4)
    signatures = tf.saved_model.load(directory / "saved_model").signatures
    outputs = signatures["sample"](seed=tf.constant(3), count=tf.constant(5))
    assert outputs["images"].dtype == tf.float32
    assert np.abs(outputs["images"]).max() > 1.0
    assert "samples.npy" in (directory / "README.md").read_text()


tanh, sigmoid = (
    functools.partial(keras.layers.Activation, name) for name in ("tanh", "sigmoid")
)


def small_gan(shape, *end):
    layers, size = keras.layers, int(np.prod(shape))
    generator = keras.Sequential(
        [keras.Input((8,)), layers.Dense(size), *end, layers.Reshape(shape)]
    )
    critic = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1)])
    return GAN(generator, critic)


@pytest.mark.e2e
def test_a_generator_of_0_to_1_ships_images_from_black_to_white(tmp_path):
    gan = small_gan((4, 6, 1), keras.layers.Activation("sigmoid"))
    card = export.export_generator(gan, tmp_path / "a", license="cc0-1.0")
    assert card["outputs"]["images"]["range"] == [0.0, 1.0]
    assert card["license"] == "cc0-1.0"
    artifact = Artifact(tmp_path / "a")
    floats = artifact.generate(draw_latents(64, 8))
    assert floats.min() < 0.2 < 0.8 < floats.max()
    images = np.rint(floats * 255)
    np.testing.assert_array_equal(artifact.sample(64), images)
    np.testing.assert_array_equal(gan.sample(64), images)
    with Image.open(tmp_path / "a" / "samples.png") as picture:
        assert np.asarray(picture).min() < 50
    frames = artifact.interpolate(0, 1, num_images=64, num_frames=2)
    np.testing.assert_allclose(frames[0], images, atol=1)
    signatures = tf.saved_model.load(tmp_path / "a" / "saved_model").signatures
    outputs = signatures["sample"](seed=tf.constant(3), count=tf.constant(64))
    assert outputs["images"].numpy().min() < 50
    assert outputs["images"].numpy().max() > 205


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("shape", "end"),
    [
        ((1,), []),
        ((2,), []),
        ((5,), []),
        ((4, 4, 4, 1), []),
        ((8, 8, 2), []),
        ((8, 8, 4), [tanh]),
        ((8, 8, 5), []),
        ((1, 1, 1), [tanh]),
        ((1, 30, 3), [sigmoid]),
        ((8, 8, 1), [sigmoid, lambda: keras.layers.Rescaling(255)]),
    ],
)
def test_samples_of_any_shape_leave_as_they_are_sampled(tmp_path, shape, end):
    gan = small_gan(shape, *(make() for make in end))
    card = export.export_generator(gan, tmp_path / "a")
    assert card["keras"] == "loads with Keras alone"
    artifact = Artifact(tmp_path / "a")
    samples, expected = artifact.sample(70, seed=3), gan.sample(70, seed=3)
    assert samples.dtype == expected.dtype
    tolerance = 1 if samples.dtype == np.uint8 else 1e-4
    np.testing.assert_allclose(
        samples.astype(float), expected.astype(float), atol=tolerance
    )
    pictorial = len(shape) == 3 and shape[-1] <= 4
    assert (tmp_path / "a" / "samples.png").is_file() == pictorial
    assert (tmp_path / "a" / "samples.npy").is_file() == (not pictorial)
