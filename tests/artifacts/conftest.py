"""Fixtures: an exported generator, a copy to spoil, and small ONNX models."""

import shutil
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganlab import GAN, networks
from ganlab.artifacts.export import export_generator
from ganlab.artifacts.onnx_simplify import simplify

CLASS_NAMES = ("a", "b", "c")


@pytest.fixture(scope="session")
def exported(tmp_path_factory, perturb):
    """A conditional GAN of three classes, its artifact's folder and card."""
    gan = GAN(
        networks.dcgan_generator(16, 3, latent_dim=8, num_classes=3, base_filters=4),
        networks.dcgan_discriminator(16, 3, num_classes=3, base_filters=4),
        num_classes=3,
    )
    perturb(gan.ema_generator)
    gan.step.assign(1)
    directory = tmp_path_factory.mktemp("export") / "artifact"
    card = export_generator(
        gan, directory, class_names=CLASS_NAMES, training={"data": "noise"}
    )
    return gan, directory, card


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    """A GAN of series in two classes from latents of a map, its artifact and card."""
    layers = keras.layers
    latents, labels = keras.Input((3, 2)), keras.Input((), dtype="int32")
    classes = layers.Embedding(2, 4, embeddings_initializer="normal")(labels)
    x = layers.Concatenate()([layers.Flatten()(latents), classes])
    x = layers.Reshape((6, 2))(layers.Dense(12)(x))
    generator = keras.Model([latents, labels], 30.0 * x)
    samples, labels = keras.Input((6, 2)), keras.Input((), dtype="int32")
    x = layers.Concatenate()(
        [layers.Flatten()(samples), layers.Embedding(2, 4)(labels)]
    )
    critic = keras.Model([samples, labels], layers.Dense(1)(x))
    gan = GAN(generator, critic, num_classes=2)
    directory = tmp_path_factory.mktemp("series") / "artifact"
    card = export_generator(gan, directory, class_names=("up", "down"))
    return gan, directory, card


@pytest.fixture
def artifact_copy(exported, tmp_path) -> Path:
    """A copy of the artifact to spoil."""
    return Path(shutil.copytree(exported[1], tmp_path / "artifact"))


@pytest.fixture(scope="session")
def make_model():
    """A function that builds a checked model from `latents` to `images`."""

    def make(nodes, constants, latent_dim, image_shape):
        latents, images = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *shape])
            for name, shape in (("latents", [latent_dim]), ("images", image_shape))
        )
        initializers = [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in constants.items()
        ]
        model = helper.make_model(
            helper.make_graph(nodes, "generator", [latents], [images], initializers),
            opset_imports=[helper.make_opsetid("", 18)],
            ir_version=8,
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    return make


@pytest.fixture(scope="session")
def simplified_operators():
    """A function that simplifies a model and counts each operator that is left.

    It checks that the images stay the same.
    """

    def run(model, latents):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        )
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return session.run(["images"], {"latents": latents})[0]

    def count(model, latent_dim):
        simple = simplify(model)
        onnx.checker.check_model(simple, full_check=True)
        latents = np.random.default_rng(1).standard_normal((3, latent_dim), np.float32)
        expected = run(model, latents)
        np.testing.assert_allclose(run(simple, latents), expected, rtol=1e-4, atol=1e-4)
        assert expected.std() > 0
        return Counter(node.op_type for node in simple.graph.node)

    return count
