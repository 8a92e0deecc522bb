"""The last layer of a slicing adversarial network (SAN)."""

from typing import Any

import keras
from keras import layers, ops

from ganlab.errors import UserError
from ganlab.networks.layers import Shape, called_with
from ganlab.networks.precision import as_float32

EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="ganlab")
class SlicingNormalization(layers.Wrapper):
    """Splits a last linear layer into a direction of length 1 and a scale.

        D(x) = s <w, h(x)> + b,  w = kernel / |kernel|

    with one direction and one scale `s` for each output of the layer. A
    `ganlab.GAN` whose discriminator ends on it trains the direction apart from
    all else, whatever the loss:

        h, s and b minimise  loss.discriminator(s <sg(w), h(x)> + b,
                                                s <sg(w), h(G(z))> + b) + penalties
        w minimises          E[sg(s) <w, sg(h(G(z)))>] - E[sg(s) <w, sg(h(x))>]
        G minimises          loss.generator(D(x), D(G(z)))

    where `sg` stops the gradient. So the direction maximises the distance between
    the means of real and of fake features, as a Wasserstein critic does: with it
    the generator's gradient is that of a distance between distributions, which the
    loss alone does not make sure of. Penalties and regularizers of weights leave
    the direction alone.

    The kernel is rescaled to length 1 after each update, which changes no output.
    The scale starts at the length of the initial kernel (1 for one of zeros), so that
    the discriminator starts as it would without this layer.

    Args:
        layer: A `Dense` or `Conv` layer without an activation, whose kernel's last
            axis is the output. It is followed by nothing but sums over positions,
            reshaping, concatenation or the choice of a class's output.

    Reference:
        [Takida et al., 2024 (SAN)](https://arxiv.org/abs/2301.12811), section 5
    """

    def __init__(self, layer: layers.Layer, **options: Any) -> None:
        super().__init__(layer, **{"autocast": False, **options})

    @property
    def kernel(self) -> keras.Variable:
        """The layer's kernel; no attribute, which would be saved a second time."""
        return self.layer.kernel

    def build(self, input_shape: Shape | None = None) -> None:
        super().build(input_shape)
        activation = getattr(self.layer, "activation", keras.activations.linear)
        linear = activation is keras.activations.linear
        of_outputs = not isinstance(
            self.layer, (layers.Wrapper, layers.Conv2DTranspose, layers.Embedding)
        )
        if not (linear and of_outputs and hasattr(self.layer, "kernel")):
            raise UserError(
                "Expected a linear layer with a kernel whose last axis is the output. "
                f"Received: {type(self.layer).__name__}; pass Dense(1) without an "
                "activation"
            )
        self.kernel.constraint = _UnitLength()
        self.scale = self.add_weight(
            shape=(self.kernel.shape[-1],),
            initializer=self._initial_scale,
            dtype="float32",
            name="scale",
        )

    def _initial_scale(self, shape: Shape, dtype: Any) -> Any:
        lengths = ops.reshape(_lengths(self.kernel), shape)
        return ops.cast(ops.where(lengths > EPSILON, lengths, 1.0), dtype)

    def call(self, inputs: Any) -> Any:
        kernel = as_float32(self.kernel)
        direction = kernel / _lengths(kernel)
        kernel = direction * ops.cast(self.scale, direction.dtype)
        return called_with(self.layer, self.kernel, kernel, inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)


class _UnitLength(keras.constraints.Constraint):
    """Rescales the kernel of each output to length 1."""

    def __call__(self, w: Any) -> Any:
        return w / ops.cast(_lengths(w), w.dtype)


def _lengths(kernel: Any) -> Any:
    """Length of the kernel of each output, `EPSILON` or more: `(1, ..., outputs)`."""
    axes = tuple(range(len(kernel.shape) - 1))
    squares = ops.sum(ops.square(as_float32(kernel)), axis=axes, keepdims=True)
    return ops.sqrt(ops.maximum(squares, EPSILON**2))
