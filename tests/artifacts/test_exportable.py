"""What is exported: a function of any generator, and a Keras file where it can be."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks, sampling
from ganlab.artifacts.exportable import ALONE, exportable, write_keras


class NoConfig(layers.Layer):
    """A layer that cannot be built again from its configuration."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def call(self, inputs):
        return inputs * self.scale


@keras.saving.register_keras_serializable(package="test_exportable")
class Forgetful(layers.Layer):
    """A layer whose configuration lacks its scale."""

    def __init__(self, scale=1.0, **options):
        super().__init__(**options)
        self.scale = scale

    def call(self, inputs):
        return inputs * self.scale

    def get_config(self):
        return layers.Layer.get_config(layers.Layer(name=self.name))


class Subclassed(keras.Model):
    """A model of free-form code."""

    def __init__(self):
        super().__init__()
        self.dense, self.reshape = layers.Dense(16), layers.Reshape((4, 4, 1))

    def call(self, latents):
        return self.reshape(self.dense(layers.Flatten()(latents)))


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
    gan.step.assign(1)
    return gan


LATENTS = np.random.default_rng(0).standard_normal((5, 3, 2), np.float32)


@pytest.mark.parametrize(
    "end", [(), (NoConfig(3.0),), (layers.Lambda(abs),), (Forgetful(3.0),)]
)
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
    said = write_keras(gan, exportable(gan), path)
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
    gan = trained(layer)
    said = write_keras(gan, exportable(gan), tmp_path / "generator.keras")
    assert said.startswith("left out, for it would not load again (")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_that_forgets_leaves_as_it_is_and_has_no_keras_file(tmp_path):
    gan = trained(Forgetful(3.0))
    said = write_keras(gan, exportable(gan), tmp_path / "generator.keras")
    assert said == "left out, for it would draw other images once loaded"
    assert list(tmp_path.iterdir()) == []


def test_a_subclassed_generator_leaves_as_it_is(tmp_path):
    generator = Subclassed()
    generator(LATENTS)
    flat = layers.Flatten()
    critic = keras.Sequential([keras.Input((4, 4, 1)), flat, layers.Dense(1)])
    gan = GAN(generator, critic)
    exported = exportable(gan)
    images = exported.generate(LATENTS)["images"].numpy()
    np.testing.assert_allclose(images, generator(LATENTS), atol=1e-5)
    said = write_keras(gan, exported, tmp_path / "generator.keras")
    assert said == "left out, for the generator is a subclassed model"


@pytest.mark.parametrize("form", ["several", "named", "labels first", "one-hot"])
def test_inputs_of_any_form_have_the_same_names_in_files(form):
    latents, more = keras.Input((3,), name="z"), keras.Input((2, 2), name="w")
    number = keras.Input((), dtype="int32", name="label")
    vector = keras.Input((3,), name="one_hot_class")
    inputs, classes = {
        "several": ([latents, more], []),
        "named": ({"w": more, "z": latents}, []),
        "labels first": ([number, latents, more], [layers.Embedding(3, 2)(number)]),
        "one-hot": ([latents, more, vector], [vector]),
    }[form]
    x = layers.Concatenate()([latents, layers.Flatten()(more), *classes])
    generator = keras.Model(inputs, layers.Dense(5)(x))
    num_classes = 3 if classes else None
    samples, label = keras.Input((5,)), keras.Input((), dtype="int32")
    judged = [samples, label] if classes else samples
    embedded = [layers.Embedding(3, 2)(label)] if classes else []
    y = layers.Concatenate()([samples, samples, *embedded])
    critic = keras.Model(judged, layers.Dense(1)(y))
    gan = GAN(generator, critic, num_classes=num_classes)
    exported = exportable(gan)
    names = [spec.name for spec in exported.signature]
    assert names == ["latents", "latents_1", *(["labels"] if classes else [])]
    parts = sampling.split_latents(sampling.draw_latents(4, 7), gan.latent_shapes)
    labels = [np.array([0, 1, 2, 1], np.int32)] if classes else []
    images = exported.generate(*parts, *labels)["images"].numpy()
    np.testing.assert_allclose(images, gan.sample(4, labels=[*labels, None][0]))
    assert exported.network is not None


@pytest.mark.e2e
def test_enlarged_maps_are_exported_as_transposed_convolutions(perturb):
    """With a kernel of 3, normalised spectrally or not; with others as two layers."""
    options = {"latent_dim": 8, "base_filters": 2}
    nearest = {"upsampling": "nearest", **options}
    for generator, transposed, enlarged in (
        (networks.dcgan_generator(16, 3, kernel_size=3, **nearest), 2, 0),
        (networks.dcgan_generator(16, 3, kernel_size=4, **nearest), 0, 2),
        (networks.projected_generator(16, 3, **options), 2, 0),
    ):
        perturb(generator, scale=0.1, seed=1)
        gan = GAN(generator, networks.dcgan_discriminator(16, 3, base_filters=2))
        gan.compile("adam", "adam")
        exported = exportable(gan)
        names = [
            type(part).__name__
            for layer in exported.network.layers
            for part in getattr(layer, "layers", [layer])
        ]
        assert names.count("Conv2DTranspose") == transposed
        assert names.count("UpSampling2D") == enlarged
        assert "NearestConv2D" not in names
        latents = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
        images = exported.generate(latents)["images"].numpy()
        np.testing.assert_allclose(images, gan.generate(latents), atol=2e-5)
