"""What fit, evaluate, predict and save are given, before Keras reads it.

Keras's own readers stop at these with a traceback, or train on nothing.
"""

import math
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from ganlab.errors import UserError, brief
from ganlab.models import reading, signature


def checked(model: Any, x: Any, y: Any = None, *_: Any, **options: Any) -> Any:
    """What a GAN is trained or evaluated on, as Keras takes it.

    Args:
        model: A `ganlab.GAN`.
        x: See `keras.Model.fit`; generators and iterators may yield images alone.
        y: See there.
        **options: The other arguments.

    Raises:
        UserError: for what a GAN cannot be trained or evaluated on.
    """
    if not model.compiled:
        raise UserError(
            "Expected a compiled GAN. Received: one that is not; call compile first, "
            "such as gan.compile('adam', 'adam')"
        )
    reading.refuse_weights(options)  # which Keras drops where there is no `y`
    images, labels = x, y
    is_pair = isinstance(x, (list, tuple)) and len(x) == 2
    if labels is None and is_pair and not _are_images(x):
        images, labels = x
    _check_images(images)
    _check_numbers(labels, "labels")
    counts = [values.shape[0] for values in (images, labels) if _is_array(values)]
    if len(counts) == 2:
        reading.check_counts(*counts)
    if isinstance(x, Iterator):
        return (batch if isinstance(batch, tuple) else (batch,) for batch in x)
    return x


def _check_images(images: Any) -> None:
    if images is None:
        raise UserError(
            "Expected images. Received: None; pass an array or a data set of them"
        )
    if isinstance(images, (str, os.PathLike)):
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
    _check_numbers(images, "images")
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
    if not isinstance(dtype, np.dtype) or dtype.kind not in "OUS":
        return
    if dtype.kind == "O":
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


def check_latents(generator: keras.Model, inputs: Any) -> None:
    """Raises `UserError` for arrays that a generator does not take.

    Args:
        generator: A built `keras.Model`.
        inputs: What `predict` got.
    """
    specs = keras.tree.flatten(signature.input_specs(generator))
    values = keras.tree.flatten(inputs)
    if not all(_is_array(value) for value in values):
        return
    expected = [tuple(spec.shape[1:]) for spec in specs]
    received = [tuple(value.shape[1:]) for value in values]
    if [math.prod(shape) for shape in expected] != [math.prod(s) for s in received]:
        raise UserError(
            "Expected what the generator takes, latents of shape "
            f"{', '.join(str((None, *shape)) for shape in expected)}. Received: "
            f"{', '.join(str((None, *shape)) for shape in received)}; draw them with "
            "ganlab.draw_latents, or call gan.sample"
        )
