"""Does adversarial training ask its subclasses for what they alone know?"""

import keras
import numpy as np
import pytest

from ganlab import GAN, Translator
from ganlab.models.adversarial import AdversarialModel


def test_gans_and_translators_train_by_the_same_step():
    assert {GAN.train_step, Translator.train_step} == {AdversarialModel.train_step}


def test_a_subclass_that_says_nothing_cannot_train():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model = AdversarialModel(network, 0.5, 0, None, "model")
    model.discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for asked in (
        lambda: model.read_batches(np.zeros((1, 2))),
        lambda: model.generate_fakes(None),
        lambda: model.show(None, None),
        lambda: model.evaluate_batch(None),
        lambda: model.check_batch(None, 1),
    ):
        with pytest.raises(NotImplementedError):
            asked()
