"""Do Keras's losses and functions train as their user means, or say why not?"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.objectives import keras_losses, losses
from ganlab.objectives.keras_losses import FunctionLoss, KerasLoss

REAL = np.array([[2.0], [0.0]], np.float32)
FAKE = np.array([[-1.0], [3.0]], np.float32)
ONES, ZEROS = np.ones_like(REAL), np.zeros_like(REAL)


@keras.saving.register_keras_serializable(package="test_keras_losses")
def wasserstein(real_logits, fake_logits):
    critic = ops.mean(fake_logits) - ops.mean(real_logits)
    return critic, -ops.mean(fake_logits)


def unregistered(real_logits, fake_logits):
    return wasserstein(real_logits, fake_logits)


def of_labels(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


@keras.saving.register_keras_serializable(package="test_keras_losses")
class FourthPower(keras.losses.Loss):
    """A loss of the user's own, `(label - logit)⁴`."""

    def call(self, y_true, y_pred):
        return ops.mean((y_true - y_pred) ** 4, axis=-1)


OF_LOGITS = [
    keras.losses.BinaryCrossentropy(from_logits=True),
    keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
    keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=3.0),
    keras.losses.MeanSquaredError(),
    keras.losses.MeanAbsoluteError(),
    keras.losses.LogCosh(),
    keras.losses.Hinge(),
    keras.losses.SquaredHinge(),
    keras.losses.MeanSquaredError(reduction="sum"),
    FourthPower(),
]


def name_of(loss):
    return type(loss).__name__


@pytest.mark.parametrize("loss", OF_LOGITS, ids=name_of)
@pytest.mark.parametrize("shape", [(2,), (2, 1), (1, 2, 1, 1)])
def test_values_are_those_of_keras(loss, shape):
    real, fake = REAL.reshape(shape), FAKE.reshape(shape)
    ones, zeros = np.ones_like(real), np.zeros_like(real)
    expected = float(loss(ones, real)) + float(loss(zeros, fake))
    mine = losses.get(loss)
    assert float(mine.discriminator(real, fake)) == pytest.approx(expected, rel=1e-6)
    expected = float(loss(ones, fake))
    assert float(mine.generator(real, fake)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        # shortfalls 0, 1 from 1, and 0, 4 from -1; 2, 0 from 1
        (keras.losses.Hinge(), 0.5 + 2.0, 1.0),
        (keras.losses.SquaredHinge(), 0.5 + 8.0, 2.0),
        # 1², 1² from 1, and 1², 3² from 0; 2², 2² from 1
        (keras.losses.MeanSquaredError(), 1.0 + 5.0, 4.0),
        (keras.losses.MeanSquaredError(reduction="sum"), 2.0 + 10.0, 8.0),
        (keras.losses.MeanAbsoluteError(), 1.0 + 2.0, 2.0),
        (FourthPower(), 1.0 + 41.0, 16.0),
    ],
)
def test_values_by_hand(loss, discriminator, generator):
    loss = losses.get(loss)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(discriminator)
    assert float(loss.generator(REAL, FAKE)) == pytest.approx(generator)


@pytest.mark.parametrize(
    "name", ["binary_crossentropy", "bce", "BCE", "BinaryCrossentropy"]
)
def test_cross_entropy_by_name_takes_raw_logits(name):
    loss, expected = losses.get(name), losses.NonSaturating()
    for network in ("discriminator", "generator"):
        value = getattr(loss, network)(REAL, FAKE)
        reference = getattr(expected, network)(REAL, FAKE)
        assert float(value) == pytest.approx(float(reference), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", keras.losses.MeanSquaredError),
        ("MSE", keras.losses.MeanSquaredError),
        ("mean_squared_error", keras.losses.MeanSquaredError),
        ("MeanAbsoluteError", keras.losses.MeanAbsoluteError),
        ("squared_hinge", keras.losses.SquaredHinge),
        ("binary_focal_crossentropy", keras.losses.BinaryFocalCrossentropy),
        ("log_cosh", keras.losses.LogCosh),
    ],
)
def test_names_are_those_of_keras(name, cls):
    assert type(losses.get(name).loss) is cls


def test_ganlabs_own_names_come_first():
    assert type(losses.get("hinge")) is losses.Hinge


