"""Are the losses the papers' formulas?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives import losses

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


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, 1.0, float("nan"), "0.1", None])
def test_smoothing_out_of_range(smoothing):
    with pytest.raises(UserError, match=r"0 or more and under 0\.5"):
        losses.NonSaturating(smoothing)


def test_least_squares_by_hand():
    loss = losses.LeastSquares()
    # ½ mean((2 - 1)², (0 - 1)²) + ½ mean(1², 3²); ½ mean((-1 - 1)², (3 - 1)²)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(0.5 + 2.5)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(2.0)


def test_hinge_by_hand():
    loss = losses.Hinge()
    # shortfalls 0, 1 and 0, 4
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(0.5 + 2.0)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(-1.0)


def test_wasserstein_by_hand():
    loss = losses.Wasserstein()
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(1.0 - 1.0)
    assert float(loss.discriminator(REAL, FAKE - 2)) == pytest.approx(-1.0 - 1.0)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(-1.0)


def test_relativistic_by_hand():
    loss = losses.Relativistic()
    leads = np.array([3.0, -3.0])  # 2 - (-1), 0 - 3
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(
        -log_sigmoid(leads).mean(), rel=1e-6
    )
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(
        -log_sigmoid(-leads).mean(), rel=1e-6
    )


def test_relativistic_average_by_hand():
    loss = losses.RelativisticAverage()
    real, fake = REAL - 1.0, FAKE - 1.0  # both means are 1
    expected = -log_sigmoid(real).mean() - log_sigmoid(-fake).mean()
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)
    expected = -log_sigmoid(-real).mean() - log_sigmoid(fake).mean()
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_margins_are_0_where_the_loss_is_undecided(name):
    loss = losses.get(name)
    real, fake = loss.margins(REAL, FAKE)
    assert real.shape == fake.shape == REAL.shape
    # Equal logits at the point of indecision: no side is pulled away from it
    # more strongly than the other.
    level = 0.5 if name == "least_squares" else 0.0
    sides = tf.Variable(np.full((2, 4, 1), level, np.float32))
    margins = loss.margins(sides[0], sides[1])
    assert float(tf.reduce_max(tf.abs(margins))) == 0.0
    with tf.GradientTape() as tape:
        value = loss.discriminator(sides[0], sides[1])
    gradient = tape.gradient(value, sides).numpy()
    np.testing.assert_allclose(gradient[0], -gradient[1], atol=1e-7)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_discriminator_gains_by_telling_them_apart(name):
    loss = losses.get(name)
    apart = loss.discriminator(REAL * 0 + 0.6, FAKE * 0 - 0.1)
    mixed = loss.discriminator(REAL * 0 - 0.1, FAKE * 0 + 0.6)
    assert float(apart) < float(mixed)
    good, bad = loss.generator(REAL, FAKE + 0.1), loss.generator(REAL, FAKE)
    assert float(good) < float(bad) or name == "least_squares"  # one is past 1


@pytest.mark.parametrize("name", losses.LOSSES)
def test_float64_is_kept(name):
    loss, real, fake = losses.get(name), REAL.astype("f8"), FAKE.astype("f8")
    values = [loss.discriminator(real, fake), loss.generator(real, fake)]
    for value in (*values, *loss.margins(real, fake)):
        assert value.dtype == tf.float64
    narrow = [loss.discriminator(REAL, FAKE), loss.generator(REAL, FAKE)]
    np.testing.assert_allclose(values, narrow, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("shape", [(12,), (3, 2, 2, 1), (2, 1, 3, 2)])
def test_any_shape_is_the_mean_over_its_logits(name, shape):
    draws = np.random.default_rng(0)
    real, fake = draws.normal(size=(2, 12, 1)).astype(np.float32)
    loss = losses.get(name)
    for network in ("discriminator", "generator"):
        value = getattr(loss, network)(real.reshape(shape), fake.reshape(shape))
        assert value.shape == ()
        expected = float(getattr(loss, network)(real, fake))
        assert float(value) == pytest.approx(expected, rel=1e-6)
    margins = loss.margins(real.reshape(shape), fake.reshape(shape))
    for side, expected in zip(margins, loss.margins(real, fake), strict=True):
        assert side.shape == shape
        np.testing.assert_allclose(np.reshape(side, (12, 1)), expected, rtol=1e-6)


def test_margins_of_patches_by_hand():
    real = np.array([2.0, 4.0, 0.0, 2.0], np.float32).reshape(2, 2, 1, 1)  # mean 2
    fake = np.array([-2.0, 0.0, 1.0, 1.0], np.float32).reshape(2, 2, 1, 1)  # mean 0
    expected = {
        "wasserstein": ([1.0, 3.0, -1.0, 1.0], [-3.0, -1.0, 0.0, 0.0]),
        "relativistic": ([4.0, 4.0, -1.0, 1.0], [-4.0, -4.0, 1.0, -1.0]),
        "relativistic_average": ([2.0, 4.0, 0.0, 2.0], [-4.0, -2.0, -1.0, -1.0]),
    }
    for name, sides in expected.items():
        for side, values in zip(
            losses.get(name).margins(real, fake), sides, strict=True
        ):
            np.testing.assert_array_equal(np.ravel(side), values)


def test_smoothing_by_name_is_for_those_that_have_it():
    assert losses.get("minimax", 0.1).label_smoothing == 0.1
    for loss in (
        "hinge",
        "bce",
        "nope",
        losses.NonSaturating(),
        keras.losses.BinaryCrossentropy(from_logits=True),
    ):
        with pytest.raises(UserError, match="use minimax or non_saturating"):
            losses.get(loss, 0.1)
    with pytest.raises(UserError, match="with hinge"):
        losses.get("hinge", 0.1)


@pytest.fixture
def torch():
    """PyTorch, in which the relativistic loss, R1 and R2 are written again."""
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.e2e
def test_relativistic_equals_pytorchs(torch):
    draws = np.random.default_rng(0)
    for average in (False, True):
        name = "relativistic_average" if average else "relativistic"
        loss = losses.get(name)
        logits = draws.normal(size=(2, 16, 1))
        for network in ("discriminator", "generator"):
            reference = torch.tensor(logits, requires_grad=True)
            real, fake = reference if network == "discriminator" else reference.flip(0)
            softplus = torch.nn.functional.softplus
            if average:
                expected = softplus(fake.mean() - real).mean()
                expected = expected + softplus(fake - real.mean()).mean()
            else:
                expected = softplus(fake - real).mean()
            expected.backward()
            variables = tf.Variable(logits)
            with tf.GradientTape() as tape:
                value = getattr(loss, network)(variables[0], variables[1])
            assert float(value) == pytest.approx(expected.item(), rel=1e-12)
            np.testing.assert_allclose(
                tape.gradient(value, variables), reference.grad.numpy(), rtol=1e-9
            )


def test_r1_and_r2_equal_pytorchs(torch):
    from ganlab.objectives.regularizers import R1, R2, DiscriminatorOutput

    draws = np.random.default_rng(1)
    first, second = draws.normal(size=(12, 6)), draws.normal(size=(6, 1))
    images = draws.normal(size=(2, 5, 2, 6))
    for regularizer, index in ((R1(), 0), (R2(), 1)):
        weights = [torch.tensor(w, requires_grad=True) for w in (first, second)]
        inputs = torch.tensor(images[index], requires_grad=True)
        logits = torch.tanh(inputs.reshape(5, 12) @ weights[0]) @ weights[1]
        (slope,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
        expected = 0.5 * slope.square().sum(dim=(1, 2)).mean()
        expected.backward()

        variables = [tf.Variable(first), tf.Variable(second)]
        sides = [DiscriminatorOutput(tf.constant(side), None) for side in images]
        with tf.GradientTape() as tape:
            penalty = regularizer.penalty(
                lambda x, w=variables: tf.tanh(tf.reshape(x, (5, 12)) @ w[0]) @ w[1],
                *sides,
                None,
            )
        assert float(penalty) == pytest.approx(expected.item(), rel=1e-12)
        for gradient, reference in zip(
            tape.gradient(penalty, variables), weights, strict=True
        ):
            np.testing.assert_allclose(gradient, reference.grad.numpy(), rtol=1e-9)
