"""Are the plane's mixtures, scores and pictures what they say?"""

import keras
import numpy as np
import pytest

from ganlab import GAN, networks
from ganlab.artifacts import export
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_mixtures_are_pacgans(name, modes):
    mixture = MIXTURES[name]
    assert mixture.centers.shape == (modes, 2)
    gaps = np.linalg.norm(mixture.centers[:, None] - mixture.centers, axis=-1)
    nearest = gaps[gaps > 1e-6].min()
    expected = 2 * np.sin(np.pi / 8) if name == "ring" else 2.0
    assert nearest == pytest.approx(expected, rel=1e-5)
    points, labels = mixture.sample(20_000, seed=1)
    assert points.dtype == np.float32
    for mode in range(modes):
        own = points[labels == mode]
        assert len(own) == pytest.approx(20_000 / modes, rel=0.15)
        np.testing.assert_allclose(
            own.mean(axis=0), mixture.centers[mode], atol=0.2 * mixture.deviation
        )
        np.testing.assert_allclose(own.std(axis=0), mixture.deviation, rtol=0.15)
    assert np.abs(points).max() < mixture.extent
    np.testing.assert_array_equal(points, mixture.sample(20_000, seed=1)[0])


def gan_of_points(packing=1):
    generator = networks.mlp_generator(widths=(8,))
    discriminator = networks.mlp_discriminator(widths=(8,), packing=packing)
    gan = GAN(generator, discriminator, packing=packing)
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return gan


def test_points_are_not_exported(tmp_path):
    with pytest.raises(UserError, match="generator of images"):
        export.export_generator(gan_of_points(), tmp_path / "a")
