"""Does a model with an averaged generator use the average?"""

import keras
import numpy as np

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
