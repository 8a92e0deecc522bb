"""A resumed run's first epoch is as long as what was left of it."""

import keras
import numpy as np

from ganlab.training.epochs import FirstEpoch


class Ends(keras.callbacks.Callback):
    """Notes after which batch each epoch ends, and stops at a step."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.batches, self.ends, self.stop_after = 0, [], stop_after

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        if self.batches == self.stop_after:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append((epoch, self.batches))


def ends(left, stop_after=None):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    noted = Ends(stop_after)
    model.fit(
        np.zeros((15, 1)),
        np.zeros((15, 1)),
        batch_size=5,
        initial_epoch=2,
        epochs=5,
        shuffle=False,
        verbose=0,
        callbacks=[noted, FirstEpoch(left)],
    )
    return noted.ends


def test_only_the_first_epoch_is_shorter():
    assert ends(1) == [(2, 1), (3, 4), (4, 7)]
    assert ends(3) == [(2, 3), (3, 6), (4, 9)]


def test_a_stop_at_the_end_of_the_epoch_stays():
    assert ends(1, stop_after=1) == [(2, 1)]
    assert ends(1, stop_after=4) == [(2, 1), (3, 4)]
