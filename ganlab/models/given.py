"""What fit, evaluate, predict and save are given, before Keras reads it.

Keras's own readers stop at these with a traceback, or train on nothing.
"""

import inspect
import math
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab import sampling
from ganlab.errors import UserError, brief
from ganlab.models import reading, signature

IN_BATCHES = (Iterator, tf.data.Dataset, keras.utils.PyDataset)


def check_compiled(model: Any) -> None:
    """Raises `UserError` for a GAN that has no optimizers."""
    if not model.compiled:
        raise UserError(
            "Expected a compiled GAN. Received: one that is not; call compile first, "
            "such as gan.compile('adam', 'adam')"
        )


def checked(x: Any, y: Any, raised: list[Exception]) -> tuple[Any, Any]:
    """What a GAN is trained or evaluated on, as Keras takes it.

    Args:
        x: See `keras.Model.fit`; generators and iterators may yield images alone.
        y: See there; labels may be a list.
        raised: Takes what an iterator raises as it is read.

    Returns:
        `x` and `y`.

    Raises:
        UserError: for what a GAN cannot be trained or evaluated on.
    """
    y = _as_array(y)
    if isinstance(x, (list, tuple)) and len(x) == 2 and _is_array(x[0]):
        x = x if x[1] is _as_array(x[1]) else (x[0], _as_array(x[1]))
    images, labels = x, y
    is_pair = isinstance(x, (list, tuple)) and len(x) == 2
    if labels is None and is_pair and not _are_images(x):
        images, labels = x
    _check_images(images)
    _check_numbers(labels, "labels")
    counts = [values.shape[0] for values in (images, labels) if _is_array(values)]
    if len(counts) == 2:
        reading.check_counts(*counts)
    if y is not None and isinstance(x, IN_BATCHES):
        raise UserError(
            "Expected batches of images and labels in one data set. Received: y beside "
            f"a {type(x).__name__}; join them, as tf.data.Dataset.zip(images, labels) "
            "does"
        )
    return (_batches(x, raised), y) if isinstance(x, Iterator) else (x, y)


def validation(data: Any, raised: list[Exception]) -> Any:
    """Validation data, as Keras takes them: see `checked`."""
    if isinstance(data, (list, tuple)) and len(data) == 3:
        reading.refuse_weights({"sample_weight": data[2]})
    if isinstance(data, tuple) and len(data) == 2:
        return checked(*data, raised)
    return checked(data, None, raised)[0]


def _batches(iterator: Iterator[Any], raised: list[Exception]) -> Iterator[Any]:
    """Batches of an iterator as Keras reads them, tuples of arrays."""
    try:
        for batch in iterator:
            parts = batch if _is_list_of_arrays(batch) else (batch,)
            yield tuple(_as_array(part) for part in parts)
    except Exception as error:
        raised.append(error)
        raise


def _is_list_of_arrays(batch: Any) -> bool:
    """Whether a batch is images and labels, not one list of numbers."""
    if isinstance(batch, list):
        return any(hasattr(part, "shape") for part in batch)
    return isinstance(batch, tuple)


def _as_array(values: Any) -> Any:
    """A list of numbers, however deep, as an array; anything else as it is."""
    if not isinstance(values, list) or _is_list_of_arrays(values):
        return values
    try:
        return np.asarray(values)
    except ValueError:  # rows of other lengths
        return values


def _check_images(images: Any) -> None:
    if images is None:
        raise UserError(
            "Expected images. Received: None; pass an array or a data set of them"
        )
    if isinstance(images, (str, bytes, os.PathLike)):
        raise UserError(
            f"Expected images as an array or a data set. Received: {brief(images)}; "
            "read them with ganlab.load_data('folder:DIR').batches(64)"
        )
    if isinstance(images, (list, tuple)) and _are_images(images):
        raise UserError(
            "Expected images as one array. Received: a "
            f"{type(images).__name__} of {len(images)}; bring all to one size and "
            "stack them: np.stack(images)"
        )
    if inspect.isroutine(images):
        name = getattr(images, "__name__", "function")
        raise UserError(
            "Expected images as an array or a data set. Received: the function "
            f"{name}; call it for the batches that it yields: {name}()"
        )
    _check_numbers(images, "images")
    if getattr(images, "shape", None) == ():
        raise UserError(
            f"Expected images. Received: one number, {images!s}; pass an array of them"
        )
    if _is_array(images) and images.shape[0] == 0:
        raise UserError(
            "Expected images. Received: none, an array of shape "
            f"{tuple(images.shape)}; look at what they were read from"
        )


def _are_images(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list is one of single images, not of images, labels and weights."""
    if not values or not all(_is_array(value) for value in values):
        return any(not hasattr(value, "shape") for value in values)
    return len(values) > 3 or (len(values) > 1 and _is_picture(values[-1]))


def _is_picture(values: Any) -> bool:
    return len(values.shape) > 2


def _check_numbers(values: Any, name: str) -> None:
    dtype = getattr(values, "dtype", None)
    if not isinstance(dtype, np.dtype):
        return
    if dtype.kind == "f" and dtype.itemsize > 8:
        received, fix = dtype.name, "cast them with .astype('float32')"
    elif dtype.kind in "biufc":
        return
    elif dtype.kind in "VMm":
        received, fix = dtype.name, "make one array of numbers"
    elif dtype.kind == "O":
        received, fix = "objects", "make one array of all, as np.stack does"
    elif name == "images":
        received, fix = "strings", "read the files and decode them"
    else:
        received = "strings"
        fix = "number them with np.unique(labels, return_inverse=True)[1]"
    raise UserError(f"Expected {name} as numbers. Received: {received}; {fix}")


def _is_array(values: Any) -> bool:
    return bool(getattr(values, "shape", ())) and values.shape[0] is not None


def check_path(path: Any) -> None:
    """Raises `UserError` for a path that a GAN cannot be saved to."""
    if not str(path).endswith((".keras", ".h5", ".hdf5")):
        raise UserError(
            f"Expected a path that ends in .keras. Received: {str(path)!r}; add "
            ".keras, or call export for a SavedModel"
        )


def latents(generator: keras.Model, inputs: Any, num_classes: int | None) -> Any:
    """What `predict` is given, as Keras takes it.

    Args:
        generator: A built `keras.Model`.
        inputs: What `predict` got; latents may be a list of numbers.
        num_classes: Integer if the generator takes labels, otherwise `None`.

    Raises:
        UserError: for arrays that the generator does not take.
    """
    specs = signature.input_specs(generator)
    inputs = _as_array(inputs)
    values = keras.tree.flatten(inputs)
    if inputs is not None and not all(_is_array(value) for value in values):
        return inputs
    flat = keras.tree.flatten(specs)
    expected = [tuple(spec.shape[1:]) for spec in flat]
    received = [tuple(value.shape[1:]) for value in values if value is not None]
    if [math.prod(shape) for shape in expected] != [math.prod(s) for s in received]:
        raise UserError(
            "Expected what the generator takes, latents of shape "
            f"{', '.join(str((None, *shape)) for shape in expected)}. Received: "
            f"{', '.join(str((None, *shape)) for shape in received) or None}; draw "
            "them with ganlab.draw_latents, or call gan.sample"
        )
    if num_classes is None:
        return inputs
    label = signature.class_input(specs, num_classes)
    if label is not None and not expected[label]:
        classes = np.asarray(values[label])
        sampling.class_labels(len(classes), num_classes, classes)
    return inputs
