"""What injections leave as it was, and what they change."""

import numpy as np
import pytest

from ganlab.labs import injections
from ganlab.labs.healthy import draw_image

SEEDS = range(20)


def injected(injection):
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        case = draw_image(seed, random)
        yield case, injection(case, random)


def test_a_loss_of_labels_is_one_that_keras_trains():
    for _, case in injected(injections.of_labels):
        assert case.trainer == "keras"
        assert case.loss in ("cross_entropy", "hinge", "least_squares")


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_network_stands_still_in_every_way(role):
    cases = [case for _, case in injected(injections.still(role))]
    assert {case.still for case in cases} == {role}
    assert {case.still_by for case in cases} >= {"rate", "trainable"}


def test_the_discriminator_is_many_times_faster():
    for _, case in injected(injections.strong):
        assert case.rates[1] > 20 * case.rates[0]


def test_the_generator_is_many_times_faster():
    for _, case in injected(injections.racing):
        assert case.rates[0] == pytest.approx(100 * case.rates[1])


@pytest.mark.parametrize("injection", [injections.sigmoids, injections.dead])
def test_one_network_has_the_activation(injection):
    bad = {"sigmoid", "relu"}
    for case, changed in injected(injection):
        differ = [
            role
            for role in ("generator", "discriminator")
            if getattr(changed, f"{role}_normalization") == "none"
            and getattr(changed, f"{role}_activation") in bad
        ]
        assert differ
        assert changed.seed == case.seed


def test_kernels_are_no_multiple_of_the_stride():
    for _, case in injected(injections.checkerboard):
        assert case.kernel_size % 2


def test_data_and_output_do_not_fit():
    for _, case in injected(injections.unscaled):
        assert case.output == "tanh"
        assert case.value_range in ("bytes", "standard")


def test_fields_are_always_the_same():
    for case, changed in injected(injections.always(blind=True)):
        assert changed == case.replace(blind=True)
