"""The first tensor that is not finite is named."""

import numpy as np
import pytest

from ganlab.callbacks.nonfinite import first_nonfinite


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
