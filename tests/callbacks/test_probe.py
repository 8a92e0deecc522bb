"""Do the signals say what is so, and leave the players alone?"""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks
from ganlab.callbacks import probe as probe_module
from ganlab.objectives import losses


def points_gan(hidden="relu", bias=0.0, loss="non_saturating"):
    """A GAN of points whose hidden units are known."""
    latents = keras.Input((2,))
    x = layers.Dense(
        4, activation=hidden, bias_initializer=keras.initializers.Constant(bias)
    )(latents)
    generator = keras.Model(latents, layers.Dense(2)(x))
    points = keras.Input((2,))
    discriminator = keras.Model(points, layers.Dense(1, name="logits")(points))
    gan = GAN(generator, discriminator)
    gan.compile("adam", "adam", loss=loss)
    return gan


@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_look_changes_nothing_and_repeats(make_gan, images, num_classes):
    gan = make_gan(num_classes)
    gan.fit(images[0], images[1] if num_classes else None, batch_size=8, verbose=0)
    before = [weight.numpy().copy() for weight in gan.weights]
    labels = images[1] if num_classes else None
    probe = probe_module.Probe(gan, images[0], images[0][::-1], labels, labels)
    first, logits = probe.measure()
    second, _ = probe.measure()
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    # Power iteration goes on from where it was.
    singular = [key for key in first if "singular" in key]
    for key, value in first.items():
        rel = 0.1 if key in singular else 1e-6
        assert second[key] == pytest.approx(value, rel=rel)
    assert set(logits) == {"real", "fake", "held_out"}
    assert ("class_pairwise_ratio" in first) == (num_classes is not None)
    assert all(np.isfinite(value) for value in first.values())


def test_gradients_are_those_of_a_step(make_gan, images):
    """The norm over all kernels, from plain SGD's own step."""
    gan = make_gan(optimizer=keras.optimizers.SGD)
    gan.generator_optimizer.learning_rate = 1.0
    probe = probe_module.Probe(gan, images[0])
    values, _ = probe.measure()
    latents = keras.ops.convert_to_tensor(probe._latents)
    gan.training_latents = lambda num_images, substep=0: latents
    kernel = gan.generator.get_layer("project").kernel
    before = kernel.numpy().copy()
    gan.train_on_batch(images[0])
    step = np.sqrt(np.mean((kernel.numpy() - before) ** 2))
    assert values["gradient/generator/project"] == pytest.approx(step, rel=1e-3)


@pytest.mark.parametrize(("name", "slope"), [("minimax", 1), ("non_saturating", -1)])
def test_the_gradient_in_the_logit_by_hand(name, slope):
    gan = points_gan(loss=name)
    values, logits = probe_module.Probe(gan, np.zeros((16, 2), np.float32)).measure()
    sure = 1 / (1 + np.exp(-slope * logits["fake"]))
    assert values["g_logit_gradient"] == pytest.approx(sure.mean(), rel=1e-5)


def test_what_the_saturating_loss_throws_away():
    numbers = probe_module._logit_numbers(
        {"real": np.full((4, 1), 3.0), "fake": np.full((4, 1), -2.0)}
    )
    # sigmoid(-2) / sigmoid(2) = exp(-2)
    assert numbers["gradient_thrown_away"] == pytest.approx(1 - np.exp(-2.0))
    assert numbers["real_sign"] == 1.0
    even = probe_module._logit_numbers(
        {"real": np.ones((4, 1)), "fake": np.ones((4, 1))}
    )
    assert even["gradient_thrown_away"] == 0.0


def test_overfitting_is_the_way_from_trained_to_fake():
    logits = {"real": np.full((4, 1), 2.0), "fake": np.full((4, 1), -2.0)}
    logits["held_out"] = np.full((4, 1), -1.0)
    assert probe_module._logit_numbers(logits)["overfit_gap"] == pytest.approx(0.75)
    logits["real"] = logits["fake"] + 1e-3 * np.arange(4)[:, None]
    logits["fake"] = logits["fake"] + np.arange(4)[:, None]
    assert "overfit_gap" not in probe_module._logit_numbers(logits)


