"""Toy 2-D mixtures are PacGAN's, and sampled by seed."""

import numpy as np
import pytest

from ganlab.data.toy2d import MIXTURES, find_mixture


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_mixtures_are_pacgans(name, modes):
    mixture = MIXTURES[name]
    assert mixture.centers.shape == (modes, 2)
    gaps = np.linalg.norm(mixture.centers[:, None] - mixture.centers, axis=-1)
    nearest = gaps[gaps > 1e-6].min()
    expected = 2 * np.sin(np.pi / 8) if name == "ring" else 2.0
    assert nearest == pytest.approx(expected, rel=1e-5)
    samples, labels = mixture.sample(20_000, seed=1)
    assert samples.dtype == np.float32
    for mode in range(modes):
        own = samples[labels == mode]
        assert len(own) == pytest.approx(20_000 / modes, rel=0.15)
        np.testing.assert_allclose(
            own.mean(axis=0), mixture.centers[mode], atol=0.2 * mixture.deviation
        )
        np.testing.assert_allclose(own.std(axis=0), mixture.deviation, rtol=0.15)
    assert np.abs(samples).max() < mixture.extent
    np.testing.assert_array_equal(samples, mixture.sample(20_000, seed=1)[0])


def test_mixtures_are_looked_up_by_spec():
    assert find_mixture("ring") is MIXTURES["ring"]
    for spec in ("fashion_mnist", "", None, ["ring"]):
        assert find_mixture(spec) is None
