"""Are the losses the papers' formulas?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import losses
from ganlab.errors import UserError

REAL = np.array([[2.0], [0.0]], np.float32)
FAKE = np.array([[-1.0], [3.0]], np.float32)


def log_sigmoid(x):
    return np.log(1.0 / (1.0 + np.exp(-np.asarray(x, np.float64))))


def test_discriminator_value_by_hand():
    # -log sigmoid(2) = 0.126928, -log sigmoid(0) = 0.693147
    # -log sigmoid(1) = 0.313262, -log sigmoid(-3) = 3.048587
    expected = (0.126928 + 0.693147) / 2 + (0.313262 + 3.048587) / 2
    for loss in (losses.Minimax(), losses.NonSaturating()):
        assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(
            expected, abs=1e-5
        )


def test_generator_values_by_hand():
    minimax = log_sigmoid(-FAKE).mean()  # log(1 - sigmoid(D(G(z))))
    non_saturating = -log_sigmoid(FAKE).mean()
    assert float(losses.Minimax().generator(REAL, FAKE)) == pytest.approx(
        minimax, rel=1e-6
    )
    assert float(losses.NonSaturating().generator(REAL, FAKE)) == pytest.approx(
        non_saturating, rel=1e-6
    )


def test_smoothing_is_cross_entropy_with_a_soft_real_target():
    reference = keras.losses.BinaryCrossentropy(from_logits=True)
    expected = reference(np.full((2, 1), 0.9), REAL) + reference(np.zeros((2, 1)), FAKE)
    loss = losses.NonSaturating(label_smoothing=0.1)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(
        float(expected), rel=1e-6
    )


def test_smoothing_leaves_the_generator_alone():
    smooth, plain = losses.NonSaturating(0.2), losses.NonSaturating()
    assert float(smooth.generator(REAL, FAKE)) == float(plain.generator(REAL, FAKE))


@pytest.mark.parametrize("logit", [-12.0, -3.0, 0.0, 2.0])
def test_saturating_gradient_is_exp_of_the_logit_times_the_other(logit):
    gradients = []
    for loss in (losses.Minimax(), losses.NonSaturating()):
        fake = tf.Variable([[logit]])
        with tf.GradientTape() as tape:
            value = loss.generator(REAL, fake)
        gradients.append(float(tape.gradient(value, fake)[0, 0]))
    assert gradients[0] / gradients[1] == pytest.approx(np.exp(logit), rel=1e-4)


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_extreme_logits_stay_finite_float32(name, dtype):
    loss = losses.get(name)
    extreme = tf.cast([[-3e4], [3e4], [0.0]], dtype)
    for value in (
        loss.discriminator(extreme, extreme),
        loss.generator(extreme, extreme),
    ):
        assert value.dtype == tf.float32
        assert np.isfinite(float(value))


def test_unknown_name_lists_the_known():
    with pytest.raises(UserError, match="non_saturating.*Received: 'wgan'"):
        losses.get("wgan")


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, 1.0])
def test_smoothing_out_of_range(smoothing):
    with pytest.raises(UserError, match=r"0 or more and under 0\.5"):
        losses.NonSaturating(smoothing)