@pytest.mark.parametrize(("bias", "dead"), [(-99.0, 1.0), (99.0, 0.0)])
def test_dead_units(bias, dead):
    gan = points_gan("relu", bias)
    values, _ = probe_module.Probe(gan, np.zeros((16, 2), np.float32)).measure()
    assert values["g_dead_share"] == dead


def test_saturated_units_and_their_slope():
    gan = points_gan("sigmoid", 99.0)
    values, _ = probe_module.Probe(gan, np.zeros((16, 2), np.float32)).measure()
    assert values["g_saturated_share"] == 1.0
    assert values["g_activation_gradient"] == pytest.approx(0.0, abs=1e-6)
    gan = points_gan("sigmoid")
    gan.generator.layers[1].kernel.assign(np.zeros((2, 4)))
    values, _ = probe_module.Probe(gan, np.zeros((16, 2), np.float32)).measure()
    assert values["g_activation_gradient"] == pytest.approx(0.25)


def test_singular_values_against_numpy(make_gan, images):
    gan = make_gan()
    probe = probe_module.Probe(gan, images[0])
    for _ in range(20):
        values, _ = probe.measure()
    for layer in gan.discriminator.layers:
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy().reshape(-1, layer.kernel.shape[-1])
            largest = np.linalg.svd(kernel, compute_uv=False)[0]
            found = values[f"singular_value/{layer.name}"]
            assert found == pytest.approx(largest, rel=0.01)


def test_half_precision_is_held_against_float32(images):
    keras.config.set_dtype_policy("mixed_float16")
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4),
    )
    gan.compile("adam", "adam")
    values, _ = probe_module.Probe(gan, images[0]).measure()
    assert 0 < values["g_gradient_error"] < 0.2
    assert values["g_loss_scale"] == 2.0**15


def test_batch_norm_gap_is_taken_in_batches_as_in_training(make_gan, images):
    gan = make_gan()
    gan.fit(images[0], batch_size=8, verbose=0)
    probe = probe_module.Probe(gan, images[0], batch_size=2)
    values, _ = probe.measure()
    twin = networks.precision.in_float32(gan.generator)
    gaps = []
    for first in range(0, 8, 2):
        latents = probe._latents[first : first + 2]
        settled = gan.generator(latents, training=False)
        gaps.append(np.abs(twin(latents, training=True) - settled).mean())
    assert values["batch_norm_gap"] == pytest.approx(np.mean(gaps), rel=1e-4)


def test_packs_and_losses_of_every_kind(images):
    for name in losses.LOSSES:
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4, packing=2),
            packing=2,
        )
        gan.compile("adam", "adam", loss=name)
        values, logits = probe_module.Probe(
            gan, images[0][:15], images[0][:3]
        ).measure()
        assert np.isfinite(values["g_logit_gradient"])
        assert (len(logits["fake"]), len(logits["held_out"])) == (7, 1)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_first_tensor_that_is_not_finite_is_named(make_gan, num_classes):
    gan = make_gan(num_classes)
    latents = np.zeros((4, 8), np.float32)
    labels = None if num_classes is None else np.zeros(4, np.int32)
    assert probe_module.first_nonfinite(gan, latents, labels) is None
    kernel = gan.discriminator.get_layer("logits").kernel
    kernel.assign(kernel * np.inf)
    found = probe_module.first_nonfinite(gan, latents, labels)
    assert found == "discriminator/logits/kernel"
    gan.generator.get_layer("project").kernel.assign(
        gan.generator.get_layer("project").kernel * np.nan
    )
    found = probe_module.first_nonfinite(gan, latents, labels)
    assert found == "generator/project/kernel"
