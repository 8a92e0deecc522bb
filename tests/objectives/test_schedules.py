"""Adam with scheduled betas, and weights that warm up."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives.schedules import ScheduledAdam, WarmUp


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def assert_equal_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.e2e
def test_a_scheduled_beta_is_followed_saved_and_reloaded(make_gan, images, tmp_path):
    gan = make_gan()
    cosine = keras.optimizers.schedules.CosineDecay(0.9, 10, alpha=0.99 / 0.9)
    gan.compile(ScheduledAdam(1e-3, 0.0, cosine), ScheduledAdam(1e-3, 0.0, cosine))
    optimizer = gan.generator_optimizer
    assert float(optimizer.beta_2) == pytest.approx(0.9)
    for _ in range(5):
        gan.train_on_batch(images[0])
    assert float(optimizer.beta_2) == pytest.approx(0.945)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    assert float(loaded.generator_optimizer.beta_2) == pytest.approx(0.945)
    for one in (gan, loaded):
        one.train_on_batch(images[0])
    assert_equal_weights(gan, loaded)


def test_scheduled_adam_with_fixed_betas_is_adam():
    weights = []
    for optimizer in (
        keras.optimizers.Adam(0.1, 0.5, 0.9),
        ScheduledAdam(0.1, 0.5, 0.9),
    ):
        variable = keras.Variable([1.0, -2.0])
        for step in range(5):
            optimizer.apply([tf.constant([0.5, step - 2.0])], [variable])
        weights.append(variable.numpy())
    np.testing.assert_array_equal(*weights)


def test_a_warm_up_rises_once_or_in_cycles():
    once, cyclic = WarmUp(2.0, 4), WarmUp(1.0, 2, cycle=4)
    steps = range(9)
    assert [float(once(step)) for step in steps] == [0, 0.5, 1, 1.5, *[2.0] * 5]
    assert [float(cyclic(step)) for step in steps] == [0, 0.5, 1, 1, 0, 0.5, 1, 1, 0]
    assert float(once(tf.constant(3, tf.int64))) == 1.5


@pytest.mark.parametrize(
    "wrong", [{"weight": -1.0}, {"steps": 0}, {"steps": 9, "cycle": 8}]
)
def test_a_warm_up_of_nothing_is_refused(wrong):
    with pytest.raises(UserError, match="Expected"):
        WarmUp(**wrong)
