"""One objective: names resolved, parts checked, logs and state as promised."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import UserError
from ganlab.objectives import losses
from ganlab.objectives.augmentation import DiffAugment
from ganlab.objectives.losses import Hinge
from ganlab.objectives.objective import Objective
from ganlab.objectives.regularizers import R1, DiscriminatorOutput, LeCam


def test_names_become_objects_once():
    objective = Objective("hinge", "r1+lecam", "diffaugment")
    assert isinstance(objective.loss, Hinge)
    assert [type(part) for part in objective.regularizers] == [R1, LeCam]
    assert isinstance(objective.augmentation, DiffAugment)
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.loss = "wasserstein"


def test_penalties_have_a_weight_and_gradient_penalties_a_gradient():
    objective = Objective(regularizers=[R1(0.0), LeCam(), R1(2.0), "weight_clipping"])
    weights = [penalty.weight for penalty in objective.penalties]
    assert weights == [LeCam().weight, 2.0]
    assert [penalty.weight for penalty in objective.gradient_penalties] == [2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "nope"}, "Unknown loss"),
        ({"regularizers": "nope"}, "Unknown regularizer"),
        ({"augmentation": "nope"}, "Unknown augmentation"),
        ({"instance_noise": -0.1}, "instance noise of 0 or more"),
        ({"instance_noise": "0.1"}, "instance noise of 0 or more"),
        ({"instance_noise": None}, "instance noise of 0 or more"),
        ({"class_weight": -1.0}, "one number of 0 or more"),
        ({"class_weight": {0: 2.0}}, "not single classes"),
        ({"loss": None}, "Received: None"),
        ({"regularizers": keras.regularizers.L2()}, "kernel_regularizer"),
    ],
)
def test_a_wrong_part_is_one_clear_error(arguments, message):
    with pytest.raises(UserError, match=message):
        Objective(**arguments)


def test_augmentation_is_for_images():
    Objective(augmentation="ada").check_fits((16, 16, 1), auxiliary=False)
    with pytest.raises(UserError, match="augmentation of images alone"):
        Objective(augmentation="ada").check_fits((2,), auxiliary=False)


def test_class_terms_by_hand():
    objective = Objective(class_weight=0.5)
    class_logits = tf.constant([[0.0, 0.0], [0.0, np.log(3.0)]], tf.float32)
    outputs = [[tf.zeros((2, 1)), class_logits], [tf.zeros((2, 1)), -class_logits]]
    logs = objective.evaluate(outputs, tf.constant([0, 1]))
    assert float(logs["d_loss"]) == pytest.approx(2 * np.log(2))
    real = (np.log(2) + np.log(4 / 3)) / 2
    fake = (np.log(2) + np.log(4)) / 2
    assert float(logs["d_class_loss"]) == pytest.approx(real + fake)
    assert float(logs["g_class_loss"]) == pytest.approx(fake)
    totals = [float(objective.total(key, logs)) for key in ("d", "g")]
    assert totals[0] == pytest.approx(2 * np.log(2) + 0.5 * (real + fake))
    assert totals[1] == pytest.approx(np.log(2) + 0.5 * fake)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 2, 1, 1), (2, 1, 1, 3)])
def test_logits_of_any_shape_are_told_apart_by_hand(shape):
    real = np.full(shape, 2.0, np.float32)
    fake = np.full(shape, -1.0, np.float32)
    fake.flat[0] = 1.0  # half a sample of two, or a smaller part
    logs = Objective("hinge").evaluate([tf.constant(real), tf.constant(fake)], None)
    part = 1.0 / fake.size
    assert float(logs["d_loss"]) == pytest.approx(2.0 * part)
    assert float(logs["g_loss"]) == pytest.approx(1.0 - 2.0 * part)
    assert float(logs["d_accuracy_real"]) == 1.0
    assert float(logs["d_accuracy_fake"]) == pytest.approx(1.0 - part)
    assert float(logs["d_real"]) == pytest.approx(1 / (1 + np.exp(-2.0)))


@pytest.mark.parametrize("loss", [*losses.LOSSES, "binary_crossentropy", "mse"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("wrapped", [list, tuple])
def test_totals_are_wide_in_any_precision(loss, dtype, wrapped):
    draws = np.random.default_rng(0)
    outputs = [
        wrapped(
            tf.constant(draws.normal(size=size), dtype)
            for size in ((4, 2, 2, 1), (4, 3))
        )
        for _ in range(2)
    ]
    objective = Objective(loss, "lecam", class_weight=0.5)
    logs = objective.evaluate(outputs, tf.constant([0, 1, 2, 1]))
    sides = [DiscriminatorOutput(None, side[0]) for side in outputs]
    objective.after_step(keras.Model(), *sides)
    penalty = objective.regularizers[0].penalty(None, *sides, None)
    total = objective.total("d", logs) + penalty
    assert total.dtype == ("float64" if dtype == "float64" else "float32")
    assert objective.total("g", logs).dtype == total.dtype
    assert all(np.isfinite(float(value)) for value in logs.values())


def test_one_logit_in_a_list_is_a_logit():
    logs = Objective().evaluate([[tf.zeros((2, 1))], [tf.zeros((2, 1))]], None)
    assert float(logs["d_loss"]) == pytest.approx(2 * np.log(2))
    assert "d_class_loss" not in logs


def test_noise_that_no_file_can_hold_is_refused_when_saved():
    with pytest.raises(UserError, match="registered with Keras"):
        Objective(instance_noise=lambda step: 0.1).get_config()


@pytest.mark.e2e
def test_log_keys_are_what_training_logs(make_gan, images):
    gan = make_gan(regularizers="lecam", augmentation="ada")
    logs = gan.train_on_batch(images[0], return_dict=True)
    assert set(gan.objective.log_keys(auxiliary=False)) == set(logs)


def test_state_is_updated_after_a_step():
    objective = Objective(regularizers=LeCam(decay=0.0), augmentation="ada")
    output = DiscriminatorOutput(None, tf.constant([[2.0], [4.0]]))
    logs = objective.after_step(keras.Model(), output, output)
    assert float(objective.regularizers[0].real_mean) == 3.0
    assert float(logs["augment_probability"]) == 0.0
    assert float(objective.augmentation.observed) == 1.0


def test_noise_fades_to_nothing():
    images = tf.zeros((64, 16, 16, 1))
    seeds = {
        "augmentation_seed": lambda: None,
        "noise_seed": lambda: tf.constant([1, 2], tf.int64),
    }
    fading = Objective(instance_noise=lambda step: 0.5 if step == 0 else 0.0)
    noisy = fading.perturb(images, 0, **seeds)
    assert float(tf.math.reduce_std(noisy)) == pytest.approx(0.5, rel=0.02)
    np.testing.assert_array_equal(fading.perturb(images, 1, **seeds), images)
    assert Objective().perturb(images, 0, **seeds) is images


def test_noise_and_augmentation_are_as_strong_in_any_range():
    images = tf.random.stateless_uniform((8, 16, 16, 1), [0, 0])  # in [0, 1]
    seeds = {
        name: lambda: tf.constant([1, 2], tf.int64)
        for name in ("augmentation_seed", "noise_seed")
    }
    objective = Objective(augmentation="diffaugment", instance_noise=0.5)
    expected = objective.perturb(2.0 * images - 1.0, 0, **seeds)
    out = objective.perturb(images, 0, image_range=(0.0, 1.0), **seeds)
    np.testing.assert_allclose(2.0 * out - 1.0, expected, atol=1e-5)
