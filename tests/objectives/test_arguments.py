"""Numbers, schedules and functions: what is taken, and what is refused."""

import functools

import keras
import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.objectives import arguments


@keras.saving.register_keras_serializable(package="test_arguments")
def registered(step):
    return 0.5


def unregistered(step):
    return 0.5


@pytest.mark.parametrize("value", [0, 1.5, np.float32(2.0), np.int64(3)])
def test_finite_reals_are_numbers(value):
    assert arguments.is_number(value)


@pytest.mark.parametrize(
    "value", [None, True, "1", float("nan"), float("inf"), 1j, [1.0]]
)
def test_nothing_else_is_a_number(value):
    assert not arguments.is_number(value)


@pytest.mark.parametrize(
    "value", [0.0, 2, unregistered, keras.optimizers.schedules.CosineDecay(1.0, 10)]
)
def test_numbers_and_functions_of_the_step_are_schedules(value):
    arguments.check_schedule("noise", value)


@pytest.mark.parametrize(
    "value", [-1.0, "0.1", None, keras.optimizers.schedules.CosineDecay]
)
def test_what_is_no_schedule_is_refused(value):
    with pytest.raises(UserError, match="Expected noise of 0 or more, or a function"):
        arguments.check_schedule("noise", value)


def test_registered_functions_and_keras_objects_are_serialised():
    for function in (registered, keras.optimizers.schedules.CosineDecay(0.5, 10)):
        config = arguments.serialize(function)
        again = keras.saving.deserialize_keras_object(config, safe_mode=True)
        assert float(again(0)) == 0.5


@pytest.mark.parametrize(
    "function", [unregistered, lambda step: 0.5, functools.partial(unregistered)]
)
def test_what_a_file_cannot_name_is_refused(function):
    with pytest.raises(UserError, match="register_keras_serializable"):
        arguments.serialize(function)
