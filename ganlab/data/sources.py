"""Sources of images: what a data SPEC names, listed and not decoded yet.


fashion_mnist                   the embedded 10,000 images
folder:DIR                      JPEG, PNG, WebP, GIF; sub-folders are classes
npz:FILE                        `images` uint8 (N, H, W[, C]) and `labels`
idx:DIR[:train|:test]           MNIST's IDX files, gzipped or not
tfds:NAME[/CONFIG][:SPLIT]      any image data set of TensorFlow Datasets
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import importlib_resources
import numpy as np

from ganlab.data.fashion_mnist import FASHION_MNIST_CLASSES
from ganlab.data.idx import read_idx
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError, one_line, unknown_name

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
DEFAULT_SIZE = 64


@dataclass(frozen=True)
class Source:
    """Images that are listed, and decoded one by one.

    Args:
        items: Pairs of a name and an image: a uint8 array `(H, W[, C])`, the
            path of a file or the bytes of one.
        count: Integer: the number of items.
        labels: Int32 array `(count,)`, complete once the items have been read,
            or `None`.
        class_names: A name for each class.
        shape: `(H, W, C)` where all images share it, otherwise `None`.
        identity: What changes when the images do.
    """

    items: Iterable[tuple[str, Any]]
    count: int
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    shape: tuple[int, int, int] | None
    identity: str


def open_source(spec: str) -> Source:
    """Opens the source that a data SPEC names.

    Raises:
        UserError: for an unknown name, or where there are no images.
    """
    scheme, _, rest = spec.partition(":")
    if spec == "fashion_mnist":
        return _open_embedded()
    openers: dict[str, Callable[[str], Source]] = {
        "folder": _open_folder,
        "npz": _open_npz,
        "idx": _open_idx,
        "tfds": _open_tfds,
    }
    if scheme not in openers or not rest:
        known = ["fashion_mnist", "folder:DIR", "npz:FILE", "idx:DIR", "tfds:NAME"]
        raise unknown_name("data", spec, [*known, *MIXTURES])
    return openers[scheme](rest)


def _from_arrays(
    images: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str],
    identity: str,
) -> Source:
    """A source over one uint8 array; checks shape, dtype and labels."""
    if images.dtype != np.uint8:
        raise UserError(
            f"Expected uint8 images, 0 to 255. Received: {images.dtype} in "
            f"{identity}; scale them to 0..255 and convert with .astype('uint8')"
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise UserError(
            "Expected images of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3). "
            f"Received: {images.shape} in {identity}"
        )
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
            raise UserError(
                f"Expected {len(images)} integer labels, one an image. Received: "
                f"{labels.dtype} of shape {labels.shape} in {identity}"
            )
        if len(labels) and labels.min() < 0:
            raise UserError(
                f"Expected labels of 0 or more. Received: {labels.min()} in {identity}"
            )
        labels = labels.astype(np.int32)
        names = class_names or [str(k) for k in range(labels.max(initial=-1) + 1)]
        if labels.max(initial=-1) >= len(names):
            raise UserError(
                f"Expected labels under {len(names)}, the number of class names. "
                f"Received: {labels.max()} in {identity}"
            )
        class_names = tuple(str(name) for name in names)
    return Source(
        items=[(f"image {index}", image) for index, image in enumerate(images)],
        count=len(images),
        labels=labels,
        class_names=tuple(class_names) if labels is not None else (),
        shape=images.shape[1:],
        identity=identity,
    )


def _open_embedded() -> Source:
    folder = importlib_resources.files("ganlab.data.fashion_mnist")
    images = read_idx((folder / "t10k-images-idx3-ubyte.gz").read_bytes(), "images")
    labels = read_idx((folder / "t10k-labels-idx1-ubyte.gz").read_bytes(), "labels")
    return _from_arrays(images, labels, FASHION_MNIST_CLASSES, "fashion_mnist")


def _open_folder(path: str) -> Source:
    folder = _existing(path, "folder", Path.is_dir)
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and not file.name.startswith(".")
        and file.is_file()
    )
    if not files:
        raise UserError(
            f"Expected images ({', '.join(SUFFIXES)}) in {folder}. Received: a "
            "folder with none"
        )
    parts = [file.relative_to(folder).parts for file in files]
    names: list[str] = []
    labels = None
    if all(len(part) > 1 for part in parts):
        names = sorted({part[0] for part in parts})
    if len(names) > 1:
        index = {name: label for label, name in enumerate(names)}
        labels = np.array([index[part[0]] for part in parts], np.int32)
    stats = [file.stat() for file in files]
    return Source(
        items=[(str(file), file) for file in files],
        count=len(files),
        labels=labels,
        class_names=tuple(names) if labels is not None else (),
        shape=None,
        identity=f"{folder.resolve()} "
        + repr(
            [(p, s.st_size, s.st_mtime_ns) for p, s in zip(parts, stats, strict=True)]
        ),
    )


def _open_npz(path: str) -> Source:
    file = _existing(path, "file", Path.is_file)
    try:
        with np.load(file, allow_pickle=False) as arrays:
            stored = {key: arrays[key] for key in arrays}
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise UserError(
            "Expected a .npz file of plain arrays, images all of one shape. "
            f"Received: {file} ({one_line(error)})"
        ) from error
    key = next((key for key in ("images", "x_train") if key in stored), None)
    if key is None:
        raise UserError(
            "Expected an array named images (and labels). Received: "
            f"{', '.join(stored) or 'none'} in {file}"
        )
    labels = stored.get("labels" if key == "images" else "y_train")
    names = stored.get("class_names", ())
    return _from_arrays(stored[key], labels, tuple(names), _file_identity(file))


def _open_idx(rest: str) -> Source:
    path, _, split = rest.rpartition(":")
    if split not in ("train", "test") or not path:
        path, split = rest, ""
    folder = _existing(path, "folder", Path.is_dir)
    prefixes = {"train": ("train",), "test": ("t10k", "test")}.get(split, ("",))
    files = sorted(
        (
            file
            for file in folder.iterdir()
            if re.fullmatch(r".*images[.-]idx3-ubyte(\.gz)?", file.name)
            and file.name.startswith(prefixes)
        ),
        key=lambda file: (not file.name.startswith("train"), file.name),
    )
    if not files:
        raise UserError(
            f"Expected IDX files such as {prefixes[0] or 'train'}-images-idx3-ubyte.gz "
            f"in {folder}. Received: none of that name"
        )
    images = [read_idx(file.read_bytes(), file) for file in files]
    paired = [
        file.with_name(file.name.replace("images", "labels").replace("idx3", "idx1"))
        for file in files
    ]
    labels = None
    if all(file.exists() for file in paired):
        labels = np.concatenate([read_idx(f.read_bytes(), f) for f in paired])
    if len({array.shape[1:] for array in images}) > 1:
        shapes = ", ".join(str(array.shape[1:]) for array in images)
        raise UserError(f"Expected images of one shape. Received: {shapes} in {folder}")
    identity = " ".join(map(_file_identity, files))
    return _from_arrays(np.concatenate(images), labels, (), identity)


def _open_tfds(rest: str) -> Source:
    import tensorflow_datasets as tfds

    name, _, split = rest.partition(":")
    try:
        builder = tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise UserError(
            "Expected the name of a TensorFlow Datasets data set, such as cifar10. "
            f"Received: {name!r}; tfds.list_builders() lists them"
        ) from error
    features = builder.info.features
    keys = {
        kind: next((k for k, v in features.items() if isinstance(v, kind)), None)
        for kind in (tfds.features.Image, tfds.features.ClassLabel)
    }
    image_key, label_key = keys.values()
    if image_key is None:
        raise UserError(
            f"Expected a data set with an image. Received: {name!r} with "
            f"{', '.join(features)}"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:
        raise UserError(
            f"Expected {name!r} prepared under {builder.data_dir}, or a network to "
            f"download it. Received: {type(error).__name__} ({one_line(error)})"
        ) from error
    split = split or ("train" if "train" in builder.info.splits else "all")
    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise unknown_name(
            f"split of {name}", split, list(builder.info.splits)
        ) from error
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders={image_key: tfds.decode.SkipDecoding()},
    )
    labels = None if label_key is None else np.empty(count, np.int32)

    def read() -> Iterator[tuple[str, bytes]]:
        for index, example in enumerate(tfds.as_numpy(dataset)):
            if labels is not None:
                labels[index] = example[label_key]
            yield f"{name} {split} {index}", example[image_key]

    shape = features[image_key].shape
    return Source(
        items=read(),
        count=count,
        labels=labels,
        class_names=tuple(features[label_key].names) if label_key else (),
        shape=shape if None not in shape else None,
        identity=f"tfds {builder.info.full_name} {split}",
    )


def _existing(name: str, kind: str, check: Callable[[Path], bool]) -> Path:
    path = Path(name).expanduser()
    if not check(path):
        raise UserError(f"Expected a {kind} that exists. Received: {path}")
    return path


def _file_identity(file: Path) -> str:
    stat = file.stat()
    return f"{file.resolve()} {stat.st_size} {stat.st_mtime_ns}"
