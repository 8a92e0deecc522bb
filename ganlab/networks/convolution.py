"""Drop-in Keras layers with faster CPU kernels.

Each class but the last has the name, arguments and weights of Keras's and, to
rounding, its results. `in_float32` turns it into Keras's, so that exported files need
no ganlab. Measurements are in `docs/decisions/0013`.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

# On a CPU, up to this many pixels a side: in bfloat16, kernels' gradients are faster as
# matrix products.
FEW_PIXELS = 8
# On a CPU: up to this many output channels, a transposed convolution is faster as a
# plain one with four times as many.
FEW_CHANNELS = 4


@keras.saving.register_keras_serializable(package="ganlab")
class Conv2D(layers.Conv2D):
    """`keras.layers.Conv2D`, faster where the kernel is 4 by 4 and the stride 2."""

    stock = layers.Conv2D

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if _halves(self) and _even(inputs):
            return _halve(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable(package="ganlab")
class Conv2DTranspose(layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster for a kernel of 4 by 4 and stride 2."""

    stock = layers.Conv2DTranspose

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        known = None not in inputs.shape[1:3]
        if not (known and _halves(self)) or self.output_padding is not None:
            return super().call(inputs)
        outputs = _double(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


@keras.saving.register_keras_serializable(package="ganlab")
class BatchNormalization(layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, with batch statistics in one fused pass.

    Half-precision feature maps are read as they are; statistics are float32.
    """

    stock = layers.BatchNormalization

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        fused = training and self.trainable and mask is None and not self.renorm
        fused = fused and not self.synchronized and len(inputs.shape) == 4
        fused = fused and self.axis in (3, -1) and inputs.dtype != "float64"
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones(channels),
            offset=self.beta if self.center else tf.zeros(channels),
            mean=tf.zeros(0),
            variance=tf.zeros(0),
            epsilon=self.epsilon,
        )
        count = tf.cast(tf.size(inputs) // channels, "float32")
        variance *= (count - 1.0) / count  # the fused pass gives the unbiased one
        for moving, current in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * self.momentum + current * (1.0 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable(package="ganlab")
class NearestConv2D(layers.Conv2D):
    """`keras.layers.UpSampling2D` by 2 and then `keras.layers.Conv2D`, as one layer.

    A kernel `w` of `k` by `k` pixels sees every pixel of an enlarged map four times.
    Both layers together are a transposed convolution of stride 2 whose kernel is `w`
    summed over windows of 2 by 2 weights,

        v[i, j] = w[i, j] + w[i - 1, j] + w[i, j - 1] + w[i - 1, j - 1],

    of `(k + 1)^2` products for four pixels in the place of `4 k^2`. It is computed so
    in training on a CPU, except with even kernels on maps of few pixels. Elsewhere the
    two layers are; exported files hold layers of Keras's in its place.

    Args:
        filters: Integer: channels of the result.
        kernel_size: Integer: side of the kernel.

    Other options, and the weights, are those of `keras.layers.Conv2D`.

    Reference:
        [Aitken et al., 2017](https://arxiv.org/abs/1707.02937), on convolutions of
        enlarged maps as sub-pixel convolutions
    """

    def __init__(self, filters: int, kernel_size: int, **options: Any) -> None:
        super().__init__(filters, kernel_size, **options)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not (training and self._is_faster_in_one(inputs) and _on_cpu()):
            return super().call(ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2))
        outputs = _enlarge(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)

    def _is_faster_in_one(self, inputs: tf.Tensor) -> bool:
        sizes = inputs.shape[1:3]
        if None in sizes or (self.kernel_size[0] % 2 == 0 and min(sizes) < FEW_PIXELS):
            return False
        return self.keeps_size

    @property
    def keeps_size(self) -> bool:
        """Whether it has a square kernel and default options, and pads maps."""
        return bool(
            len({*self.kernel_size}) == 1
            and (*self.strides, *self.dilation_rate, self.groups) == (1, 1, 1, 1, 1)
            and self.padding == "same"
            and self.data_format == "channels_last"
        )

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        sizes = (None if size is None else 2 * size for size in input_shape[1:3])
        shape = input_shape[0], *sizes, input_shape[3]
        outputs: tuple[Any, ...] = super().compute_output_shape(shape)
        return outputs


def _halves(layer: layers.Layer) -> bool:
    """Whether a layer has a 4 by 4 kernel, stride 2 and default options."""
    return (
        (*layer.kernel_size, *layer.strides, *layer.dilation_rate) == (4, 4, 2, 2, 1, 1)
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and getattr(layer, "groups", 1) == 1
    )


def _even(inputs: tf.Tensor) -> bool:
    return all(size is not None and size % 2 == 0 for size in inputs.shape[1:3])


@tf.custom_gradient
def _halve(images: tf.Tensor, kernel: tf.Tensor) -> Any:
    """A convolution of stride 2, from `(n, 2h, 2w, c)` to `(n, h, w, filters)`."""
    maps = tf.nn.conv2d(images, kernel, 2, "SAME")

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        upstream = tf.ensure_shape(upstream, maps.shape)
        return _double(upstream, kernel), _kernel_gradient(images, upstream)

    return maps, gradient


@tf.custom_gradient
def _double(maps: tf.Tensor, kernel: tf.Tensor) -> Any:
    """Its transpose, from `(n, h, w, filters)` to `(n, 2h, 2w, c)`."""
    narrow = kernel.shape[2] <= FEW_CHANNELS and _on_cpu()
    images = (_double_by_pixels if narrow else _double_directly)(maps, kernel)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        upstream = tf.ensure_shape(upstream, images.shape)
        return _halve(upstream, kernel), _kernel_gradient(upstream, maps)

    return images, gradient


def _double_directly(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    height, width = maps.shape[1:3]
    shape = tf.stack([tf.shape(maps)[0], 2 * height, 2 * width, kernel.shape[2]])
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=shape,
        filter=kernel,
        out_backprop=maps,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )


def _double_by_pixels(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Computes each input pixel's four output pixels as channels of a convolution.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)
    """
    channels, filters = kernel.shape[2:]
    kernel = tf.reshape(kernel, (2, 2, 2, 2, channels, filters))
    kernel = tf.reverse(tf.transpose(kernel, (0, 2, 5, 1, 3, 4)), (0, 1))
    kernel = tf.reshape(kernel, (2, 2, filters, 4 * channels))
    padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
    images = tf.nn.depth_to_space(tf.nn.conv2d(maps, kernel, 1, padding), 2)
    return images[:, 1:-1, 1:-1]


def window_sums(side: int) -> np.ndarray:
    """What sums a kernel over windows of 2 by 2 weights, and turns it about.

    Args:
        side: Integer: side of the kernel.

    Returns:
        Array `((side + 1)^2, side^2)`.
    """
    windows = (np.eye(side + 1, side) + np.eye(side + 1, side, -1))[::-1]
    return np.kron(windows, windows)


def _enlarge(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolves maps enlarged by repetition: `(n, h, w, c)` to `(n, 2h, 2w, filters)`.

    Args:
        maps: Float tensor.
        kernel: Tensor `(side, side, c, filters)`.
    """
    side, _, channels, filters = kernel.shape
    weights = tf.constant(window_sums(side), kernel.dtype)
    kernel = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (side**2, -1))
    shape = side + 1, side + 1, filters, channels
    kernel = tf.reshape(tf.matmul(weights, kernel), shape)
    if side == 3:
        return _double(maps, kernel)
    height, width = (2 * size for size in maps.shape[1:3])
    borders = [side // 2, side - 1 - side // 2]  # a kernel more lies before than after
    return tf.nn.conv2d_transpose(
        maps,
        kernel,
        tf.stack([tf.shape(maps)[0], height, width, filters]),
        strides=2,
        padding="SAME" if side % 2 else [[0, 0], borders, borders, [0, 0]],
    )


def _kernel_gradient(images: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """Gradient of `_halve` in its kernel, `(4, 4, c, filters)`."""
    channels, filters = images.shape[-1], upstream.shape[-1]
    few = max(upstream.shape[1:3]) <= FEW_PIXELS
    if few and images.dtype == tf.bfloat16 and _on_cpu():
        return _kernel_gradient_by_products(images, upstream)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=(4, 4, channels, filters),
        out_backprop=upstream,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )


def _kernel_gradient_by_products(images: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """Computes one matrix product for each quarter of the kernel."""
    height, width, filters = upstream.shape[1:]
    channels = images.shape[-1]
    images = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    patches = tf.nn.space_to_depth(images, 2)
    upstream = tf.reshape(upstream, (-1, filters))
    quarters = [
        tf.matmul(
            tf.reshape(
                patches[:, row : row + height, column : column + width],
                (-1, 4 * channels),
            ),
            upstream,
            transpose_a=True,
        )
        for row in (0, 1)
        for column in (0, 1)
    ]
    kernel = tf.reshape(tf.stack(quarters), (2, 2, 2, 2, channels, filters))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    return tf.reshape(kernel, (4, 4, channels, filters))


def _on_cpu() -> bool:
    return not tf.config.list_physical_devices("GPU")
