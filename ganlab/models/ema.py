"""The averaged generator, which is sampled and exported.

Adversarial training circles its solution, and the average over recent steps sits
nearer the middle than the last step does.
"""

from typing import Any

import keras
from keras import ops


def averaged_copy(generator: keras.Model) -> keras.Model:
    """Returns a copy of `generator` with equal weights that is not trained."""
    copy = keras.models.clone_model(generator)
    copy.set_weights(generator.get_weights())
    copy.trainable = False
    return copy


def decay_at(step: Any, decay: float) -> Any:
    """The decay after `step` updates, which rises to `decay`.

        min(decay, (1 + step) / (10 + step))

    Early on the average follows the generator closely, so that it does not
    carry the initial weights for the first `1 / (1 - decay)` steps.

    Args:
        step: Integer tensor: updates made before this one.
        decay: Float in [0, 1).
    """
    step = ops.cast(step, "float32")
    return ops.minimum(decay, (1.0 + step) / (10.0 + step))


def averaged_value(average: Any, value: Any, decay: Any) -> Any:
    """One step of the average, `decay * average + (1 - decay) * value`.

    Batch normalisation's moving mean and variance take the same step as the
    weights, so that the averaged weights meet statistics of the same period.

    Reference:
        [Yazici et al., 2019](https://arxiv.org/abs/1806.04498)
    """
    return average + (1.0 - decay) * (value - average)
