"""What is exported: a function of any generator, and a Keras file where it can be."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks
from ganlab.artifacts.exportable import ALONE, exportable, write_keras


class NoConfig(layers.Layer):
    """A layer that cannot be built again from its configuration."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def call(self, inputs):
        return inputs * self.scale


@keras.saving.register_keras_serializable(package="test_exportable")
class Registered(layers.Layer):
    """A layer of the user's that Keras is told of."""

    def call(self, inputs):
        return inputs * 2.0


def trained(*end, num_classes=None):
    """A GAN whose average is not its generator."""
    latents = keras.Input((3, 2))
    inputs, x = latents, layers.Flatten()(latents)
    images = keras.Input((4, 4, None))
    judged, y = images, keras.ops.mean(images, axis=(1, 2, 3), keepdims=True)
    if num_classes:
        labels = keras.Input((), dtype="int32")
        classes = layers.Embedding(num_classes, 2)(labels)
        inputs, x = [latents, labels], layers.Concatenate()([x, classes])
        judged = [images, labels]
    x = layers.Reshape((4, 4, 1))(layers.Dense(16)(x))
    for layer in end:
        x = layer(x)
    generator = keras.Model(inputs, x)
    discriminator = keras.Model(judged, layers.Dense(1)(layers.Reshape((1,))(y)))
    gan = GAN(generator, discriminator, num_classes=num_classes)
    for weight in gan.ema_generator.weights:
        weight.assign(weight + 0.5)
    return gan


LATENTS = np.random.default_rng(0).standard_normal((5, 3, 2), np.float32)


@pytest.mark.parametrize("end", [(), (NoConfig(3.0),), (layers.Lambda(abs),)])
def test_any_generator_is_a_function_of_named_tensors(end):
    gan = trained(*end)
    exported = exportable(gan)
    assert [spec.name for spec in exported.signature] == ["latents"]
    assert tuple(exported.signature[0].shape) == (None, 3, 2)
    images = exported.generate(LATENTS)["images"].numpy()
    np.testing.assert_allclose(images, gan.ema_generator(LATENTS), atol=1e-5)
    assert (exported.network is None) == bool(end)
    assert exported.num_weights == 6 * 16 + 16


def test_labels_are_the_last_input():
    gan = trained(num_classes=3)
    exported = exportable(gan)
    assert [spec.name for spec in exported.signature] == ["latents", "labels"]
    labels = np.arange(5, dtype=np.int32) % 3
    images = exported.generate(LATENTS, labels)["images"].numpy()
    expected = gan.ema_generator([LATENTS, labels])
    np.testing.assert_allclose(images, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ((layers.Activation("tanh"),), ALONE),
        ((networks.GroupedConv2D(1),), ALONE),
        ((Registered(),), "needs import"),
        ((networks.MinibatchStdDev(1),), "needs import ganlab"),
    ],
)
def test_a_keras_file_says_what_it_needs(tmp_path, end, expected):
    gan = trained(*end)
    path = tmp_path / "generator.keras"
    before = dict(keras.saving.get_custom_objects())
    said = write_keras(gan, path)
    assert said.startswith(expected)
    assert keras.saving.get_custom_objects() == before
    if expected == "needs import":
        assert Registered.__module__.split(".")[0] in said
    loaded = keras.saving.load_model(path)
    assert loaded.name == "averaged_generator"
    images = loaded.predict(LATENTS, verbose=0)
    np.testing.assert_allclose(images, gan.ema_generator(LATENTS), atol=1e-5)


@pytest.mark.parametrize("layer", [NoConfig(3.0), layers.Lambda(lambda x: x * 2)])
def test_a_generator_that_would_not_load_again_has_no_keras_file(tmp_path, layer):
    said = write_keras(trained(layer), tmp_path / "generator.keras")
    assert said.startswith("left out, for it would not load again (")
    assert list(tmp_path.iterdir()) == []
