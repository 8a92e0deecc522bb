"""The mean of a continuous Bernoulli as a decoder's last activation."""

from typing import Any

import keras
from keras import layers, ops

COEFFICIENTS = (-1 / 4725, 2 / 945, -1 / 45, 1 / 3)  # of x^7, x^5, x^3, x
SMALL = 0.5  # under which the function is a series, of an error under 1e-7


@keras.saving.register_keras_serializable(package="ganlab")
class Langevin(layers.Layer):
    """`coth x - 1 / x`, a sigmoid curve from -1 to 1 that is flatter than tanh.

    With the logit `l = 2 x` it is `2 m - 1`, where `m` is the mean of a continuous
    Bernoulli, as tanh is for a Bernoulli: images in [-1, 1] whose pixels in [0, 1] have
    that distribution.

        m = p / (2 p - 1) + 1 / (2 atanh(1 - 2 p)),  p = sigmoid(l)

    Reference:
        [Loaiza-Ganem & Cunningham, 2019](https://arxiv.org/abs/1907.06845), equation 8
    """

    def call(self, inputs: Any) -> Any:
        small = ops.abs(inputs) < SMALL
        near = ops.where(small, inputs, ops.zeros_like(inputs))
        square, factor = near * near, ops.zeros_like(near)
        for coefficient in COEFFICIENTS:
            factor = coefficient + square * factor
        far = ops.where(small, ops.ones_like(inputs), inputs)
        return ops.where(small, near * factor, 1.0 / ops.tanh(far) - 1.0 / far)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
