"""Dead and saturated units, and zero gradients, are counted."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.callbacks.probe_network import ProbeNetwork, direction, relative_error


def measure(gan):
    """The measures of the generator's activations on zeros, as floats."""
    network = ProbeNetwork(gan.generator)
    outputs = network.call(network.read(), tf.zeros((16, 2)), None)
    measures = network.activation_measures(outputs.activations, "generator")
    values = {name: float(measure) for name, measure in measures.items()}
    return network.summarize(values, "generator")


@pytest.mark.parametrize(("bias", "dead"), [(-99.0, 1.0), (99.0, 0.0)])
def test_dead_units(make_dense_gan, bias, dead):
    assert measure(make_dense_gan("relu", bias))["g_dead_share"] == dead


def test_saturated_units_and_their_slope(make_dense_gan):
    saturated = measure(make_dense_gan("sigmoid", 99.0))
    assert saturated["g_saturated_share"] == 1.0
    assert saturated["g_activation_gradient"] == pytest.approx(0.0, abs=1e-6)
    gan = make_dense_gan("sigmoid")
    gan.generator.get_layer("project").kernel.assign(np.zeros((2, 4)))
    assert measure(gan)["g_activation_gradient"] == pytest.approx(0.25)


def test_outputs_are_the_networks_own(make_dense_gan):
    gan = make_dense_gan("tanh")
    network = ProbeNetwork(gan.generator)
    latents = tf.random.normal((4, 2))
    outputs = network.call(network.read(), latents, None)
    np.testing.assert_allclose(outputs.own[0], gan.generator(latents), rtol=1e-6)
    assert list(outputs.activations) == ["project"]
    assert not network.is_half
    assert not network.has_batch_norm
    assert set(network.kernels) == {layer.name for layer in gan.generator.layers[1:]}


def test_gradients_by_kernel(make_dense_gan):
    gan = make_dense_gan()
    network = ProbeNetwork(gan.generator)
    gradients = [tf.zeros((2, 4)), None, tf.fill((4, 2), 3.0), tf.zeros(2)]
    measures = network.gradient_measures(gradients, "generator")
    first, last = network.kernels
    assert float(measures[f"gradient/generator/{first}"]) == 0.0
    assert float(measures[f"gradient/generator/{last}"]) == 3.0
    assert float(measures["g_zero_gradient_share"]) == pytest.approx(10 / 18)
    values = {name: float(measure) for name, measure in measures.items()}
    assert network.summarize(values, "generator")["g_gradient_ratio"] == 0.0


def test_what_follows_the_last_weights_is_the_output_whatever_its_name():
    network = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, name="hidden"),
            keras.layers.Activation("sigmoid", name="between"),
            keras.layers.Dense(4, activation="tanh", name="last"),
            keras.layers.Reshape((2, 2, 1)),
            keras.layers.Activation("tanh", name="end"),
        ]
    )
    probed = ProbeNetwork(network)
    outputs = probed.call(probed.read(), tf.zeros((3, 2)), None)
    assert list(outputs.activations) == ["between"]


def test_a_network_without_gradients_has_a_norm_of_0(make_dense_gan):
    network = ProbeNetwork(make_dense_gan().generator)
    measures = network.gradient_measures([None] * 4, "generator")
    assert float(measures["gradient_norm/g"]) == 0.0


def test_direction_and_relative_error():
    assert float(direction(tf.constant([1.0, -3.0]))) == -0.5
    error = relative_error([tf.constant([3.0]), None], [tf.constant([2.0]), None])
    assert float(error) == pytest.approx(0.5)
