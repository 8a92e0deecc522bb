"""Layers of GAN papers that Keras does not have.

Import `ganlab.networks` before loading a `.keras` file of a model with them.
"""

from typing import Any, TypeAlias

import keras
from keras import layers, ops

from ganlab.data.sizes import ImageSize, sides, size_of
from ganlab.errors import UserError
from ganlab.networks.precision import as_float32

Shape: TypeAlias = tuple[Any, ...]  # `None` where a size is unknown
Initializer: TypeAlias = keras.initializers.Initializer | str


@keras.saving.register_keras_serializable(package="ganlab")
class SpectralNormalization(layers.Wrapper):
    """Divides a layer's kernel by its largest singular value as it is used.

        W_bar = W / sigma(W),  sigma(W) = v . W u

    with `u` and `v` from one step of power iteration a training call. It is
    the paper's reparametrisation: `W` itself is trained, and the gradient
    passes through `sigma`; `keras.layers.SpectralNormalization` overwrites
    the kernel instead. `sigma` is taken in float32 whatever the policy (float64 in
    that). A kernel of zeros stays one, and trains as if it were not normalised.

    Args:
        layer: A layer with a `kernel`, such as `Dense` or `Conv2D`, whose last
            axis is the output, or an `Embedding`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), algorithm 1
    """

    def __init__(self, layer: layers.Layer, **options: Any) -> None:
        super().__init__(layer, **{"autocast": False, **options})

    @property
    def kernel(self) -> keras.Variable:
        """The layer's kernel; no attribute, which would be saved a second time."""
        embedding = isinstance(self.layer, layers.Embedding)
        return self.layer.embeddings if embedding else self.layer.kernel

    def build(self, input_shape: Shape | None = None) -> None:
        super().build(input_shape)
        name = "embeddings" if isinstance(self.layer, layers.Embedding) else "kernel"
        transposed = isinstance(self.layer, layers.Conv2DTranspose)
        if transposed or not hasattr(self.layer, name):
            raise UserError(
                "Expected a layer with a kernel whose last axis is the output. "
                f"Received: {type(self.layer).__name__}"
            )
        self.u = self.add_weight(
            shape=(self.kernel.shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            dtype="float32",
            aggregation="only_first_replica",
            name="u",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        kernel = as_float32(self.kernel)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        constant = ops.stop_gradient(matrix)
        left = _unit(ops.matmul(constant, self.u))
        right = ops.matmul(left, constant)
        sigma = ops.sum(left * ops.matmul(matrix, _unit(right)))
        if training:
            self.u.assign(ops.where(sigma > 0.0, _unit(right), self.u))
        kernel /= ops.where(sigma > 0.0, sigma, 1.0)
        return called_with(self.layer, self.kernel, kernel, inputs)

    def load_own_variables(self, store: Any) -> None:
        """Reads `u`, the last of them: files of older versions hold the kernel too."""
        self.u.assign(store[str(len(store.keys()) - 1)])

    def singular_value(self) -> float:
        """The current estimate of the kernel's largest singular value, a float."""
        kernel = ops.convert_to_numpy(self.kernel)
        u = ops.convert_to_numpy(self.u)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        return float(((matrix @ u) ** 2).sum() ** 0.5 / (u**2).sum() ** 0.5)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)


def called_with(
    layer: layers.Layer, variable: keras.Variable, value: Any, inputs: Any
) -> Any:
    """What a layer puts out with another value in the place of one of its variables."""
    values = [
        (other, ops.convert_to_tensor(other))
        for other in layer.variables
        if other is not variable
    ]
    value = ops.cast(value, variable.dtype)
    with keras.StatelessScope([(variable, value), *values]):
        return layer(inputs)


def _unit(vector: Any) -> Any:
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + 1e-12)


