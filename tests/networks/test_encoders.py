"""Do encoders give a Gaussian of codes for every size?"""

import numpy as np
import pytest

from ganlab.networks import dcgan_encoder, mlp_encoder


@pytest.mark.parametrize("image_size", [16, 28, (16, 48)])
def test_codes_have_means_and_log_variances_near_the_prior(image_size):
    encoder = dcgan_encoder(image_size, 3, latent_dim=5, base_filters=4)
    images = np.random.default_rng(0).uniform(-1, 1, (2, *encoder.input_shape[1:]))
    codes = encoder(images)
    assert codes.shape == (2, 10)
    assert np.abs(codes).max() < 0.5


def test_vectors_have_codes_too():
    encoder = mlp_encoder(2, latent_dim=3, widths=(8,))
    assert encoder(np.zeros((4, 2))).shape == (4, 6)
