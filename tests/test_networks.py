"""Do the players have the shapes and layers that they say?"""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks import blocks
from ganlab.networks.generators import in_float32


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(16, 128),
    upsampling=st.sampled_from(blocks.UPSAMPLINGS),
    kernel=st.integers(1, 7),
    padding=st.sampled_from(blocks.PADDINGS),
    channels=st.sampled_from([1, 3]),
)
def test_generator_draws_the_size_that_was_asked_for(
    size, upsampling, kernel, padding, channels
):
    generator = networks.dcgan_generator(
        size,
        channels,
        base_filters=2,
        upsampling=upsampling,
        kernel_size=kernel,
        padding=padding,
    )
    assert generator.output_shape == (None, size, size, channels)


@pytest.mark.parametrize("activation", blocks.ACTIVATIONS)
@pytest.mark.parametrize("normalization", blocks.NORMALIZATIONS)
def test_every_activation_and_normalization_runs(activation, normalization):
    options = {"activation": activation, "normalization": normalization}
    generator = networks.dcgan_generator(base_filters=2, **options)
    discriminator = networks.dcgan_discriminator(base_filters=2, **options)
    images = generator(np.ones((2, 100), np.float32), training=True)
    logits = discriminator(images, training=True)
    assert images.shape == (2, 28, 28, 1)
    assert logits.shape == (2, 1)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("downsampling", blocks.DOWNSAMPLINGS)
@pytest.mark.parametrize("padding", blocks.PADDINGS)
@pytest.mark.parametrize("size", [28, 64])
def test_every_downsampling_gives_one_logit(downsampling, padding, size):
    discriminator = networks.dcgan_discriminator(
        size, 3, base_filters=2, downsampling=downsampling, padding=padding
    )
    assert discriminator(np.zeros((5, size, size, 3), np.float32)).shape == (5, 1)


def test_dcgan_layers_are_the_papers():
    generator = networks.dcgan_generator(64, 3, base_filters=128)
    transposed = [
        layer
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert [layer.filters for layer in transposed] == [512, 256, 128, 3]
    assert generator.get_layer("reshape").target_shape == (4, 4, 1024)
    norms = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    assert sum(isinstance(layer, norms) for layer in generator.layers) == 4
    weights = transposed[0].kernel.numpy()
    assert weights.std() == pytest.approx(0.02, rel=0.05)


def test_projection_logit_by_hand():
    discriminator = networks.dcgan_discriminator(16, num_classes=3, base_filters=2)
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 1)).astype("float32")
    labels = np.array([0, 1, 2, 1])
    features = keras.Model(
        discriminator.inputs, discriminator.get_layer("logits").input
    )([images, labels]).numpy()
    kernel, bias = discriminator.get_layer("logits").get_weights()
    embeddings = discriminator.get_layer("class").get_weights()[0]
    expected = features @ kernel[:, 0] + bias + (features * embeddings[labels]).sum(1)
    logits = discriminator([images, labels]).numpy()[:, 0]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)


def test_layer_normalization_is_per_sample():
    x = keras.Input((4, 4, 3))
    model = keras.Model(x, blocks.normalize(x, "layer"))
    images = np.random.default_rng(0).normal(3.0, 2.0, (2, 4, 4, 3)).astype("float32")
    normalized = model(images).numpy()
    np.testing.assert_allclose(normalized.mean((1, 2, 3)), 0.0, atol=1e-5)
    np.testing.assert_allclose(normalized.std((1, 2, 3)), 1.0, rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_edges_stay_float32_in_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    generator = networks.dcgan_generator(num_classes=3, base_filters=2)
    discriminator = networks.dcgan_discriminator(num_classes=3, base_filters=2)
    labels = np.array([0, 1])
    images = generator([np.ones((2, 100), np.float32), labels])
    assert images.dtype == "float32"
    assert discriminator([images, keras.ops.array(labels)]).dtype == "float32"
    kind = policy.removeprefix("mixed_")
    assert generator.get_layer("project").compute_dtype == kind


def test_in_float32_rebuilds_a_mixed_model():
    keras.config.set_dtype_policy("mixed_bfloat16")
    mixed = networks.dcgan_generator(num_classes=3, base_filters=2)
    keras.config.set_dtype_policy("float32")
    rebuilt = in_float32(mixed)
    dtypes = {layer.compute_dtype for layer in rebuilt.layers}
    assert dtypes <= {"float32", "int32"}
    latents, labels = np.ones((2, 100), np.float32), np.array([0, 2])
    np.testing.assert_allclose(
        rebuilt([latents, labels]), mixed([latents, labels]), atol=0.02
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 8}, "16 to 128"),
        ({"channels": 2}, "grey"),
        ({"activation": "gelu"}, "relu, leaky_relu, tanh, sigmoid"),
        ({"normalization": "spectral"}, "batch, layer, none"),
        ({"upsampling": "cubic"}, "transposed, nearest, bilinear"),
        ({"output_activation": "relu"}, "tanh, sigmoid"),
        ({"padding": "full"}, "same, valid"),
    ],
)
def test_a_wrong_choice_lists_the_right_ones(options, message):
    with pytest.raises(UserError, match=message):
        networks.dcgan_generator(**options)
