"""What every augmentation is, and where its random numbers come from."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError


class Augmentation(keras.layers.Layer):
    """Base class: random transformations that gradients pass through.

    A subclass defines `augment`, and `get_config` if it takes arguments.
    """

    adapts = False

    def __init__(self) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.built = True

    def augment(self, images: Any, seed: Any) -> Any:
        """Returns images of the same shape and dtype.

        Args:
            images: Float tensor `(batch, height, width, channels)` in [-1, 1].
            seed: Int tensor `(2,)`: seed of the transformations.
        """
        raise NotImplementedError

    def augment_range(
        self, images: Any, seed: Any, image_range: tuple[float, float]
    ) -> Any:
        """Augments images of any range as if they were in [-1, 1].

        Args:
            images: Float tensor `(batch, height, width, channels)`.
            seed: See `augment`.
            image_range: A pair: what -1 and 1 are in these images, such as
                `(0.0, 1.0)`.

        Raises:
            UserError: if `augment` returns images of another shape.
        """
        low, high = image_range
        middle, half = (low + high) / 2, (high - low) / 2
        usual = (low, high) == (-1.0, 1.0)
        augmented = self.augment(images if usual else (images - middle) / half, seed)
        if augmented.shape[1:] != images.shape[1:]:
            raise UserError(
                f"Expected images of shape {images.shape} from {type(self).__name__}"
                f".augment. Received: {augmented.shape}; return that shape"
            )
        augmented = ops.cast(augmented, images.dtype)
        return augmented if usual else middle + half * augmented

    def after_step(self, real_margins: Any) -> None:
        """Called after every step, with the margins of the real images."""


class Random:
    """Numbers for each image of a batch, each call from a seed of its own.

    Args:
        seed: Int tensor `(2,)`.
        images: Tensor `(batch, ...)`.
    """

    def __init__(self, seed: Any, images: Any) -> None:
        self.seed = seed
        self.shape = (ops.shape(images)[0],)
        self.count = 0

    def _next(self) -> Any:
        self.count += 1
        return tf.random.experimental.stateless_fold_in(self.seed, self.count)

    def uniform(self, low: float, high: float) -> Any:
        """Uniform in [low, high), float32 `(batch,)`."""
        unit = tf.random.stateless_uniform(self.shape, self._next())
        return low + (high - low) * unit

    def below(self, count: int) -> Any:
        """Uniform in 0, 1, ..., count - 1, float32 `(batch,)`."""
        return ops.floor(self.uniform(0.0, float(count)))

    def normal(self, deviation: float) -> Any:
        """Gaussian of mean 0, float32 `(batch,)`."""
        return deviation * tf.random.stateless_normal(self.shape, self._next())

    def coin(self, probability: Any) -> Any:
        """True with a probability, `(batch,)`."""
        return self.uniform(0.0, 1.0) < probability


def to_computed(images: Any) -> Any:
    """Images in float32, or float64 where they are, checked.

    Raises:
        UserError: unless they are floats `(batch, height, width, channels)`, and
            all but the batch is known.
    """
    images = ops.convert_to_tensor(images)
    dtype = keras.backend.standardize_dtype(images.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise UserError(
            f"Expected images to augment as floats in [-1, 1]. Received: {dtype}; "
            "divide uint8 by 127.5 and subtract 1"
        )
    if images.shape.rank != 4 or None in images.shape[1:]:
        raise UserError(
            "Expected images to augment of a known (batch, height, width, channels). "
            f"Received: shape {images.shape}; set it with tf.ensure_shape"
        )
    return images if dtype == "float64" else ops.cast(images, "float32")


def per_image(values: Any, images: Any) -> Any:
    """Values `(batch,)` as `(batch, 1, 1, 1)` of the dtype of images."""
    return ops.cast(ops.reshape(values, (-1, 1, 1, 1)), images.dtype)
