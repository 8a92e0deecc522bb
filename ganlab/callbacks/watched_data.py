"""What a monitor is given as data, as real images to compare with.

The probe takes images as the networks take them in training; scores take pictures, as
they are stored. Both are made here of an array, a data set or a data SPEC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.probe_samples import num_samples
from ganlab.data import kinds
from ganlab.data.image_data import ImageData
from ganlab.data.loading import load_data
from ganlab.errors import UserError

GIVEN = "given"  # the SPEC of data that has none
MAX_IMAGES = 10_000


@dataclass(frozen=True)
class WatchedData:
    """Real images by what they are compared for.

    Args:
        samples: Float32 array `(n, ...)`, as the networks take them in training: as
            many as a probe looks at.
        labels: Int32 array `(n,)`, or `None`.
        stored: All of the images as `ImageData`.
        batch_size: Integer: images of a batch, or `None` where it is not known.
        stated: Whether samples are pixels of a known range, here [-1, 1], and not
            floats as they are trained on.
    """

    samples: np.ndarray
    labels: np.ndarray | None
    stored: ImageData
    batch_size: int | None = None
    stated: bool = False

    def brought_to(self, output_range: tuple[float, float]) -> "WatchedData":
        """The same in the range that the generator is trained in.

        Args:
            output_range: `(low, high)` of generated images.
        """
        low, high = output_range
        pictorial = kinds.of_shape(self.samples.shape[1:]).pictorial
        if not self.stated or not pictorial or (low, high) == (-1.0, 1.0):
            return self
        samples = (self.samples + 1.0) * ((high - low) / 2.0) + low
        return replace(self, samples=samples)


def read_data(data: Any, image_shape: Sequence[int]) -> WatchedData:
    """Reads what a monitor is given as data.

    Args:
        data: A data SPEC, an `ImageData`, a `tf.data.Dataset` of batches, an array of
            images, or a pair of images and labels. Images are uint8, or floats as the
            networks take them. Of a data set the first 10,000 images are read, by a
            pass of its own; one that shuffles anew each time goes on by that pass.
        image_shape: Shape `(height, width, channels)` of a generated image.

    Returns:
        A `WatchedData`; pixels of a known range are in [-1, 1].

    Raises:
        UserError: if it is neither, or of images of another shape.
    """
    batch_size = None
    if isinstance(data, str):
        size, channels = (None, None)
        if kinds.of_shape(image_shape).pictorial:
            size = kinds.IMAGES.image_size(image_shape)
            channels = image_shape[-1]
        data = load_data(data, image_size=size, channels=channels)
    if isinstance(data, ImageData):
        samples, labels = data.take(num_samples(image_shape))
        _check_shape(samples, image_shape)
        return WatchedData(samples, labels, data, stated=True)
    if isinstance(data, tf.data.Dataset):
        images, labels, batch_size = _read_batches(data)
    else:
        images, labels = data if isinstance(data, tuple) else (data, None)
    images = np.asarray(images)
    if not np.issubdtype(images.dtype, np.number):
        raise UserError(
            "Expected a data SPEC, a data set, or an array of images, with labels or "
            f"without. Received: {type(data).__name__}"
        )
    _check_shape(images, image_shape)
    labels = None if labels is None else _as_classes(labels, len(images))
    kind, count = kinds.of_shape(image_shape), num_samples(image_shape)
    stated = images.dtype == np.uint8 and kind.pictorial
    if stated:
        samples, pixels = kind.to_network(images[:count]), images
    else:
        floats = images.astype(np.float32)
        samples = floats[:count]
        pixels = kind.to_stored(floats, _range_of(floats))
    names = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    stored = ImageData(GIVEN, pixels, labels, names, ())
    probed = None if labels is None else labels[:count]
    return WatchedData(samples, probed, stored, batch_size, stated)


def _read_batches(
    dataset: tf.data.Dataset,
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """The first images of a data set, their labels or `None`, and a batch's size."""
    images, labels, count = [], [], 0
    for batch in dataset:
        parts = [keras.ops.convert_to_numpy(part) for part in tf.nest.flatten(batch)]
        images.append(parts[0])
        labels += parts[1:2]
        count += len(parts[0])
        if count >= MAX_IMAGES:
            break
    if not images:
        raise UserError("Expected a data set of batches. Received: an empty one")
    together = np.concatenate(labels) if labels else None
    return np.concatenate(images), together, len(images[0])


def _check_shape(images: np.ndarray, image_shape: Sequence[int]) -> None:
    if tuple(images.shape[1:]) != tuple(image_shape):
        raise UserError(
            f"Expected images of shape {tuple(image_shape)}, as the generator's. "
            f"Received: {tuple(images.shape[1:])}; resize them"
        )


def _as_classes(labels: np.ndarray, count: int) -> np.ndarray | None:
    """Labels as class indices; `None` of what is none, such as images."""
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if len(labels) != count or not np.issubdtype(labels.dtype, np.integer):
        return None
    return None if labels.min() < 0 else labels.astype(np.int32)


def _range_of(samples: np.ndarray) -> tuple[float, float]:
    """The usual range that floats are in, or from their lowest to their highest."""
    low, high = float(np.min(samples)), float(np.max(samples))
    if low >= 0.0 and high > 2.0:
        return (0.0, max(high, 255.0))
    for usual in ((0.0, 1.0), (-1.0, 1.0)):
        if usual[0] <= low and high <= usual[1]:
            return usual
    return (low, high)
