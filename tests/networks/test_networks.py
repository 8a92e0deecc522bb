"""Do the players have the shapes and layers that they say?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks import blocks
from ganlab.networks.precision import in_float32


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


PAIRS = {
    "dcgan": (networks.dcgan_generator, networks.dcgan_discriminator),
    "resnet": (networks.resnet_generator, networks.resnet_discriminator),
    "r3gan": (networks.r3gan_generator, networks.r3gan_discriminator),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("size", [16, 28, 32, 50, 64, 128])
def test_every_pair_fits_every_size(pair, size):
    make_generator, make_discriminator = PAIRS[pair]
    generator = make_generator(size, 3, base_filters=8)
    discriminator = make_discriminator(size, 3, base_filters=8, packing=2)
    assert generator.output_shape == (None, size, size, 3)
    assert discriminator.inputs[0].shape == (None, size, size, 6)
    assert discriminator.output_shape == (None, 1)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("conditioning", blocks.DISCRIMINATOR_CONDITIONINGS)
def test_every_pair_depends_on_the_class(pair, conditioning):
    make_generator, make_discriminator = PAIRS[pair]
    options = {"num_classes": 3, "base_filters": 8}
    generator = make_generator(16, **options)
    latents = np.ones((2, generator.inputs[0].shape[1]), "float32")
    for layer in generator.layers:  # class scales start equal, last layers at 0
        for weight in layer.trainable_variables:
            draws = np.random.default_rng(0).normal(size=weight.shape)
            weight.assign(weight + 0.1 * draws.astype("float32"))
    images = generator([latents, np.array([0, 1])]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-3
    discriminator = make_discriminator(16, conditioning=conditioning, **options)
    if conditioning == "projection":
        same = np.repeat(images[:1], 2, axis=0)
        logits = discriminator([same, np.array([0, 1])]).numpy()
        assert logits[0] != logits[1]
    else:
        logits, classes = discriminator(images)
        assert (logits.shape, classes.shape) == ((2, 1), (2, 3))


def test_conditional_batch_norm_by_hand():
    inputs = keras.Input((2, 2, 3)), keras.Input((), dtype="int32")
    model = keras.Model(inputs, blocks.normalize(inputs[0], "batch", inputs[1], 2))
    scale, offset = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Embedding)
    ]
    images = np.random.default_rng(0).normal(size=(6, 2, 2, 3)).astype("float32")
    labels = np.array([0, 1] * 3)
    plain = model([images, labels], training=True).numpy()
    np.testing.assert_allclose(plain.mean((0, 1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(plain.std((0, 1, 2)), 1.0, rtol=1e-3)
    scale.embeddings.assign([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    offset.embeddings.assign([[0.0, 0.0, 1.0], [7.0, 8.0, 9.0]])
    drawn = model([images, labels], training=True).numpy()
    for index, label in enumerate(labels):
        expected = plain[index] * scale.embeddings.numpy()[label]
        expected += offset.embeddings.numpy()[label]
        np.testing.assert_allclose(drawn[index], expected, rtol=1e-4, atol=1e-5)


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = networks.SpectralNormalization(keras.layers.Conv2D(5, 3, use_bias=False))
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    layer(images)
    kernel = layer.kernel.numpy()
    for _ in range(60):
        layer(images, training=True)
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)  # a reparametrisation
    largest = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    assert layer.singular_value() == pytest.approx(largest, rel=1e-4)
    expected = tf.nn.conv2d(images, kernel / largest, 1, "VALID")
    np.testing.assert_allclose(layer(images), expected, rtol=1e-3, atol=1e-5)


def test_spectral_norms_gradient_passes_through_sigma():
    # Miyato et al., equation 12: (E - lambda u v^T) / sigma. Two outputs cannot
    # gain by growing the kernel: the gradient is orthogonal to it.
    layer = networks.SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    x = tf.constant(np.random.default_rng(1).normal(size=(7, 4)), "float32")
    layer(x)
    for _ in range(100):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x)))
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    kernel = layer.kernel.numpy()
    assert abs((gradient * kernel).sum()) < 1e-4 * np.abs(gradient * kernel).sum()
    assert np.abs(gradient).max() > 0.1
    left, values, right = np.linalg.svd(kernel)
    outer = 2 * x.numpy().T @ (x.numpy() @ kernel / values[0])
    share = (outer * kernel).sum() / values[0]
    expected = (outer - share * np.outer(left[:, 0], right[0])) / values[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-2, atol=1e-3)


def test_spectral_norm_refuses_a_layer_without_a_kernel():
    with pytest.raises(UserError, match="ReLU"):
        networks.SpectralNormalization(keras.layers.ReLU()).build((None, 3))


@pytest.mark.parametrize(("batch", "group"), [(8, 4), (6, 3), (5, 1), (2, 2)])
def test_minibatch_stddev_by_hand(batch, group):
    x = np.random.default_rng(0).normal(size=(batch, 3, 2)).astype("float32")
    out = networks.MinibatchStdDev()(x).numpy()
    assert out.shape == (batch, 3, 3)
    np.testing.assert_array_equal(out[..., :2], x)
    count = batch // group
    for first in range(count):
        members = np.arange(first, batch, count)
        expected = np.sqrt(x[members].var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(out[members, :, 2], expected, rtol=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_convolution_equals_keras(groups):
    ours = networks.GroupedConv2D(8, 3, groups)
    theirs = keras.layers.Conv2D(8, 3, padding="same", groups=groups)
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 8)).astype("float32")
    ours(x)
    theirs(x)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


def test_grouped_convolution_refuses_what_does_not_fit():
    with pytest.raises(UserError, match="divide 8 filters"):
        networks.GroupedConv2D(8, 3, 3)
    with pytest.raises(UserError, match="8 channels in"):
        networks.GroupedConv2D(8).build((None, 4, 4, 6))


def test_attention_starts_as_the_identity_and_mixes_places():
    layer = networks.SelfAttention()
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 16)).astype("float32")
    np.testing.assert_array_equal(layer(x), x)
    layer.gamma.assign(1.0)
    moved = x.copy()
    moved[0, 0, 0] += 1.0
    assert np.abs((layer(moved) - layer(x))[0, 3, 3]).max() > 1e-5
    f, g, h, v = (p.kernel.numpy()[0, 0] for p in layer.projections)
    flat = x.reshape(16, 16)
    pooled = [
        (flat @ kernel).reshape(2, 2, 2, 2, -1).max((1, 3)).reshape(4, -1)
        for kernel in (g, h)
    ]
    scores = flat @ f @ pooled[0].T
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = flat + weights @ pooled[1] @ v
    np.testing.assert_allclose(layer(x).numpy().reshape(16, 16), expected, atol=1e-4)


def test_r3gan_starts_with_blocks_that_do_nothing():
    generator = networks.r3gan_generator(28, base_filters=16)
    latents = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    before = generator(latents).numpy()
    grouped = [
        layer for layer in generator.layers if isinstance(layer, networks.GroupedConv2D)
    ]
    assert len(grouped) == 6  # two blocks at 7, 14 and 28 pixels
    assert [layer.groups for layer in grouped] == [8, 8, 4, 4, 2, 2]
    for layer in grouped:
        layer.kernel.assign(layer.kernel * 5.0)
    np.testing.assert_array_equal(generator(latents), before)
    assert before.std() == pytest.approx(0.6, abs=0.25)


def test_mlps_are_pacgans():
    generator = networks.mlp_generator()
    discriminator = networks.mlp_discriminator(packing=2)
    widths = [layer.units for layer in generator.layers if hasattr(layer, "units")]
    assert widths == [400, 400, 400, 400, 2]
    assert discriminator.input_shape == (None, 4)
    hidden = discriminator.layers[1]
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    pieces = (x @ hidden.kernel.numpy() + hidden.bias.numpy()).reshape(3, 5, 200)
    first = keras.Model(discriminator.input, discriminator.layers[3].output)
    np.testing.assert_allclose(first(x), pieces.max(axis=1), atol=1e-6)


def test_projection_logit_by_hand():
    discriminator = networks.dcgan_discriminator(16, num_classes=3, base_filters=2)
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 1)).astype("float32")
    labels = np.array([0, 1, 2, 1])
    features = keras.Model(
        discriminator.inputs, discriminator.get_layer("logits").input
    )([images, labels]).numpy()
    kernel, bias = discriminator.get_layer("logits").get_weights()
    embeddings = discriminator.get_layer("class").get_weights()[0]
    expected = (
        features @ kernel[:, 0] + bias + (features * embeddings[:, labels].T).sum(1)
    )
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
        ({"conditioning": "film"}, "concat, batch_norm"),
        ({"conditioning": "batch_norm", "normalization": "none"}, "use conditioning"),
    ],
)
def test_a_wrong_choice_lists_the_right_ones(options, message):
    with pytest.raises(UserError, match=message):
        networks.dcgan_generator(**options)
