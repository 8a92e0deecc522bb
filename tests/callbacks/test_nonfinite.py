"""The first tensor that is not finite is named."""

import keras
import numpy as np
import pytest

from ganlab.callbacks.nonfinite import first_nonfinite, first_nonfinite_of_step
from ganlab.models.skipping import state_of
from ganlab.objectives import losses


@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_first_tensor_that_is_not_finite_is_named(make_gan, num_classes):
    gan = make_gan(num_classes)
    latents = np.zeros((4, 8), np.float32)
    labels = None if num_classes is None else np.zeros(4, np.int32)
    assert first_nonfinite(gan, latents, labels) is None
    kernel = gan.discriminator.get_layer("logits").kernel
    kernel.assign(kernel * np.inf)
    assert first_nonfinite(gan, latents, labels) == "discriminator/logits/kernel"
    kernel = gan.generator.get_layer("project").kernel
    kernel.assign(kernel * np.nan)
    assert first_nonfinite(gan, latents, labels) == "generator/project/kernel"


def test_an_activation_that_overflows_is_named(make_dense_gan):
    gan = make_dense_gan(hidden="linear")
    kernel = gan.generator.get_layer("project").kernel
    kernel.assign(np.full((2, 4), 3e38))
    latents = np.full((4, 2), 10.0, np.float32)
    assert first_nonfinite(gan, latents) == "generator/project output"


class Exploding(losses.NonSaturating):
    """The generator's loss is infinite, and the discriminator's is not."""

    def generator(self, real_logits, fake_logits):
        return super().generator(real_logits, fake_logits) * np.inf


def set_weights(layer, value):
    layer.kernel.assign(np.full(layer.kernel.shape, value, np.float32))


def test_the_first_of_a_step_is_named_in_the_order_of_the_step(make_dense_gan):
    samples = np.ones((8, 2), np.float32)
    gan = make_dense_gan(hidden="linear", loss=Exploding())
    before = [variable.numpy() for variable in state_of(gan)]
    assert first_nonfinite_of_step(gan, samples) == "g_loss"
    assert first_nonfinite_of_step(gan, samples * np.nan) == "images"
    assert first_nonfinite_of_step(gan, samples * 3e38) in (
        "discriminator/logits output",
        "d_loss",
    )
    for variable, value in zip(state_of(gan), before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    gan.compile("sgd", "sgd", instance_noise=3e38)
    assert first_nonfinite_of_step(gan, samples) == "perturbed real images"


@pytest.mark.e2e
def test_gradients_and_updates_are_named_behind_finite_losses(make_dense_gan):
    samples = np.ones((8, 2), np.float32)
    gan = make_dense_gan(loss="wasserstein")
    assert first_nonfinite_of_step(gan, samples) is None
    gan.compile(*(keras.optimizers.SGD(1e38) for _ in range(2)), loss="wasserstein")
    set_weights(gan.generator.get_layer("project"), 1e3)
    named = first_nonfinite_of_step(gan, samples)
    assert named == "discriminator/logits/kernel after its update"
    gan.compile("sgd", "sgd", loss="wasserstein")
    set_weights(gan.discriminator.get_layer("logits"), 1e30)
    set_weights(gan.generator.layers[-1], 1e20)
    set_weights(gan.generator.get_layer("project"), 1e-20)
    named = first_nonfinite_of_step(gan, samples)
    assert named == "gradient of generator/project/bias"
