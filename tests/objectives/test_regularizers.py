"""Are the penalties the papers' formulas, and are their gradients right?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives import regularizers
from ganlab.objectives.regularizers import (
    R1,
    R2,
    DiscriminatorOutput,
    GradientPenalty,
    LeCam,
    WeightClipping,
)

STREAM = tf.constant([1, 2], tf.int64)
SLOPED = {
    name: cls
    for name, cls in regularizers.REGULARIZERS.items()
    if cls.needs_input_gradients
}


def sides(count=3, width=4, dtype="float64"):
    """Real and fake vectors, with logits of 1, 2, ... and of -1, -2, ..."""
    draws = np.random.default_rng(0)
    images = [draws.normal(size=(count, width)) for _ in range(2)]
    logits = np.arange(1, count + 1)[:, None]
    return [
        DiscriminatorOutput(tf.constant(i, dtype), tf.constant(sign * logits, dtype))
        for i, sign in zip(images, (1.0, -1.0), strict=True)
    ]


def quadratic(weight):
    """A critic `½ w |x|²`, whose gradient is `w x`."""
    return lambda images: 0.5 * weight * tf.reduce_sum(images**2, axis=1)[:, None]


def test_r1_and_r2_of_a_quadratic_critic():
    real, fake = sides()
    for regularizer, side in ((R1(), real), (R2(), fake)):
        expected = 0.5 * np.mean(9.0 * np.sum(side.inputs.numpy() ** 2, axis=1))
        penalty = regularizer.penalty(quadratic(3.0), real, fake, STREAM)
        assert float(penalty) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["gradient_penalty", "dragan"])
def test_slope_one_of_a_linear_critic(name):
    real, fake = sides()
    weights = tf.constant([[3.0], [0.0], [4.0], [0.0]], tf.float64)  # slope 5
    penalty = regularizers.get(name)[0].penalty(
        lambda images: images @ weights, real, fake, STREAM
    )
    assert float(penalty) == pytest.approx(16.0, rel=1e-9)


@pytest.mark.parametrize(
    ("slope", "target", "one_sided", "expected"),
    [
        (5.0, 1.0, False, 16.0),
        (5.0, 2.0, False, 2.25),  # (5 / 2 - 1)²
        (5.0, 2.0, True, 2.25),
        (0.5, 2.0, False, 0.5625),  # (0.5 / 2 - 1)²
        (0.5, 2.0, True, 0.0),
        (0.0, 1.0, True, 0.0),
    ],
)
def test_target_and_side_of_the_gradient_penalty(slope, target, one_sided, expected):
    # TF-GAN's formula: (slope / target - 1)², or its positive part, one-sided.
    real, fake = sides()
    weights = tf.Variable([[slope], [0.0], [0.0], [0.0]], dtype=tf.float64)
    regularizer = GradientPenalty(target=target, one_sided=one_sided)
    with tf.GradientTape() as tape:
        penalty = regularizer.penalty(lambda x: x @ weights, real, fake, STREAM)
    assert float(penalty) == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(tape.gradient(penalty, weights)).all()


def patches(weight):
    """A critic of two patches, `w x_0` and `3 w x_1`, of slope `sqrt(10) w`."""
    scale = tf.constant([1.0, 3.0])

    def critic(images):
        return (
            images[:, :2, None, None]
            * tf.cast(weight * scale, images.dtype)[None, :, None, None]
        )

    return critic


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r1", 0.5 * 40.0),
        ("r2", 0.5 * 40.0),
        ("gradient_penalty", (40.0**0.5 - 1.0) ** 2),
        ("dragan", (40.0**0.5 - 1.0) ** 2),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_penalties_of_patches_in_any_precision(name, expected, dtype):
    real, fake = sides(dtype=dtype)
    penalty = regularizers.get(name)[0].penalty(patches(2.0), real, fake, STREAM)
    assert penalty.dtype == ("float64" if dtype == "float64" else "float32")
    assert float(penalty) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_lecam_in_any_precision(dtype):
    lecam = regularizers.get("lecam")[0]
    real, fake = sides(dtype=dtype)
    lecam.after_step(None, real, fake)
    penalty = lecam.penalty(None, real, fake, STREAM)
    assert penalty.dtype == ("float64" if dtype == "float64" else "float32")
    # logits 1, 2, 3 from -2, and -1, -2, -3 from 2
    assert float(penalty) == pytest.approx(2 * (9 + 16 + 25) / 3, rel=1e-6)


def test_sides_may_differ_in_precision():
    real, _ = sides(dtype="float32")
    for dtype in ("bfloat16", "float64"):
        _, fake = sides(dtype=dtype)
        penalty = GradientPenalty().penalty(patches(2.0), real, fake, STREAM)
        assert float(penalty) == pytest.approx((40.0**0.5 - 1.0) ** 2, rel=1e-5)


def test_gradient_penalty_lies_between_real_and_fake():
    seen = []
    real = DiscriminatorOutput(tf.zeros((500, 2, 2, 1)), None)
    fake = DiscriminatorOutput(tf.ones((500, 2, 2, 1)), None)

    def critic(images):
        seen.append(images.numpy())
        return tf.reduce_sum(images, axis=(1, 2, 3))[:, None]

    regularizers.get("gradient_penalty")[0].penalty(critic, real, fake, STREAM)
    mixed = seen[0].reshape(500, -1)
    assert (mixed == mixed[:, :1]).all()  # one share an image
    assert 0.0 <= mixed.min() < 0.05
    assert 0.95 < mixed.max() <= 1.0
    assert mixed.mean() == pytest.approx(0.5, abs=0.05)


def test_dragan_stays_half_a_deviation_around_real():
    seen = []
    real, fake = sides(400, 5)

    def critic(images):
        seen.append(images.numpy())
        return tf.reduce_sum(images, axis=1)[:, None]

    regularizers.get("dragan")[0].penalty(critic, real, fake, STREAM)
    moved = seen[0] - real.inputs.numpy()
    deviation = real.inputs.numpy().std()
    assert moved.min() >= 0.0
    assert moved.max() <= 0.5 * deviation
    assert moved.mean() == pytest.approx(0.25 * deviation, rel=0.05)


def test_a_flat_critic_has_a_finite_gradient():
    real, fake = sides(dtype="float32")
    for name in SLOPED:
        weights = tf.Variable(tf.zeros((4, 1)))
        with tf.GradientTape() as tape:
            penalty = regularizers.get(name)[0].penalty(
                lambda images, w=weights: images @ w, real, fake, STREAM
            )
        assert np.isfinite(tape.gradient(penalty, weights)).all()


def test_lecam_by_hand():
    lecam = regularizers.get("lecam")[0]
    real, fake = sides(dtype="float32")  # means 2 and -2
    lecam.after_step(None, real, fake)
    assert float(lecam.real_mean) == 2.0
    assert float(lecam.fake_mean) == -2.0
    lecam.real_mean.assign(1.0)
    lecam.fake_mean.assign(0.5)
    expected = np.mean([0.5**2, 1.5**2, 2.5**2]) + np.mean([2.0**2, 3.0**2, 4.0**2])
    assert float(lecam.penalty(None, real, fake, STREAM)) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3, 3, 1)])
def test_lecams_means_are_corrected_for_their_start(shape):
    lecam = regularizers.get("lecam")[0]
    for _ in range(10):
        two = DiscriminatorOutput(None, tf.fill(shape, 2.0))
        lecam.after_step(None, two, DiscriminatorOutput(None, tf.fill(shape, -1.0)))
    assert float(lecam.real_mean) == pytest.approx(2.0, rel=1e-6)
    assert float(lecam.fake_mean) == pytest.approx(-1.0, rel=1e-6)


def test_lecams_means_weigh_the_past_by_decay():
    lecam = LeCam(decay=0.5)
    for logit in (1.0, 3.0, 5.0):
        side = DiscriminatorOutput(None, tf.constant([[logit]]))
        lecam.after_step(None, side, side)
    expected = (0.25 * 1.0 + 0.5 * 3.0 + 1.0 * 5.0) / (0.25 + 0.5 + 1.0)
    assert float(lecam.real_mean) == pytest.approx(expected, rel=1e-6)


def test_lecam_takes_the_mean_over_patches():
    lecam = regularizers.get("lecam")[0]
    lecam.real_mean.assign(1.0)
    real = DiscriminatorOutput(None, tf.constant([[[[1.0], [2.0]]], [[[0.0], [4.0]]]]))
    fake = DiscriminatorOutput(None, tf.ones((2, 1, 2, 1)) * 3.0)
    expected = (1.0 + 4.0 + 0.0 + 16.0) / 4 + 4.0
    assert float(lecam.penalty(None, real, fake, STREAM)) == expected


@pytest.mark.e2e
def test_clipping_clips_every_weight(make_gan, images):
    gan = make_gan(regularizers=WeightClipping(0.005))
    gan.train_on_batch(images[0])
    weights = [w.numpy() for w in gan.discriminator.trainable_variables]
    assert max(np.abs(weight).max() for weight in weights) <= 0.005
    assert any(np.abs(weight).max() == np.float32(0.005) for weight in weights)
    assert "d_penalty" not in gan.trackers


class Smooth:
    """A two-layer critic with smooth units, whose weights are one vector."""

    sizes = ((4, 5), (5, 1))

    def __init__(self):
        count = sum(a * b for a, b in self.sizes)
        self.start = np.random.default_rng(1).normal(size=count)

    def __call__(self, vector):
        first, second = tf.split(vector, [20, 5])
        first, second = tf.reshape(first, (4, 5)), tf.reshape(second, (5, 1))
        return lambda images: tf.sin(images @ first) @ second


@pytest.mark.parametrize("name", SLOPED)
def test_gradient_equals_finite_differences_in_float64(name):
    real, fake = sides()
    smooth, regularizer = Smooth(), regularizers.get(name)[0]

    def value(vector):
        vector = tf.convert_to_tensor(vector)
        return regularizer.penalty(smooth(vector), real, fake, STREAM)

    vector = tf.Variable(smooth.start)
    with tf.GradientTape() as tape:
        penalty = value(vector)
    gradient = tape.gradient(penalty, vector).numpy()
    step = 1e-5
    for index in range(len(smooth.start)):
        shift = np.zeros_like(smooth.start)
        shift[index] = step
        slope = float(value(smooth.start + shift) - value(smooth.start - shift))
        expected = slope / (2 * step)
        assert gradient[index] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_lecam_gradient_equals_finite_differences():
    lecam = regularizers.get("lecam")[0]
    lecam.real_mean.assign(0.5)
    lecam.fake_mean.assign(-0.25)

    def value(vector):
        logits = tf.cast(tf.reshape(vector, (2, 3, 1)), "float32")
        return lecam.penalty(
            None,
            DiscriminatorOutput(None, logits[0]),
            DiscriminatorOutput(None, logits[1]),
            STREAM,
        )

    start = np.linspace(-1.0, 1.5, 6)
    vector = tf.Variable(start)
    with tf.GradientTape() as tape:
        penalty = value(vector)
    gradient = tape.gradient(penalty, vector).numpy()
    for index, shift in enumerate(np.eye(6) * 0.25):  # exact for a quadratic
        slope = float(value(start + shift) - value(start - shift)) / 0.5
        assert gradient[index] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (None, 0),
        ("none", 0),
        ((), 0),
        (["none"], 0),
        ("r1", 1),
        ("r1+r2", 2),
        (" r1 + weight-clipping ", 2),
        (["r1"], 1),
        ((R1(), "r2"), 2),
    ],
)
def test_names_and_objects(given, count):
    assert len(regularizers.get(given)) == count
    regularizer = R1(3.0)
    assert regularizers.get(regularizer) == [regularizer]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.get("r3"), "none, gradient_penalty, r1, r2"),
        (lambda: regularizers.get("l2"), "'l2' .*kernel_regularizer"),
        (lambda: regularizers.get("r1+L2"), "'L2' .*kernel_regularizer"),
        (
            lambda: regularizers.get(keras.regularizers.L2(0.1)),
            "L2.*kernel_regularizer",
        ),
        (
            lambda: regularizers.get([R1(), keras.regularizers.L1L2()]),
            "L1L2.*kernel_regularizer",
        ),
        (
            lambda: regularizers.get(keras.regularizers.OrthogonalRegularizer),
            "Orthogonal.*kernel_regularizer",
        ),
        (lambda: regularizers.get(R1), "the class R1; pass an instance, R1()"),
        (lambda: regularizers.get([R1, R2]), "the class R1; pass an instance"),
        (lambda: regularizers.get(10.0), r"list of either. Received: 10.0 \(float\)"),
        (lambda: regularizers.get({"r1": 0.1}), "Received: {'r1': 0.1}"),
        (lambda: regularizers.get([None]), "Received: None"),
        (lambda: regularizers.get(lambda weights: 0.0), "Received: <function"),
        (lambda: regularizers.get(""), "Received: ''"),
        (lambda: R1(-1.0), "weight of 0 or more"),
        (lambda: R1("0.1"), r"weight of 0 or more.*'0.1' \(str\)"),
        (lambda: R1(float("inf")), "weight of 0 or more"),
        (lambda: R1(None), "weight of 0 or more.*None"),
        (
            lambda: R1(keras.optimizers.schedules.CosineDecay),
            "function of the step.*the class CosineDecay",
        ),
        (lambda: R1(every=0), "integer of 1 or more"),
        (lambda: R1(every=1.5), "integer of 1 or more"),
        (lambda: R1(every="4"), "integer of 1 or more"),
        (lambda: GradientPenalty(target=0.0), "target above 0"),
        (lambda: GradientPenalty(target="1"), "target above 0"),
        (lambda: WeightClipping(0.0), "limit above 0"),
        (lambda: WeightClipping("0.01"), "limit above 0"),
        (lambda: LeCam(decay="0.9"), "under 1"),
        (lambda: regularizers.get("weight_clipping", weight=1.0), "leave both out"),
        (lambda: regularizers.LeCam(decay=1.0), "under 1"),
    ],
)
def test_a_wrong_argument_says_what_to_mend(make, message):
    with pytest.raises(UserError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
