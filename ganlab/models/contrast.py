"""Do the patches of an image and of what was made of it belong together?"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from ganlab.networks.precision import as_float32

NUM_PATCHES = 256  # of each image and feature map, at most
WIDTH = 256  # of the compared features
TEMPERATURE = 0.07
SMALLEST_NORM = 1e-7


class PatchContrast(layers.Layer):
    """CUT's contrastive loss: a patch is to be told from others of the same image.

        -mean log softmax_j(<q_i, k_j> / T)[j = i],  q, k = unit(mlp(features)), T = .07

    over up to 256 places of each feature map, with `q` of the image that was made and
    `k` of the one that it was made from, through which no gradient passes. Each feature
    map has two dense layers of 256 units of its own.

    Args:
        widths: Integers: channels of the feature maps.
        name: String.

    Reference:
        [Park et al., 2020](https://arxiv.org/abs/2007.15651), section 3
    """

    def __init__(self, widths: Sequence[int], name: str = "patch_contrast") -> None:
        super().__init__(name=name, dtype="float32")
        self.heads = []
        for index, width in enumerate(widths):
            head = keras.Sequential(
                [
                    keras.Input((None, width)),
                    layers.Dense(WIDTH, activation="relu", dtype="float32"),
                    layers.Dense(WIDTH, dtype="float32"),
                ],
                name=f"head_{index}",
            )
            self.heads.append(head)
        self.built = True

    def call(self, made: list[Any], source: list[Any], seed: Any) -> Any:
        """The loss, a float32 scalar.

        Args:
            made: Feature maps `(batch, height, width, channels)` of what was made.
            source: Those of what it was made from.
            seed: Int64 tensor `(2,)`: which places are compared.
        """
        losses = []
        pairs = zip(self.heads, made, source, strict=True)
        for index, (head, queries, keys) in enumerate(pairs):
            fold_in = tf.random.experimental.stateless_fold_in
            places = _places(ops.shape(queries), fold_in(seed, index))
            queries, keys = (
                _unit(head(_patches(maps, places))) for maps in (queries, keys)
            )
            keys = ops.stop_gradient(keys)
            logits = ops.einsum("bic,bjc->bij", queries, keys) / TEMPERATURE
            losses.append(_cross_entropy(logits))
        return sum(losses) / len(losses)


def _places(shape: Any, seed: Any) -> Any:
    """Up to 256 places of a feature map, none twice."""
    numbers = tf.random.stateless_uniform((shape[1] * shape[2],), seed)
    return tf.argsort(numbers)[:NUM_PATCHES]


def _patches(maps: Any, places: Any) -> Any:
    shape = ops.shape(maps)
    flat = ops.reshape(as_float32(maps), (shape[0], shape[1] * shape[2], shape[3]))
    return tf.gather(flat, places, axis=1)


def _unit(vectors: Any) -> Any:
    norm = ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True))
    return vectors / (norm + SMALLEST_NORM)


def _cross_entropy(logits: Any) -> Any:
    """Mean of `-log softmax(logits[b, i])[i]`."""
    return -ops.mean(tf.linalg.diag_part(ops.log_softmax(logits, axis=-1)))
