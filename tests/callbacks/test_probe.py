"""The probe measures what a training step would compute, and changes nothing."""

import keras
import numpy as np
import pytest

from ganlab import GAN, networks
from ganlab.callbacks.nonfinite import first_nonfinite
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
    probe.passes.latents = gan.training_latents(len(images[0])).numpy()
    values, _ = probe.measure()
    kernel = gan.generator.get_layer("project").kernel
    before = kernel.numpy().copy()
    gan.train_on_batch(images[0])
    step = np.sqrt(np.mean((kernel.numpy() - before) ** 2))
    assert values["gradient/generator/project"] == pytest.approx(step, rel=1e-3)


@pytest.mark.e2e
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
        latents = probe.passes.latents[first : first + 2]
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


class Subclassed(keras.Model):
    """A model of free-form code, which has no layers' outputs to see."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def foreign_gan(form):
    """A compiled GAN of networks in the form of a user's."""
    layers = keras.layers
    latents, more = keras.Input((3,)), keras.Input((2, 2))
    number = keras.Input((), dtype="int32", name="label")
    dtype = "float64" if form == "float64" else "float32"
    end = [layers.Dense(4, dtype=dtype), layers.Reshape((2, 2, 1), dtype=dtype)]
    judge = [layers.Flatten(), layers.Dense(1, dtype=dtype)]
    num_classes = 2 if form == "labels first" else None
    if form == "subclassed":
        generator, discriminator = Subclassed(*end), Subclassed(*judge)
        generator(np.zeros((1, 7), np.float32))
        discriminator(np.zeros((1, 2, 2, 1), np.float32))
    else:
        inputs = {"labels first": [number, more, latents]}.get(form, [latents, more])
        x = layers.Concatenate()([latents, layers.Flatten()(more)])
        generator = keras.Model(inputs, end[1](end[0](x)))
        images = keras.Input((2, 2, 1))
        logits = judge[1](judge[0](images))
        judged = [images, number] if num_classes else images
        if num_classes:
            logits = logits + layers.Embedding(2, 1)(number)
        discriminator = keras.Model(judged, logits)
    gan = GAN(generator, discriminator, num_classes=num_classes)
    gan.compile("sgd", "sgd")
    return gan


@pytest.mark.e2e
@pytest.mark.parametrize("form", ["several", "labels first", "subclassed", "float64"])
def test_networks_of_any_form_are_measured(form):
    gan = foreign_gan(form)
    real = np.random.default_rng(0).uniform(-1, 1, (8, 2, 2, 1)).astype(np.float32)
    labels = np.arange(8) % 2 if gan.num_classes else None
    probe = Probe(gan, real, labels=labels)
    values, logits = probe.measure()
    assert all(np.isfinite(value) for value in values.values())
    latents = probe.passes.latents
    fake = gan.generator(gan.generator_arguments(latents, labels))
    assert values["fake_low"] == pytest.approx(np.percentile(fake, 1), rel=1e-4)
    assert logits["fake"].shape == (8, 1)
    assert first_nonfinite(gan, latents, labels) is None
    weight = gan.discriminator.weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    assert first_nonfinite(gan, latents, labels).startswith("discriminator/")


@pytest.mark.e2e
def test_the_gap_of_statistics_is_on_the_scale_of_the_range():
    layers = keras.layers

    def measured(scale):
        generator = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(3, kernel_initializer="ones"),
                layers.BatchNormalization(),
                layers.Activation("tanh"),
                layers.Rescaling(scale),
            ]
        )
        gan = GAN(generator, keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
        gan.compile("sgd", "sgd")
        values, _ = Probe(gan, np.zeros((16, 3), np.float32)).measure()
        return values["batch_norm_gap"]

    assert measured(1.0) > 0.01
    assert measured(100.0) == pytest.approx(measured(1.0), rel=1e-4)
