"""Finds mistakes in one batch of data: its shape, its values and its labels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ganlab.data import kinds
from ganlab.errors import UserError, one_line
from ganlab.models.gan import GAN
from ganlab.networks.output_range import output_range
from ganlab.training.problem import Problem

MAX_IMAGES = 256
RANGE_MARGIN = 0.02  # of the range, by which data may exceed it


class Batch(NamedTuple):
    """One batch as arrays.

    Args:
        images: Array `(batch, ...)`; uint8 images are scaled to the GAN's range.
        labels: Array `(batch, ...)`, or `None`.
    """

    images: np.ndarray
    labels: np.ndarray | None


def read_batch(gan: GAN, images: Any, labels: Any = None) -> Batch:
    """One batch of what `fit` takes, of 256 images at most.

    Args:
        gan: A `ganlab.GAN`.
        images: Array or tensor `(batch, ...)`, a pair of images and labels, or a data
            set of either, of which the first batch is taken.
        labels: Array or tensor `(batch, ...)`, or `None`.

    Raises:
        UserError: if there is no batch of numbers.
    """
    if isinstance(images, tf.data.Dataset):
        images = next(iter(images), ())
    elif isinstance(images, keras.utils.PyDataset):
        images = images[0]
    if isinstance(images, tuple) and 1 <= len(images) <= 3:
        images, inner_labels, _ = keras.utils.unpack_x_y_sample_weight(images)
        labels = inner_labels if labels is None else labels
    images = _as_array("images", images)
    if images.ndim < 2 or not images.size or images.dtype.kind not in "buif":
        raise UserError(
            "Expected a batch of images as numbers, an array (batch, ...). Received: "
            f"{images.dtype} of shape {images.shape}; pass what fit gets"
        )
    images = images[:MAX_IMAGES]
    if images.dtype == np.uint8:
        low, high = gan.output_range
        images = low + (high - low) * (images / np.float32(255.0))
    if images.dtype != np.float64:
        images = images.astype(np.float32)
    if labels is not None:
        labels = np.atleast_1d(_as_array("labels", labels))[:MAX_IMAGES]
    return Batch(images, labels)


def _as_array(name: str, values: Any) -> np.ndarray:
    try:
        if tf.is_tensor(values):
            return np.asarray(values.numpy())
        return np.asarray(values)
    except Exception as error:
        raise UserError(
            f"Expected {name} as an array. Received: {type(values).__name__} "
            f"({one_line(error)}); pass what fit gets"
        ) from error


def check_shape(gan: GAN, images: np.ndarray) -> Problem | None:
    """Images of another shape than the generator's."""
    expected, received = gan.image_shape, images.shape[1:]
    if received == expected:
        return None
    fix = "load images of the generator's shape, or generate images of the data's"
    if (*received, 1) == expected:
        fix = "add the channel axis: images[..., None]"
    elif len(received) == 3 and (*received[1:], received[0]) == expected:
        fix = "put channels last: np.moveaxis(images, 1, -1)"
    return Problem(
        "wrong_shape",
        "critical",
        f"images of shape {received}, but the generator gives {expected}",
        fix,
    )


def check_finite(images: np.ndarray) -> Problem | None:
    """Images with values that are no numbers."""
    finite = np.isfinite(images.reshape(len(images), -1)).all(axis=1)
    if finite.all():
        return None
    return Problem(
        "non_finite_data",
        "critical",
        f"{int((~finite).sum())} of {len(images)} images hold NaN or infinity: every "
        "weight is NaN after one step",
        "leave them out, or replace the values",
    )


def check_range(gan: GAN, images: np.ndarray) -> Problem | None:
    """Data beyond what the generator can give, or in the upper half of it alone."""
    kind = kinds.of_shape(gan.image_shape)
    values = images[np.isfinite(images)]
    bound = output_range(gan.generator) or gan.stated_range
    if bound is None or not values.size or not kind.applies("data_range_mismatch"):
        return None
    (low, high), (minimum, maximum) = (float(values.min()), float(values.max())), bound
    margin = RANGE_MARGIN * (maximum - minimum)
    beyond = low < minimum - margin or high > maximum + margin
    lowest_stated, _ = gan.stated_range or bound
    if not beyond and not lowest_stated < 0.0 <= low:
        return None
    return Problem(
        "data_range_mismatch",
        "critical",
        f"data in [{low:.3g}, {high:.3g}], but the generator gives values in "
        f"[{minimum:g}, {maximum:g}]",
        f"scale images to [{minimum:g}, {maximum:g}], or end the generator on another "
        "activation, such as tanh for [-1, 1]",
        {} if bound == (-1.0, 1.0) else {"output_activation": "tanh"},
    )


def check_labels(gan: GAN, labels: np.ndarray | None) -> Problem | None:
    """Labels that a conditional GAN cannot train on."""
    if gan.num_classes is None:
        return None
    wrong = _wrong_labels(labels, gan.num_classes)
    if wrong is None:
        return None
    return Problem(
        "wrong_labels",
        "critical",
        f"{wrong}, but the networks take one of {gan.num_classes} classes an image",
        f"pass integers from 0 to {gan.num_classes - 1}",
    )


def _wrong_labels(labels: np.ndarray | None, num_classes: int) -> str | None:
    if labels is None:
        return "there are no labels"
    if labels.dtype.kind not in "buif":
        return f"labels are {labels.dtype}"
    if labels.ndim == 2 and labels.shape[1] == num_classes > 1:
        return None  # one-hot
    if labels.ndim != 1 and _without_ones(labels.shape[1:]):
        return f"labels have the shape {labels.shape}"
    if not np.isfinite(labels).all() or (labels != np.floor(labels)).any():
        return "labels are no whole numbers"
    low, high = int(labels.min()), int(labels.max())
    return f"labels go from {low} to {high}" if low < 0 or high >= num_classes else None


def _without_ones(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]
