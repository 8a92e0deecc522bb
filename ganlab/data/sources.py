"""Sources of images: what a data SPEC names, listed and not decoded yet.

fashion_mnist                   the embedded 10,000 images
folder:DIR[:links][:families]   JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, PGM, AVIF;
                                sub-folders are classes
emoji:google[:DIR]              what scripts/get_emoji has laid out in DIR, by default
emoji:twitter[:DIR]             `GANLAB_EMOJI` or `emoji`; categories are classes
emoji:google:twitter[:DIR]      the pairs of both, or the other way round
pairs:A:B[:links][:families]    two folders: see `ganlab.data.pairs`
domains:A:B[:links][:families]  likewise, of which nothing belongs together
task:NAME:SPEC                  sources made of the images of a SPEC: see
                                `ganlab.data.tasks`
npz:FILE                        `images` uint8 (N, H, W[, C]) and `labels`
tfrecord:FILES                  `tf.train.Example`s with an encoded image each
webdataset:FILES                tar files of KEY.jpg and KEY.cls
idx:DIR[:train|:test]           MNIST's IDX files, gzipped or not
tfds:NAME[/CONFIG][:SPLIT]      any image data set of TensorFlow Datasets
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import importlib_resources
import numpy as np

from ganlab.data.arrays import from_arrays, open_npz
from ganlab.data.fashion_mnist import FASHION_MNIST_CLASSES
from ganlab.data.folder import FAMILIES, open_folder
from ganlab.data.idx import read_idx
from ganlab.data.pairs import SPECS, open_domains, open_pairs, open_task
from ganlab.data.records import open_tfrecord, open_webdataset
from ganlab.data.source import (
    DEFAULT_SHAPE,
    Source,
    existing_folder,
    file_identity,
    spec_of_path,
)
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError, one_line, unknown_name

EMOJI = ("google", "twitter")


def open_source(spec: str) -> Source:
    """Opens the source that a data SPEC names.

    Raises:
        UserError: for an unknown name, or where there are no images.
    """
    scheme, _, rest = spec.partition(":")
    if spec == "fashion_mnist":
        return _open_embedded()
    openers: dict[str, Callable[[str], Source]] = {
        "folder": open_folder,
        "emoji": _open_emoji,
        "npz": open_npz,
        "tfrecord": open_tfrecord,
        "webdataset": open_webdataset,
        "idx": _open_idx,
        "tfds": _open_tfds,
        "pairs": open_pairs,
        "domains": open_domains,
        "task": lambda rest: open_task(rest, open_source),
    }
    if scheme not in openers or not rest:
        path_spec = spec_of_path(Path(spec).expanduser()) if spec else None
        if path_spec is not None:
            raise UserError(
                f"Expected a data SPEC. Received: the path {spec}; write {path_spec}"
            )
        known = ["fashion_mnist", "folder:DIR", "npz:FILE", "idx:DIR", "tfds:NAME"]
        known += ["tfrecord:FILES", "webdataset:FILES"]
        known += [f"emoji:{name}" for name in EMOJI]
        raise unknown_name("data", spec, [*known, *SPECS, *MIXTURES])
    return openers[scheme](rest)


def _open_embedded() -> Source:
    folder = importlib_resources.files("ganlab.data.fashion_mnist")
    with (folder / "t10k-images-idx3-ubyte.gz").open("rb") as file:
        images = read_idx(file, "images")
    with (folder / "t10k-labels-idx1-ubyte.gz").open("rb") as file:
        labels = read_idx(file, "labels")
    return from_arrays(images, labels, FASHION_MNIST_CLASSES, "fashion_mnist")


def _open_emoji(rest: str) -> Source:
    first, _, path = rest.partition(":")
    second, _, path_after = path.partition(":")
    names = [first]
    if second in EMOJI:
        names, path = [first, second], path_after
    if first not in EMOJI:
        raise unknown_name("emoji", first, EMOJI)
    if names == [first, first]:
        raise UserError(
            f"Expected emoji of two kinds. Received: {first} twice; write "
            f"emoji:{first}:{EMOJI[1 - EMOJI.index(first)]}"
        )
    folder = Path(path or os.environ.get("GANLAB_EMOJI") or "emoji").expanduser()
    for name in names:
        if not (folder / name).is_dir():
            raise UserError(
                f"Expected emoji:{name}:DIR, or GANLAB_EMOJI=DIR, a folder with {name}."
                f" Received: {folder} without; make it: scripts/get_emoji {folder}"
            )
    folders = ":".join(str(folder / name) for name in names)
    return (open_folder if len(names) == 1 else open_pairs)(f"{folders}{FAMILIES}")


def _open_idx(rest: str) -> Source:
    path, _, split = rest.rpartition(":")
    if split not in ("train", "test") or not path:
        path, split = rest, ""
    folder = existing_folder(path)
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
    sets = {re.sub(r"(train|t10k|test)-?images.*", "", file.name) for file in files}
    if len(sets) > 1:
        raise UserError(
            "Expected the files of one data set. Received: "
            f"{', '.join(file.name for file in files)} in {folder}; move each set "
            "into a folder of its own"
        )
    images = [_read_idx(file) for file in files]
    paired = [_labels_file(file) for file in files]
    missing = [file for file, pair in zip(files, paired, strict=True) if pair is None]
    labels = None
    if not missing:
        labels = np.concatenate([_read_idx(file) for file in paired if file])
    elif len(missing) < len(files):
        raise UserError(
            f"Expected labels for every file of images, or for none. Received: "
            f"{missing[0]} without; add its labels, or move the other labels away"
        )
    if len({array.shape[1:] for array in images}) > 1:
        shapes = ", ".join(str(array.shape[1:]) for array in images)
        raise UserError(f"Expected images of one shape. Received: {shapes} in {folder}")
    identity = " ".join(map(file_identity, [*files, *filter(None, paired)]))
    return from_arrays(np.concatenate(images), labels, (), identity, str(folder))


def _read_idx(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        return read_idx(file, path)


def _labels_file(images: Path) -> Path | None:
    """The file of labels beside one of images, gzipped or not."""
    plain = images.name.removesuffix(".gz")
    name = plain.replace("images", "labels").replace("idx3", "idx1")
    files = [images.with_name(name + suffix) for suffix in ("", ".gz")]
    return next((file for file in files if file.exists()), None)


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
    image_key = _tfds_feature(name, features, tfds.features.Image, "image")
    label_key = _tfds_feature(name, features, tfds.features.ClassLabel, "label")
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
        shape=DEFAULT_SHAPE if None in shape else shape,
        identity=f"tfds {builder.info.full_name} {split}",
    )


def _tfds_feature(name: str, features: Any, kind: type, usual: str) -> str | None:
    """The key of the one feature of a kind, or of the one that is called as usual."""
    keys = [key for key, feature in features.items() if isinstance(feature, kind)]
    if usual in keys:
        return usual
    if len(keys) > 1:
        raise UserError(
            f"Expected a data set with one {usual}. Received: {name!r} with "
            f"{', '.join(keys)}; save the images as a .npz file"
        )
    return keys[0] if keys else None
