"""Does a model with an averaged generator use the average?"""

import keras
import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.models.averaged import AveragedModel


def test_calls_use_the_average():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model = AveragedModel(generator, 0.5, 0, None, "model")
    inputs = np.ones((1, 2), "float32")
    before = model(inputs).numpy()
    generator.layers[0].kernel.assign_add(np.ones((2, 3)))
    np.testing.assert_array_equal(model(inputs).numpy(), before)
    model.ema_generator.update(0.5)
    np.testing.assert_allclose(model(inputs).numpy(), before + 1.0, rtol=1e-6)


def test_an_untrained_average_is_the_generator_weights_loaded_since_included():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model = AveragedModel(generator, 0.5, 0, None, "model")
    inputs = np.ones((1, 2), "float32")
    for step in (0, 1):
        generator.layers[0].kernel.assign_add(np.ones((2, 3)))
        model.step.assign(step)
        drawn = model.predict(inputs, verbose=0)
        assert np.allclose(drawn, generator(inputs)) is (step == 0)


def test_what_the_average_cannot_follow_is_refused():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model = AveragedModel(generator, 0.5, 0, None, "model")
    model.built = True
    with pytest.raises(UserError, match="int8 file"):
        model.quantize("int8")
    generator.add(keras.layers.PReLU())
    with pytest.raises(UserError, match="3 weights in place of 2"):
        model.ema_generator.pairs()
    with pytest.raises(UserError, match="without slashes"):
        AveragedModel(generator, 0.5, 0, None, "a/b")