@keras.saving.register_keras_serializable(package="ganlab")
class MinibatchStdDev(layers.Layer):
    """Appends the standard deviation over a group of samples as one feature.

    The standard deviation of each feature over the samples of a group,
    averaged over all features, is appended to each sample of the group as one
    more channel. A collapsed generator's samples differ too little.

    The batch is cut into groups of `group_size`, or of the largest smaller
    number that divides it.

    Args:
        group_size: Integer. Defaults to `4`.

    Reference:
        [Karras et al., 2017](https://arxiv.org/abs/1710.10196), section 3
    """

    def __init__(self, group_size: int = 4, **options: Any) -> None:
        super().__init__(**options)
        self.group_size = group_size

    def call(self, inputs: Any) -> Any:
        features = inputs.shape[1:]
        count = ops.shape(inputs)[0]
        sizes = ops.arange(1, self.group_size + 1)
        size = ops.max(ops.where(count % sizes == 0, sizes, 1))
        x = ops.cast(inputs, "float32")
        x = ops.reshape(x, (size, count // size, *features))
        variance = ops.mean(ops.square(x - ops.mean(x, axis=0, keepdims=True)), axis=0)
        deviation = ops.sqrt(variance + 1e-8)
        axes = tuple(range(1, len(features) + 1))
        deviation = ops.mean(deviation, axis=axes, keepdims=True)
        deviation = ops.tile(deviation, (size, *[1] * len(features)))
        shape = (count, *features[:-1], 1)
        deviation = ops.broadcast_to(deviation, shape)
        return ops.concatenate([inputs, ops.cast(deviation, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group_size": self.group_size}


@keras.saving.register_keras_serializable(package="ganlab")
class ChosenClass(layers.Layer):
    """Selects each sample's values for its label: `values[i, ..., labels[i]]`.

    Its inputs are `[values, labels]` of shapes `(batch, ..., classes)` and `(batch,)`,
    and its output is `(batch, ..., 1)`.
    """

    def call(self, inputs: Any) -> Any:
        values, labels = inputs
        selection = ops.one_hot(labels, values.shape[-1], dtype=values.dtype)
        ones = [1] * (len(values.shape) - 2)
        selection = ops.reshape(selection, (-1, *ones, values.shape[-1]))
        return ops.sum(values * selection, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[0][:-1], 1)


@keras.saving.register_keras_serializable(package="ganlab")
class GroupedConv2D(layers.Layer):
    """A grouped convolution, computed as one convolution for each group.

    Equal to `keras.layers.Conv2D(groups=g, padding="same")`, whose gradients on
    a CPU took 50 times as long with 8 groups.

    Args:
        filters: Integer: channels in and out.
        kernel_size: Integer: side of the kernel.
        groups: Integer that divides `filters`.
        kernel_initializer: See `keras.layers.Conv2D`; a kernel has the shape
            `(side, side, filters // groups, filters)`.

    Reference:
        [Xie et al., 2016](https://arxiv.org/abs/1611.05431), figure 3
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        groups: int = 1,
        kernel_initializer: Initializer = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if filters % groups:
            raise UserError(
                f"Expected groups that divide {filters} filters. Received: {groups}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.groups = groups
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] != self.filters:
            raise UserError(
                f"Expected {self.filters} channels in, as many as out. "
                f"Received: {input_shape[-1]}"
            )
        side, width = self.kernel_size, self.filters // self.groups
        self.kernel = self.add_weight(
            shape=(side, side, width, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,), initializer="zeros", name="bias"
        )

    def call(self, inputs: Any) -> Any:
        inputs = ops.split(inputs, self.groups, axis=-1)
        kernels = ops.split(self.kernel, self.groups, axis=-1)
        outputs = [
            ops.conv(part, kernel, padding="same")
            for part, kernel in zip(inputs, kernels, strict=True)
        ]
        return ops.concatenate(outputs, axis=-1) + self.bias

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "groups": self.groups,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="ganlab")
class Basis(layers.Layer):
    """Multiplies each sample's vector into a learned constant feature map.

        y[i, j, c] = basis[i, j, c] x[c]

    Args:
        size: Integer: side of the feature map; or height and width, as a pair.

    Reference:
        [Huang et al., 2024 (R3GAN)](https://arxiv.org/abs/2501.05441), appendix
    """

    def __init__(self, size: ImageSize, **options: Any) -> None:
        super().__init__(**options)
        self.size = size_of(*sides(size))

    def build(self, input_shape: Shape) -> None:
        self.basis = self.add_weight(
            shape=(*sides(self.size), input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="basis",
        )

    def call(self, inputs: Any) -> Any:
        return inputs[:, None, None, :] * self.basis

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *sides(self.size), input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="ganlab")
class SelfAttention(layers.Layer):
    """Self-attention between all positions of a feature map.

        o = softmax(f(x) g(x)^T) h(x),  y = x + gamma v(o)

    with 1 by 1 convolutions `f`, `g` (an eighth of the channels), `h` (half)
    and `v`; `g` and `h` are max-pooled by 2, and `gamma` is learned from 0.
    The softmax is float32 whatever the policy.

    Args:
        spectral_norm: Boolean: normalise the convolutions spectrally.
            Defaults to `False`.

    Reference:
        [Zhang et al., 2018 (SAGAN)](https://arxiv.org/abs/1805.08318), section 3;
        [Brock et al., 2018](https://arxiv.org/abs/1809.11096), code
    """

    def __init__(self, spectral_norm: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.spectral_norm = spectral_norm

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        if channels < 8:
            raise UserError(
                f"Expected 8 channels or more for attention. Received: {channels}"
            )
        policy = self.dtype_policy
        self.projections = []
        for width, source in (
            (channels // 8, channels),
            (channels // 8, channels),
            (channels // 2, channels),
            (channels, channels // 2),
        ):
            layer = layers.Conv2D(width, 1, use_bias=False, dtype=policy)
            if self.spectral_norm:
                layer = SpectralNormalization(layer, dtype=policy)
            layer.build((*input_shape[:-1], source))
            self.projections.append(layer)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def call(self, inputs: Any, training: bool = False) -> Any:
        height, width, channels = inputs.shape[1:]
        f, g, h, v = self.projections

        def project(layer: layers.Layer, x: Any) -> Any:
            return layer(x, training=training) if self.spectral_norm else layer(x)

        query = ops.reshape(project(f, inputs), (-1, height * width, channels // 8))
        key, value = (
            ops.max_pool(project(layer, inputs), 2, padding="same") for layer in (g, h)
        )
        positions = key.shape[1] * key.shape[2]
        key = ops.reshape(key, (-1, positions, channels // 8))
        value = ops.reshape(value, (-1, positions, channels // 2))
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        weights = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        out = ops.matmul(ops.cast(weights, value.dtype), value)
        out = ops.reshape(out, (-1, height, width, channels // 2))
        return inputs + self.gamma * project(v, out)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "spectral_norm": self.spectral_norm}