@pytest.mark.parametrize("loss", OF_LOGITS[:-1], ids=name_of)
def test_equal_logits_at_0_margin_are_pulled_apart_equally(loss):
    loss = losses.get(loss)
    level = 0.0 - float(loss.margins(ZEROS, ZEROS)[0][0, 0])
    sides = tf.Variable(np.full((2, 4, 1), level, np.float32))
    assert float(tf.reduce_max(tf.abs(loss.margins(sides[0], sides[1])))) == 0.0
    with tf.GradientTape() as tape:
        value = loss.discriminator(sides[0], sides[1])
    gradient = tape.gradient(value, sides).numpy()
    np.testing.assert_allclose(gradient[0], -gradient[1], atol=1e-7)
    assert (gradient[0] < 0).all()


def test_squared_error_is_undecided_at_half():
    real, fake = losses.get("mse").margins(REAL, FAKE)
    np.testing.assert_array_equal(real, REAL - 0.5)
    np.testing.assert_array_equal(fake, FAKE - 0.5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("loss", [*OF_LOGITS[:2], wasserstein], ids=name_of)
def test_any_precision_is_finite_and_wide(loss, dtype):
    loss = losses.get(loss)
    extreme = tf.cast([[-3e4], [3e4], [0.0]], dtype)
    values = [
        loss.discriminator(extreme, extreme),
        loss.generator(extreme, extreme),
        *loss.margins(extreme, extreme),
    ]
    for value in values:
        assert value.dtype == ("float64" if dtype == "float64" else "float32")
        assert np.isfinite(value).all()


def test_a_mean_is_one_on_each_of_two_devices(strategy):
    loss = losses.get("mse")
    value = strategy.run(lambda: loss.generator(tf.constant(REAL), tf.constant(FAKE)))
    assert [float(part) for part in strategy.experimental_local_results(value)] == [
        4,
        4,
    ]


@pytest.mark.parametrize("loss", OF_LOGITS, ids=name_of)
def test_a_loss_is_saved_with_its_arguments(loss):
    data = keras.saving.serialize_keras_object(losses.get(loss))
    again = keras.saving.deserialize_keras_object(data, safe_mode=True)
    assert type(again.loss) is type(loss)
    expected = float(losses.get(loss).discriminator(REAL, FAKE))
    assert float(again.discriminator(REAL, FAKE)) == pytest.approx(expected)


def test_a_function_gives_both_losses():
    loss = losses.get(wasserstein)
    assert float(loss.discriminator(REAL, FAKE)) == 0.0
    assert float(loss.generator(REAL, FAKE)) == -1.0
    half = losses.get(lambda real, fake: [ops.mean(real), 1.0])
    assert float(half.discriminator(REAL, FAKE)) == 1.0
    assert float(half.generator(REAL, FAKE)) == 1.0


def test_a_function_is_saved_if_it_is_registered():
    data = keras.saving.serialize_keras_object(losses.get(wasserstein))
    again = keras.saving.deserialize_keras_object(data, safe_mode=True)
    assert again.function is wasserstein
    with pytest.raises(UserError, match="unregistered; decorate it"):
        losses.get(unregistered).get_config()


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.CategoricalCrossentropy(from_logits=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        keras.losses.CategoricalFocalCrossentropy(),
        keras.losses.CategoricalHinge(),
        keras.losses.CosineSimilarity(),
        keras.losses.CTC(),
        keras.losses.Circle(),
        keras.losses.Dice(),
        keras.losses.Huber(),  # its config has no delta
        keras.losses.KLDivergence(),
        keras.losses.MeanAbsolutePercentageError(),
        keras.losses.MeanSquaredLogarithmicError(),
        keras.losses.Poisson(),
        keras.losses.Tversky(),
    ],
    ids=name_of,
)
def test_a_loss_of_something_else_lists_what_works(loss):
    with pytest.raises(UserError, match="use one of BinaryCrossentropy, .*, Hinge$"):
        losses.get(loss)


def one_argument(logits):
    return logits


