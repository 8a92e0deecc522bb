"""Mixed precision: float32 at the edges, and rebuilt in float32."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import networks
from ganlab.networks.precision import as_float32, computing_in_float32, in_float32


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


def nested():
    """Its sequence has no input of its own until it is called."""
    inside = keras.Sequential([layers.Dense(4), layers.Activation("tanh")])
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2)(inside(inputs)))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("way", ["rebuilt", "rebuilt and loaded", "in the context"])
def test_networks_inside_round_nothing_to_half_precision(policy, way, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = nested()
    inputs = np.full((1, 3), 1 / 3, np.float32)
    first, bias, last, offset = model.get_weights()
    expected = np.tanh(inputs @ first + bias) @ last + offset
    if way == "in the context":
        with computing_in_float32(model):
            received = model(inputs)
        assert not np.allclose(model(inputs), expected, atol=1e-6)
    else:
        copy = in_float32(model)
        if way == "rebuilt and loaded":
            copy.save(tmp_path / "copy.keras")
            copy = keras.saving.load_model(tmp_path / "copy.keras")
        received = copy(inputs)
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_logits_become_float32_and_float64_stays():
    assert as_float32(keras.ops.ones((2, 1), "float16")).dtype == "float32"
    assert as_float32(keras.ops.ones((2, 1), "bfloat16")).dtype == "float32"
    assert as_float32(keras.ops.ones((2, 1), "float64")).dtype == "float64"
