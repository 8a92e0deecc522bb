"""The averaged generator against a hand-computed average."""

import numpy as np
import pytest

from ganlab.models import ema


def test_average_by_hand():
    assert float(ema.decay_at(0, 0.999)) == pytest.approx(0.1)
    assert float(ema.decay_at(90, 0.999)) == pytest.approx(0.91)
    assert float(ema.decay_at(10**6, 0.999)) == pytest.approx(0.999)
    assert float(ema.averaged_value(2.0, 4.0, 0.75)) == pytest.approx(2.5)


@pytest.mark.e2e
def test_average_follows_every_weight_batch_statistics_included(make_gan, images):
    gan = make_gan(ema_decay=0.5)
    averages = [weight.numpy() for weight in gan.ema_generator.weights]
    for step in range(3):
        gan.train_on_batch(images[0])
        decay = min(0.5, (1 + step) / (10 + step))
        averages = [
            decay * average + (1 - decay) * weight.numpy()
            for average, weight in zip(averages, gan.generator.weights, strict=True)
        ]
    names = [weight.path for weight in gan.ema_generator.weights]
    assert any("moving_mean" in name for name in names)
    for average, weight in zip(averages, gan.ema_generator.weights, strict=True):
        np.testing.assert_allclose(weight, average, rtol=1e-5, atol=1e-7)
