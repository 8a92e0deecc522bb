"""Does a VAE train on the bound that the papers state, and estimate log p(x)?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import VAE, UserError, networks, schedules
from ganlab.models import autoencoding
from ganlab.objectives import bound
from ganlab.objectives.likelihoods import Gaussian

SIZE, LATENTS = 6, 2


def dense(likelihood="gaussian", optimizer="sgd", ending=(), **options):
    """A VAE of vectors whose networks are linear but for the last activation."""
    keras.utils.set_random_seed(3)
    vae = VAE(
        keras.Sequential([keras.Input((SIZE,)), layers.Dense(2 * LATENTS)]),
        keras.Sequential([keras.Input((LATENTS,)), layers.Dense(SIZE), *ending]),
    )
    vae.compile(optimizer, likelihood, run_eagerly=True, **options)
    return vae


def vectors(count=8, dtype="float32"):
    return np.random.default_rng(0).uniform(0, 1, (count, SIZE)).astype(dtype)


def images(count=4):
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), np.uint8)


def small(likelihood="gaussian", **options):
    """A VAE of 16-pixel images."""
    keras.utils.set_random_seed(3)
    last = "langevin" if likelihood == "continuous_bernoulli" else "tanh"
    vae = VAE(
        networks.dcgan_encoder(16, latent_dim=4, base_filters=4),
        networks.dcgan_generator(
            16, latent_dim=4, base_filters=4, output_activation=last
        ),
    )
    vae.compile(keras.optimizers.Adam(1e-3), likelihood, run_eagerly=True, **options)
    return vae


def test_rate_distortion_and_loss_are_those_of_the_definition():
    vae = dense(beta=3.0)
    x = vectors()
    logs = vae.test_on_batch(x, return_dict=True)
    means, log_variances = np.split(vae.encoder(x).numpy(), 2, axis=1)
    kl = 0.5 * (means**2 + np.exp(log_variances) - log_variances - 1)
    assert logs["rate"] == pytest.approx(kl.sum(axis=1).mean(), rel=1e-5)
    assert logs["loss"] == pytest.approx(logs["distortion"] + 3.0 * logs["rate"])
    assert logs["bound"] == pytest.approx(-logs["distortion"] - logs["rate"])
    assert logs["beta"] == 3.0


def test_free_bits_are_paid_for_components_under_the_floor():
    vae = dense(free_bits=50.0)
    logs = vae.test_on_batch(vectors(), return_dict=True)
    assert logs["loss"] == pytest.approx(logs["distortion"] + 50.0 * LATENTS, rel=1e-5)
    assert logs["rate"] < 50.0


def test_a_step_is_gradient_descent_on_the_loss():
    vae = dense(optimizer=keras.optimizers.SGD(0.1))
    x = vectors()
    kernel, before = vae.encoder.layers[0].kernel, vae.encoder.get_weights()[0]
    seed = vae.step_seed(0, 0)
    noise = tf.random.stateless_normal((1, len(x), LATENTS), seed)[0]
    with tf.GradientTape() as tape:
        means, log_variances = tf.split(vae.encoder(x), 2, axis=1)
        codes = means + tf.exp(0.5 * log_variances) * noise
        error = tf.reduce_sum((x - vae.decoder(codes)) ** 2, axis=1)
        distortion = 0.5 * (error + SIZE * np.log(2 * np.pi))  # of variance 1
        rate = 0.5 * (means**2 + tf.exp(log_variances) - log_variances - 1)
        loss = tf.reduce_mean(distortion + tf.reduce_sum(rate, axis=1))
    gradient = tape.gradient(loss, kernel.value)
    logs = vae.train_on_batch(x, return_dict=True)
    assert logs["loss"] == pytest.approx(float(loss), rel=1e-5)
    moved = (before - vae.encoder.get_weights()[0]) / 0.1
    np.testing.assert_allclose(moved, gradient, rtol=1e-3, atol=1e-4)
    assert float(vae.likelihood.log_variance) != pytest.approx(0.0, abs=1e-3)
    assert vae.step == 1


def test_one_importance_sample_is_the_elbo_in_float64():
    keras.config.set_dtype_policy("float64")
    vae = dense()
    x = vectors(dtype="float64")
    with vae.averaged():
        seeds = tf.constant([1, 2]), tf.constant([3, 4])
        weighed = autoencoding.weigh(vae, x, 1, *seeds, training=False)
    outputs = vae.encoder(x)
    means, log_variances = tf.split(outputs, 2, axis=1)
    noise = tf.random.stateless_normal((1, 8, LATENTS), seeds[1], dtype="float64")[0]
    codes = means + tf.exp(0.5 * log_variances) * noise
    ratio = bound.log_normal(codes, means, log_variances)
    ratio -= bound.log_normal(codes, 0.0, tf.zeros_like(codes))
    elbo = weighed.log_densities[0] - ratio
    value = bound.importance_weighted(weighed.log_weights)
    assert value.dtype == tf.float64
    np.testing.assert_allclose(value, elbo, rtol=1e-13)


def test_more_importance_samples_lift_the_bound():
    one, many = (
        dense(samples=samples).test_on_batch(vectors(), return_dict=True)
        for samples in (1, 64)
    )
    assert many["bound"] > one["bound"] + 0.05
    assert many["loss"] == -many["bound"]
    assert many["rate"] == pytest.approx(one["rate"], rel=1e-5)


def linear_vae(variance=0.3):
    """A decoder x = W z + b, its exact posterior as encoder, and log p(x)."""
    numbers = np.random.default_rng(5)
    weights, bias = numbers.normal(size=(LATENTS, SIZE)), numbers.normal(size=SIZE)
    weights[1] -= weights[0] * (weights[0] @ weights[1]) / (weights[0] @ weights[0])
    precisions = 1.0 + np.square(weights).sum(axis=1) / variance
    kernel = weights.T / variance / precisions  # the posterior's mean, from x - b
    vae = dense(Gaussian(variance, learned=False))
    vae.decoder.set_weights([weights, bias])
    offsets = np.concatenate([-bias @ kernel, -np.log(precisions)])
    vae.encoder.set_weights(
        [np.concatenate([kernel, np.zeros_like(kernel)], axis=1), offsets]
    )
    covariance = weights.T @ weights + variance * np.eye(SIZE)

    def log_density(x):
        centered = x - bias
        squares = (centered @ np.linalg.inv(covariance) * centered).sum(axis=1)
        constant = np.linalg.slogdet(2 * np.pi * covariance)[1]
        return -0.5 * (squares + constant)

    return vae, log_density


def test_a_linear_vae_has_its_known_likelihood():
    vae, log_density = linear_vae()
    x = vectors()
    exact = vae.log_likelihood(x, samples=1)  # by the exact posterior one is enough
    np.testing.assert_allclose(exact, log_density(x), atol=2e-4)
    logs = vae.test_on_batch(x, return_dict=True)
    assert logs["bound"] == pytest.approx(log_density(x).mean(), abs=1.0)
    kernel, offset = vae.encoder.get_weights()
    vae.encoder.set_weights([kernel * 0.7, offset])  # a posterior that is not exact
    few, many = (vae.log_likelihood(x, samples=count) for count in (2, 4000))
    np.testing.assert_allclose(many, log_density(x), atol=0.1)
    assert few.mean() < many.mean() + 0.05
    again = vae.log_likelihood(x, samples=2)
    np.testing.assert_array_equal(few, again)


@pytest.mark.parametrize(
    ("likelihood", "ending"),
    [
        ("gaussian", []),
        ("bernoulli", [layers.Activation("tanh")]),
        ("continuous_bernoulli", [networks.Langevin()]),
    ],
)
def test_it_goes_on_from_a_file_as_from_memory(likelihood, ending, tmp_path):
    beta = schedules.WarmUp(2.0, 4) if likelihood == "bernoulli" else 1.0
    vae, x = dense(likelihood, "adam", ending, beta=beta), vectors()
    logs = vae.train_on_batch(x, return_dict=True)
    assert set(logs) == {*vae.log_keys} - {"g_regularization"}
    assert all(np.isfinite(value) for value in logs.values())
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras", safe_mode=True)
    assert type(loaded) is VAE
    for model in (vae, loaded):
        model.train_on_batch(x)
    for one, other in zip(vae.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), one.path)
    values = [model.log_likelihood(x, 3) for model in (vae, loaded)]
    np.testing.assert_array_equal(*values)
    values = [model.evaluate(x, verbose=0, return_dict=True) for model in (vae, loaded)]
    assert values[0] == values[1]


@pytest.mark.e2e
def test_float16_trains_in_float32_where_it_counts():
    keras.config.set_dtype_policy("mixed_float16")
    vae = small("continuous_bernoulli")
    history = vae.fit(images(), batch_size=2, epochs=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert isinstance(vae.optimizer, keras.optimizers.LossScaleOptimizer)
    assert vae.log_likelihood(images(), 2).dtype == np.float64


def test_images_are_encoded_decoded_and_joined():
    vae = small("bernoulli")
    means, deviations = vae.encode(images())
    assert means.shape == deviations.shape == (4, 4)
    assert (deviations > 0).all()
    again = vae.reconstruct(images())
    assert again.shape == images().shape
    assert again.dtype == np.uint8
    rows = vae.interpolate(images()[:2], images()[2:], steps=3)
    assert rows.shape == (2, 3, 16, 16, 1)
    np.testing.assert_array_equal(rows[:, 0], again[:2])
    np.testing.assert_array_equal(rows[:, -1], again[2:])
    with pytest.raises(UserError, match="both ends"):
        vae.interpolate(images()[:1], images())


def test_averaged_weights_encode():
    vae = dense()
    vae.train_on_batch(vectors())
    before = vae.encode(vectors())[0]
    for weight in vae.encoder.trainable_variables:
        weight.assign(weight + 1.0)
    np.testing.assert_array_equal(vae.encode(vectors())[0], before)


def test_what_it_cannot_be_compiled_with_is_said_in_one_line():
    for options, message in (
        ({"beta": -1.0}, "beta"),
        ({"free_bits": -1.0}, "free_bits"),
        ({"samples": 0}, "samples"),
        ({"samples": 2, "beta": 2.0}, "several samples"),
        ({"samples": 2, "free_bits": 0.1}, "several samples"),
        ({"loss": "mse"}, "pass likelihood"),
        ({"optimizer": None}, "optimizer"),
        ({"likelihood": "poisson"}, "likelihood"),
    ):
        with pytest.raises(UserError, match=message):
            dense(**options)


def test_layers_that_are_frozen_after_compile_are_refused():
    vae = dense()
    vae.encoder.trainable = False
    with pytest.raises(UserError, match="call compile again"):
        vae.fit(vectors(), verbose=0)


def test_regularizers_of_layers_are_part_of_the_loss():
    vae = VAE(
        keras.Sequential(
            [keras.Input((SIZE,)), layers.Dense(4, kernel_regularizer="l2")]
        ),
        keras.Sequential([keras.Input((LATENTS,)), layers.Dense(SIZE)]),
    )
    vae.compile("sgd", run_eagerly=True)
    logs = vae.train_on_batch(vectors(), return_dict=True)
    parts = logs["distortion"] + logs["rate"] + logs["g_regularization"]
    assert logs["loss"] == pytest.approx(parts, rel=1e-5)
    assert logs["g_regularization"] > 0