def three_arguments(real_logits, fake_logits, labels):
    return labels


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("categorical_crossentropy", "Unknown loss.*hinge.*binary_crossentropy.*cate"),
        ("", "Received: ''"),
        (
            keras.losses.BinaryCrossentropy(),
            r"pass BinaryCrossentropy\(from_logits=True",
        ),
        (keras.losses.BinaryFocalCrossentropy(), "from_logits=True"),
        (keras.losses.BinaryCrossentropy, r"instance, Binary.*\(from_logits=True\)"),
        (keras.losses.Hinge, r"pass an instance, Hinge\(\)"),
        (losses.LeastSquares, r"pass an instance, LeastSquares\(\)"),
        (FourthPower, r"pass an instance, FourthPower\(\)"),
        (keras.losses.Loss(), "call of its own|call\\(y_true, y_pred\\) of its own"),
        (keras.losses.MeanSquaredError(reduction=None), "reduced to a number"),
        (keras.losses.MeanSquaredError(reduction="none"), "reduced to a number"),
        (
            keras.losses.mean_squared_error,
            r"of \(y_true, y_pred\); pass a keras.losses",
        ),
        (of_labels, r"of_labels .*of \(y_true, y_pred\); pass a keras.losses"),
        (
            functools.partial(keras.losses.binary_crossentropy, from_logits=True),
            r"of \(y_true, y_pred\)",
        ),
        (one_argument, r"a function of \(logits\); take both"),
        (three_arguments, r"a function of \(real_logits, fake_logits, labels\)"),
        (max, "without a signature"),
        (keras.layers.Dense(1), "Received: <Dense"),
        (keras.metrics.BinaryAccuracy(), "BinaryAccuracy"),
        (3, r"Received: 3 \(int\)"),
        (None, "Received: None"),
        (["hinge", "bce"], r"Received: \['hinge', 'bce'\] \(list\)"),
        ({"class_name": "Hinge"}, "Received: {'class_name': 'Hinge'}"),
        (np.zeros((2, 2)), "ndarray"),
    ],
    ids=name_of,
)
def test_what_is_no_loss_is_refused_in_one_line(loss, message):
    with pytest.raises(UserError, match=message) as raised:
        losses.get(loss)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda real, fake: ops.mean(real), "Received: .*Tensor.*return a pair"),
        (lambda real, fake: (ops.mean(real),) * 3, r"\(tuple\); return a pair"),
        (lambda real, fake: {"d": 1.0, "g": 2.0}, r"\(dict\); return a pair"),
        (lambda real, fake: None, "Received: None; return a pair"),
        (lambda real, fake: (ops.mean(real), None), "None in the pair"),
        (lambda real, fake: (real, fake), r"shapes \(2, 1\) and \(2, 1\); reduce"),
    ],
)
def test_a_function_that_returns_no_pair_of_numbers_is_refused(function, message):
    with pytest.raises(UserError, match=message) as raised:
        losses.get(function).generator(REAL, FAKE)
    assert "\n" not in str(raised.value)


def test_names_and_objects_are_resolved_here():
    assert keras_losses.by_keras_name("categorical_crossentropy") is None
    assert isinstance(keras_losses.from_keras(wasserstein), FunctionLoss)
    assert isinstance(keras_losses.from_keras(OF_LOGITS[0]), KerasLoss)


@pytest.mark.e2e
@pytest.mark.parametrize("loss", ["bce", OF_LOGITS[1], wasserstein], ids=name_of)
def test_a_gan_trains_and_is_loaded_with_it(loss, make_gan, images, tmp_path):
    gan = make_gan(loss=loss)
    logs = gan.fit(images[0], batch_size=8, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    for one in (gan, loaded):
        one.fit(images[0], batch_size=8, epochs=1, shuffle=False, verbose=0)
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.e2e
def test_cross_entropy_trains_as_non_saturating_does(make_gan, images):
    weights = []
    for loss in ("binary_crossentropy", "non_saturating"):
        keras.utils.set_random_seed(0)
        gan = make_gan(loss=loss)
        gan.fit(images[0], batch_size=8, epochs=2, shuffle=False, verbose=0)
        weights.append([weight.numpy() for weight in gan.weights])
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.e2e
def test_refusals_in_training_and_saving_are_one_line(make_gan, images, tmp_path):
    gan = make_gan(loss=lambda real, fake: ops.mean(real - fake))
    with pytest.raises(UserError, match="return a pair") as raised:
        gan.fit(images[0], batch_size=8, verbose=0)
    assert "\n" not in str(raised.value)
    gan = make_gan(loss=unregistered)
    gan.fit(images[0], batch_size=8, verbose=0)
    with pytest.raises(UserError, match="register_keras_serializable") as raised:
        gan.save(tmp_path / "gan.keras")
    assert "\n" not in str(raised.value)
