"""The Inception network that published FIDs mean.

It is the one that Google published in December 2015, whose means over the last
8 by 8 activations are the 2,048 features of the Fréchet Inception distance. It
differs from Keras's InceptionV3: it has other weights, average pooling that leaves
out the border, maximum pooling in its last block, and resizes its input to 299
by TensorFlow 1's bilinear rule, which takes pixel corners for pixel centres.

Reference:
    [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567);
    [Heusel et al., 2017](https://arxiv.org/abs/1706.08500)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ganlab.features.backends import FeatureFunction
from ganlab.features.resizing import with_channels

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

IMAGE_SIZE = 299
NUM_LOGITS = 1008

# A branch is a list of convolutions (name in PyTorch's port, filters, kernel). Names
# in TensorFlow's graph follow from its place: `mixed_4/tower_1/conv_2`.
STEM: tuple[Any, ...] = (
    ("Conv2d_1a_3x3", 32, 3, 2, "valid"),
    ("Conv2d_2a_3x3", 32, 3, 1, "valid"),
    ("Conv2d_2b_3x3", 64, 3, 1, "same"),
    "pool",
    ("Conv2d_3b_1x1", 80, 1, 1, "same"),
    ("Conv2d_4a_3x3", 192, 3, 1, "valid"),
    "pool",
)


def _block_a(pooled: int) -> dict[str, list[Any]]:
    return {
        "conv": [("branch1x1", 64, 1)],
        "tower": [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        "tower_1": [
            ("branch3x3dbl_1", 64, 1),
            ("branch3x3dbl_2", 96, 3),
            ("branch3x3dbl_3", 96, 3),
        ],
        "tower_2": ["average", ("branch_pool", pooled, 1)],
    }


def _block_c(filters: int) -> dict[str, list[Any]]:
    return {
        "conv": [("branch1x1", 192, 1)],
        "tower": [
            ("branch7x7_1", filters, 1),
            ("branch7x7_2", filters, (1, 7)),
            ("branch7x7_3", 192, (7, 1)),
        ],
        "tower_1": [
            ("branch7x7dbl_1", filters, 1),
            ("branch7x7dbl_2", filters, (7, 1)),
            ("branch7x7dbl_3", filters, (1, 7)),
            ("branch7x7dbl_4", filters, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
        ],
        "tower_2": ["average", ("branch_pool", 192, 1)],
    }


def _block_e(pooling: str) -> dict[str, list[Any]]:
    fork = [("a", 384, (1, 3)), ("b", 384, (3, 1))]
    return {
        "conv": [("branch1x1", 320, 1)],
        "tower": [("branch3x3_1", 384, 1), ("branch3x3_2", fork)],
        "tower_1": [
            ("branch3x3dbl_1", 448, 1),
            ("branch3x3dbl_2", 384, 3),
            ("branch3x3dbl_3", fork),
        ],
        "tower_2": [pooling, ("branch_pool", 192, 1)],
    }


BLOCKS: dict[str, dict[str, list[Any]]] = {
    "Mixed_5b": _block_a(32),
    "Mixed_5c": _block_a(64),
    "Mixed_5d": _block_a(64),
    "Mixed_6a": {
        "conv": [("branch3x3", 384, 3, 2, "valid")],
        "tower": [
            ("branch3x3dbl_1", 64, 1),
            ("branch3x3dbl_2", 96, 3),
            ("branch3x3dbl_3", 96, 3, 2, "valid"),
        ],
        "pool": ["pool"],
    },
    "Mixed_6b": _block_c(128),
    "Mixed_6c": _block_c(160),
    "Mixed_6d": _block_c(160),
    "Mixed_6e": _block_c(192),
    "Mixed_7a": {
        "tower": [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2, "valid")],
        "tower_1": [
            ("branch7x7x3_1", 192, 1),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
            ("branch7x7x3_4", 192, 3, 2, "valid"),
        ],
        "pool": ["pool"],
    },
    "Mixed_7b": _block_e("average"),
    "Mixed_7c": _block_e("maximum"),
}


def build(weights: Mapping[str, list[np.ndarray]]) -> keras.Model:
    """Builds the network with its weights.

    Args:
        weights: What `ganlab.features.inception_weights.read_weights` returns, a
            dict from each convolution's name in PyTorch's port to its
            kernel `(height, width, in, out)` and bias `(out,)`, batch
            normalisation folded in; and `fc` to `(2048, 1008)`.

    Returns:
        A `keras.Model` from float32 images `(n, 299, 299, 3)` in [-1, 1] to
        `[features, logits]`, `(n, 2048)` and `(n, 1008)`; logits without their
        bias, as inception scores are taken from them.
    """
    import keras
    from keras import layers

    exact: dict[str, Any] = {"dtype": "float32"}  # whatever the policy is
    pools = {
        "pool": lambda: layers.MaxPooling2D(3, 2, **exact),
        "average": lambda: layers.AveragePooling2D(3, 1, padding="same", **exact),
        "maximum": lambda: layers.MaxPooling2D(3, 1, padding="same", **exact),
    }

    def unit(
        x: keras.KerasTensor,
        name: str,
        filters: int,
        kernel: int | tuple[int, int],
        strides: int = 1,
        padding: str = "same",
    ) -> keras.KerasTensor:
        convolution = layers.Conv2D(
            filters,
            kernel,
            strides,
            padding=padding,
            activation="relu",
            name=name.replace(".", "-"),
            **exact,
        )
        x = convolution(x)
        convolution.set_weights(weights[name])
        return x

    def apply(x: keras.KerasTensor, step: Any, prefix: str = "") -> keras.KerasTensor:
        if isinstance(step, str):
            return pools[step]()(x)
        name, *options = step
        if isinstance(options[0], list):
            forks = [unit(x, prefix + name + fork, *rest) for fork, *rest in options[0]]
            return layers.Concatenate(**exact)(forks)
        return unit(x, prefix + name, *options)

    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), dtype="float32")
    x = inputs
    for step in STEM:
        x = apply(x, step)
    for block, branches in BLOCKS.items():
        ends = []
        for steps in branches.values():
            end = x
            for step in steps:
                end = apply(end, step, f"{block}.")
            ends.append(end)
        x = layers.Concatenate(**exact)(ends)
    features = layers.GlobalAveragePooling2D(**exact)(x)
    last = layers.Dense(NUM_LOGITS, use_bias=False, name="fc", **exact)
    logits = last(features)
    last.set_weights(weights["fc"])
    return keras.Model(inputs, [features, logits])


def graph_names() -> dict[str, str]:
    """Name of each convolution in PyTorch's port -> its name in the 2015 graph."""
    names = {}
    convolutions = [step[0] for step in STEM if step != "pool"]
    for index, name in enumerate(convolutions):
        names[name] = "conv" if index == 0 else f"conv_{index}"
    for number, (block, branches) in enumerate(BLOCKS.items()):
        root = "mixed" if number == 0 else f"mixed_{number}"
        for branch, steps in branches.items():
            steps = [step for step in steps if not isinstance(step, str)]
            for index, (name, *options) in enumerate(steps):
                leaf = "conv" if index == 0 else f"conv_{index}"
                folder = root if branch == "conv" else f"{root}/{branch}"
                if isinstance(options[0], list):
                    for fork, end in (("a", "conv"), ("b", "conv_1")):
                        names[f"{block}.{name}{fork}"] = f"{folder}/mixed/{end}"
                else:
                    names[f"{block}.{name}"] = f"{folder}/{leaf}"
    return names


def resize(images: tf.Tensor) -> tf.Tensor:
    """TensorFlow 1's bilinear resize to 299, corners for centres.

    Args:
        images: Float32 array `(n, height, width, 3)`.

    Returns:
        A tensor `(n, 299, 299, 3)`.
    """
    import tensorflow as tf

    return tf.raw_ops.ResizeBilinear(
        images=images,
        size=[IMAGE_SIZE, IMAGE_SIZE],
        align_corners=False,
        half_pixel_centers=False,
    )


def feature_function(network: keras.Model) -> FeatureFunction:
    """The feature function of the network of `build`, for images of any size."""

    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor) -> list[tf.Tensor]:
        # The graph takes bytes and scales them by 128, not by 127.5.
        pixels = resize((images + 1.0) * 127.5)
        return network((pixels - 128.0) / 128.0, training=False)

    def extract(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        features, logits = forward(tf.constant(with_channels(images, 3)))
        return features.numpy(), logits.numpy()

    return extract
