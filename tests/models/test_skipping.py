"""A step that is not finite leaves everything as it was but the step's number."""

import keras
import numpy as np
import pytest

from ganlab import UserError
from ganlab.models import skipping


def values(gan):
    return [variable.numpy() for variable in skipping.state_of(gan)]


def bad(data):
    """A batch whose second half has one number that is not finite."""
    data = data.copy()
    data[-1, 0] = np.nan
    return data


@pytest.mark.e2e
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_step_that_is_not_finite_is_left_out(policy, build, data):
    keras.config.set_dtype_policy(policy)
    layers = keras.layers
    gan = build(
        [layers.BatchNormalization(), layers.GaussianNoise(0.1)],
        [layers.Dropout(0.2)],
        optimizer="adam",
        regularizers="lecam",
        discriminator_steps=2,
        skip_non_finite=True,
    )
    assert gan.get_compile_config()["skip_non_finite"]
    gan.train_on_batch(data)
    before = values(gan)
    gan.make_train_function()  # whose first batch is looked at
    gan.train_on_batch(data)
    after = values(gan)
    assert any((one != two).any() for one, two in zip(before, after, strict=True))
    logs = gan.train_function(iter([(bad(data),)]))
    for one, two in zip(after, values(gan), strict=True):
        np.testing.assert_array_equal(one, two)
    assert gan.step == 3
    assert float(logs["skipped_share"]) == 0.5  # of two in this epoch
    assert all(np.isfinite(float(value)) for value in logs.values())
    gan.train_on_batch(data)
    assert all(np.isfinite(value).all() for value in values(gan))


@pytest.mark.e2e
def test_finite_steps_are_those_without_it(build, data):
    gans = [build(optimizer="adam", skip_non_finite=skips) for skips in (False, True)]
    logs = [gan.train_on_batch(data, return_dict=True) for gan in gans]
    assert logs[1].pop("skipped_share") == 0.0
    assert logs[0] == logs[1]
    for one, two in zip(*map(values, gans), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.e2e
def test_several_devices_are_refused(strategy, build):
    with strategy.scope(), pytest.raises(UserError, match="on one device"):
        build(skip_non_finite=True)
