"""The probe measures what a training step would compute, and changes nothing."""

import keras
import numpy as np
import pytest

from ganlab import GAN, networks
from ganlab.callbacks.probe import Probe
from ganlab.objectives import losses


@pytest.mark.e2e
@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_measurement_changes_nothing_and_repeats(make_gan, images, num_classes):
    gan = make_gan(num_classes)
    labels = images[1] if num_classes else None
    gan.fit(images[0], labels, batch_size=8, verbose=0)
    before = [weight.numpy().copy() for weight in gan.weights]
    probe = Probe(gan, images[0], images[0][::-1], labels, labels)
    first, logits = probe.measure()
    second, _ = probe.measure()
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    for key, value in first.items():
        # Power iteration goes on from where it was.
        tolerance = 0.1 if "singular" in key else 1e-6
        assert second[key] == pytest.approx(value, rel=tolerance)
    assert set(logits) == {"real", "fake", "held_out"}
    assert ("class_pairwise_ratio" in first) == (num_classes is not None)
    assert all(np.isfinite(value) for value in first.values())


@pytest.mark.e2e
def test_gradients_are_those_of_a_step(make_gan, images):
    """The gradient of a kernel is what plain SGD's own step subtracts."""
    gan = make_gan(optimizer=keras.optimizers.SGD)
    gan.generator_optimizer.learning_rate = 1.0
    probe = Probe(gan, images[0])
    probe.latents = gan.training_latents(len(images[0])).numpy()
    values, _ = probe.measure()
    kernel = gan.generator.get_layer("project").kernel
    before = kernel.numpy().copy()
    gan.train_on_batch(images[0])
    step = np.sqrt(np.mean((kernel.numpy() - before) ** 2))
    assert values["gradient/generator/project"] == pytest.approx(step, rel=1e-3)


@pytest.mark.parametrize(("name", "sign"), [("minimax", 1), ("non_saturating", -1)])
def test_the_gradient_in_the_logit_by_hand(make_dense_gan, name, sign):
    gan = make_dense_gan(loss=name)
    values, logits = Probe(gan, np.zeros((16, 2), np.float32)).measure()
    expected = 1 / (1 + np.exp(-sign * logits["fake"]))
    assert values["g_logit_gradient"] == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.e2e
def test_singular_values_are_those_of_the_discriminator(make_gan, images):
    gan = make_gan()
    probe = Probe(gan, images[0])
    for _ in range(20):
        values, _ = probe.measure()
    for layer in gan.discriminator.layers:
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy().reshape(-1, layer.kernel.shape[-1])
            largest = np.linalg.svd(kernel, compute_uv=False)[0]
            measured = values[f"singular_value/{layer.name}"]
            assert measured == pytest.approx(largest, rel=0.01)


@pytest.mark.e2e
def test_half_precision_is_compared_with_float32(images):
    keras.config.set_dtype_policy("mixed_float16")
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4),
    )
    gan.compile("adam", "adam")
    values, _ = Probe(gan, images[0]).measure()
    assert 0 < values["g_gradient_error"] < 0.2
    assert values["g_loss_scale"] == 2.0**15


@pytest.mark.e2e
def test_batch_norm_gap_is_taken_in_batches_as_in_training(make_gan, images):
    gan = make_gan()
    gan.fit(images[0], batch_size=8, verbose=0)
    probe = Probe(gan, images[0], batch_size=2)
    values, _ = probe.measure()
    twin = networks.precision.in_float32(gan.generator)
    gaps = []
    for first in range(0, 8, 2):
        latents = probe.latents[first : first + 2]
        settled = gan.generator(latents, training=False)
        gaps.append(np.abs(twin(latents, training=True) - settled).mean())
    assert values["batch_norm_gap"] == pytest.approx(np.mean(gaps), rel=1e-4)


@pytest.mark.e2e
@pytest.mark.parametrize("name", losses.LOSSES)
def test_packs_and_losses_of_every_kind(images, name):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4, packing=2),
        packing=2,
    )
    gan.compile("adam", "adam", loss=name)
    values, logits = Probe(gan, images[0][:15], images[0][:3]).measure()
    assert np.isfinite(values["g_logit_gradient"])
    assert (len(logits["fake"]), len(logits["held_out"])) == (7, 1)
