"""Images and labels from arrays, and from `.npz` files of them."""

import math
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ganlab.data.source import Source, existing_file, file_identity
from ganlab.errors import UserError, one_line
from ganlab.safety.bounded import open_member, open_zip
from ganlab.text import listed

# Names of the images in a file, and of their labels.
KEYS = {
    "images": "labels",
    "x_train": "y_train",
    "train_images": "train_labels",
}
UNNAMED = "arr_0"  # what `np.savez(file, images)` calls its array
MAX_UNNAMED = 1000  # classes without names that fewer images may have
CLASS_NAMES = "class_names"
NPY_MAGIC = b"\x93NUMPY"
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def open_npz(path: str) -> Source:
    """Opens a `.npz` file of uint8 `images`, with `labels` and `class_names` or none.

    Raises:
        UserError: if it is no such file.
    """
    file = existing_file(path)
    with file.open("rb") as opened:
        if opened.read(len(NPY_MAGIC)) == NPY_MAGIC:
            raise UserError(
                "Expected a .npz file with an array named images. Received: "
                f"{file}, a .npy file of one array; save it with "
                "np.savez('images.npz', images=np.load(file))"
            )
    try:
        with open_zip(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a header of Python 2
            names = [
                name.removesuffix(".npy")
                for name in archive.namelist()
                if name.endswith(".npy")
            ]
            key = UNNAMED if names == [UNNAMED] else _first(KEYS, names)
            wanted = (key, KEYS.get(key or "", ""), CLASS_NAMES) if key else ()
            stored = {
                name: _read_array(archive, name) for name in wanted if name in names
            }
    except ValueError as error:
        raise UserError(
            "Expected a .npz file of plain arrays, images all of one shape. "
            f"Received: {file}, which is damaged or of another kind "
            f"({one_line(error)}); save it again with np.savez"
        ) from error
    if key is None:
        raise UserError(
            "Expected an array named images (and labels). Received: "
            f"{listed(names)} in {file}; save it with "
            "np.savez(file, images=images, labels=labels)"
        )
    labels = stored.get(KEYS.get(key, ""))
    class_names = tuple(np.ravel(stored.get(CLASS_NAMES, ())))
    return from_arrays(stored[key], labels, class_names, file_identity(file), str(file))


def _first(choices: Iterable[str], names: Sequence[str]) -> str | None:
    return next((choice for choice in choices if choice in names), None)


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array of a `.npz` file, of the size that both its headers say."""
    size = archive.getinfo(f"{name}.npy").file_size
    with open_member(archive, f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        if version not in HEADERS:
            raise ValueError(f"{name} of the format {version}")
        shape, _, dtype = HEADERS[version](member)
        if dtype.hasobject:
            raise ValueError(f"{name} of Python objects, which are not read")
        header = member.tell()
        if math.prod(shape) * dtype.itemsize != size - header:
            raise ValueError(f"{name} of shape {shape} in {size - header:,} bytes")
    with open_member(archive, f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def from_arrays(
    images: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[Any],
    identity: str,
    name: str | None = None,
) -> Source:
    """A source over one uint8 array.

    Args:
        images: Uint8 array `(N, H, W)` or `(N, H, W, C)` of 1 to 4 channels: 2 and 4
            are grey and colour with opacity.
        labels: Array of `N` integers from 0 on, or from 1 on, or of strings, which
            are classes; or `None`.
        class_names: Strings or bytes, a name for each class; empty for the labels'
            own.
        identity: See `Source`.
        name: What an error calls the arrays; by default the identity.

    Raises:
        UserError: if shape, dtype or labels are others.
    """
    name = name or identity
    if images.dtype != np.uint8:
        raise UserError(
            f"Expected uint8 images, 0 to 255. Received: {images.dtype} in "
            f"{name}; scale them to 0..255 and convert with .astype('uint8')"
        )
    if images.ndim == 3 and images.shape[-1] in (3, 4):
        raise UserError(
            f"Expected images of shape (N, H, W) or (N, H, W, C). Received: "
            f"{images.shape} in {name}, which looks like one image in colour; save "
            "images[None]"
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or not 1 <= images.shape[-1] <= 4:
        raise UserError(
            "Expected images of shape (N, H, W) or (N, H, W, C) with 1 to 4 channels. "
            f"Received: {images.shape} in {name}; bring channels to the last axis"
        )
    if not images.size:
        raise UserError(
            "Expected 1 image or more, of 1 pixel or more. Received: shape "
            f"{images.shape} in {name}; save the images again"
        )
    names = [_text(class_name) for class_name in class_names]
    notes: list[str] = []
    if labels is not None:
        labels, names = _checked_labels(labels, names, len(images), name)
        if labels.size and labels.min() == 1 and labels.max() == len(names):
            labels = labels - 1
            notes.append("no label is 0, so 1 is the first class")
    return Source(
        items=[(f"image {index}", image) for index, image in enumerate(images)],
        count=len(images),
        labels=labels,
        class_names=tuple(names) if labels is not None else (),
        shape=images.shape[1:],
        identity=identity,
        left_out=tuple(notes),
        array=images,
    )


def _checked_labels(
    labels: np.ndarray, names: list[str], count: int, name: str
) -> tuple[np.ndarray, list[str]]:
    """Int32 labels and the name of each class."""
    labels = np.asarray(labels)
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.dtype.kind in "US" and labels.shape == (count,) and not names:
        own_names, indices = np.unique(labels, return_inverse=True)
        return indices.astype(np.int32), [_text(own_name) for own_name in own_names]
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise UserError(
            f"Expected {count} integer labels, one an image. Received: "
            f"{labels.dtype} of shape {labels.shape} in {name}; number the classes "
            "from 0"
        )
    lowest, highest = (int(labels.min()), int(labels.max())) if count else (0, -1)
    if lowest < 0:
        raise UserError(
            f"Expected labels of 0 or more. Received: {lowest} in {name}; number the "
            "classes from 0"
        )
    if names and highest >= len(names):
        raise UserError(
            f"Expected labels under {len(names)}, the number of class names. "
            f"Received: {highest} in {name}; name every class"
        )
    if not names and (lowest > 1 or highest >= max(count, MAX_UNNAMED)):
        raise UserError(
            "Expected labels from 0 on, one for each class. Received: "
            f"{lowest} to {highest} in {name}; number the classes from 0"
        )
    names = names or [str(label) for label in range(lowest, highest + 1)]
    return labels.astype(np.int32), names


def _text(name: Any) -> str:
    """A class name, decoded where it is bytes."""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
