"""A pass is a training step's, and earlier weights judge as they did."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlab
from ganlab.callbacks.probe_network import ProbeNetwork
from ganlab.callbacks.probe_passes import ROLES, Passes


@pytest.fixture
def passes_of(make_gan, images):
    """A function that gives the passes through a GAN, and both networks' weights."""

    def make(**options):
        gan = make_gan(**options)
        networks = {role: ProbeNetwork(getattr(gan, role)) for role in ROLES}
        latents = np.random.default_rng(0).normal(size=(4, gan.latent_dim))
        passes = Passes(gan, networks, images[0][:4], latents.astype(np.float32))
        return passes, {role: network.read() for role, network in networks.items()}

    return make


def test_the_gradient_is_that_of_the_loss_in_the_logit(passes_of):
    passes, weights = passes_of(loss="wasserstein")
    scales = dict.fromkeys(ROLES, tf.constant(1.0))
    step = passes.run_step(weights, None, scales)
    np.testing.assert_allclose(step.logit_gradient, -0.25)  # of -mean over 4
    real, fake = step.d_logit_gradients
    np.testing.assert_allclose(real, -0.25)
    np.testing.assert_allclose(fake, 0.25)
    assert set(step.gradients) == set(ROLES)


def test_other_latents_are_those_of_the_neighbour(passes_of):
    passes, weights = passes_of()
    changed = passes.change_inputs(weights, None)
    settled, moved = np.asarray(changed["settled"]), np.asarray(changed["moved"])
    np.testing.assert_allclose(moved, np.roll(settled, 1, axis=0), atol=1e-5)
    assert "relabelled" not in changed


def test_earlier_weights_judge_and_draw_as_they_did(passes_of):
    passes, weights = passes_of()
    settled = passes.change_inputs(weights, None)["settled"]
    earlier = {role: weights[role].trainable for role in ROLES}
    same = passes.judge_earlier(weights, earlier, None, settled)
    np.testing.assert_allclose(same["real"], same["was_real"])
    np.testing.assert_allclose(same["fake"], same["old fake"], atol=1e-6)
    zeros = {role: [tf.zeros_like(w) for w in earlier[role]] for role in ROLES}
    other = passes.judge_earlier(weights, zeros, None, settled)
    np.testing.assert_array_equal(other["was_real"], np.zeros((4, 1)))
    assert not np.allclose(other["fake"], other["old fake"])
    alone = {"generator": zeros["generator"]}
    assert set(passes.judge_earlier(weights, alone, None, settled)) == {
        "fake",
        "old fake",
    }


@pytest.mark.parametrize(("gain", "low", "high"), [(1e4, 0.0, 1e-3), (1e-4, 0.3, 2.0)])
def test_noise_is_told_from_what_images_change(make_gan, images, gain, low, high):
    made = make_gan()
    flat = keras.layers.Flatten()(made.discriminator.inputs[0])
    scaled = keras.layers.Rescaling(gain)(flat)
    noisy = keras.layers.GaussianNoise(1.0, seed=0)(scaled)
    logit = keras.layers.Dense(1, kernel_initializer="ones")(noisy)
    discriminator = keras.Model(made.discriminator.inputs, logit)
    gan = ganlab.GAN(made.generator, discriminator)
    gan.compile("sgd", "sgd")
    networks = {role: ProbeNetwork(getattr(gan, role)) for role in ROLES}
    latents = np.zeros((4, gan.latent_dim), np.float32)
    passes = Passes(gan, networks, images[0][:4], latents)
    fake = tf.constant(-images[0][:4])
    weights = networks["discriminator"].read()
    assert low <= float(passes.noise_share(weights, fake, None)) <= high
    assert networks["discriminator"].is_random
    assert not networks["generator"].is_random
