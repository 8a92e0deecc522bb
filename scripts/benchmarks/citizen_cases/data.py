"""Data: containers, dtypes, ranges and shapes of images."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from citizen_cases.case import Group, new_path, optional
from citizen_cases.parts import (
    FIT,
    IMAGES,
    compiled,
    discriminator,
    generator,
    losses_by_hand,
    trains,
)
from ganlab import check_gan, load_data

group = Group("data")
READ = "a step's losses are those of the same images as a float32 array"


class Batches(keras.utils.PyDataset):
    """Two batches of 8."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> np.ndarray:
        return IMAGES[index * 8 :][:8]


def _dataset(values: Any = IMAGES) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(values)


def _memory_map() -> np.ndarray:
    path = new_path("images.npy")
    np.save(path, IMAGES)
    return np.load(path, mmap_mode="r")


def _torch() -> Any:
    return optional("torch").from_numpy(IMAGES)


FORMS = {
    "float64": lambda: IMAGES.astype("float64"),
    "tensor": lambda: tf.constant(IMAGES),
    "variable": lambda: tf.Variable(IMAGES),
    "keras-variable": lambda: keras.Variable(IMAGES),
    "memory-map": _memory_map,
    "fortran-order": lambda: np.asfortranarray(IMAGES),
    "torch-tensor": _torch,
    "list-of-one": lambda: [IMAGES],
    "dataset": lambda: _dataset().batch(16),
    "dataset-of-tuples": lambda: _dataset((IMAGES,)).batch(16),
    "dataset-of-dictionaries": lambda: _dataset({"images": IMAGES}).batch(16),
    "dataset-of-unknown-shape": lambda: tf.data.Dataset.from_generator(
        lambda: iter([IMAGES]), output_signature=tf.TensorSpec(None, "float32")
    ),
    "generator": lambda: (batch for batch in [IMAGES]),
    "iterator": lambda: iter([IMAGES]),
    "no-channel-axis": lambda: IMAGES[..., 0],
}


def form(make: Any) -> bool:
    gan = compiled()
    data = make()
    plain = {"batch_size": None} if not isinstance(data, np.ndarray) else {}
    if hasattr(data, "shape") or isinstance(data, list):
        plain = {}
    return trains(gan, data, expected=losses_by_hand(gan, IMAGES), **plain)


for title, maker in FORMS.items():
    group.works(READ, f"data-{title}", f"Images as {title}.")(
        functools.partial(form, maker)
    )


@group.works("both batches are trained on")
def data_pydataset():
    """A `keras.utils.PyDataset`."""
    gan = compiled()
    return trains(gan, Batches(), expected=None, batch_size=None) and gan.step == 2


@group.works("as many steps as asked for")
def data_endless():
    """An endless data set with `steps_per_epoch`."""
    gan = compiled()
    data = _dataset().batch(8).repeat()
    learns = trains(gan, data, expected=None, batch_size=None, steps_per_epoch=3)
    return learns and gan.step == 3


@group.works("255 is the upper end of the generator's range, 0 the lower")
def data_uint8():
    """Images in uint8, as files hold them."""
    gan = compiled()
    stored = np.round((IMAGES + 1) * 127.5).astype("uint8")
    expected = losses_by_hand(gan, stored / np.float32(127.5) - 1)
    return trains(gan, stored, expected=expected)


@group.works("255 is 1 for a generator of [0, 1]")
def data_uint8_under_sigmoid():
    """Images in uint8 for a generator that ends on a sigmoid."""
    gan = compiled(generator(layers.Activation("sigmoid")))
    stored = np.round((IMAGES + 1) * 127.5).astype("uint8")
    return trains(gan, stored, expected=losses_by_hand(gan, stored / np.float32(255)))


@group.works(READ)
def data_float16():
    """Images in float16, to save memory."""
    gan = compiled()
    half = IMAGES.astype("float16")
    return trains(gan, half, expected=losses_by_hand(gan, half.astype("float32")))


@group.works(READ)
def data_pandas():
    """A pandas table of 5 columns, for networks of 5 values."""
    pandas = optional("pandas")
    rows = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
    gan = compiled(generator(shape=(5,)), discriminator(shape=(5,)))
    expected = losses_by_hand(gan, rows)
    return trains(gan, pandas.DataFrame(rows), expected=expected)


@group.works("they pass without a word")
def data_series():
    """Standardised series, whose values leave [-1, 1]."""
    series = np.random.default_rng(0).normal(size=(16, 12, 2)).astype("float32")
    gan = compiled(generator(shape=(12, 2)), discriminator(shape=(12, 2)))
    return trains(gan, series, expected=losses_by_hand(gan, series))


def _tanh() -> Any:
    return compiled(generator(layers.Activation("tanh")))


REFUSED = {
    "bytes-as-floats": (lambda: (IMAGES + 1) * 127.5, "x / 127.5 - 1"),
    "unit-range-under-tanh": (lambda: (IMAGES + 1) / 2, "x * 2 - 1"),
    "nan": (lambda: np.where(IMAGES > 0.9, np.nan, IMAGES), "leave them out"),
    "infinity": (lambda: np.where(IMAGES > 0.9, np.inf, IMAGES), "leave them out"),
    "integers": (lambda: (IMAGES * 9).astype("int64"), "astype('uint8')"),
    "booleans": (lambda: IMAGES > 0, "astype('float32')"),
    "complex": (lambda: IMAGES.astype("complex64"), "astype('float32')"),
    "other-size": (lambda: np.zeros((16, 28, 28, 1), "f4"), "Resizing(8, 8)"),
    "channels-first": (lambda: IMAGES.transpose(0, 3, 1, 2), "np.transpose"),
    "colour": (lambda: np.repeat(IMAGES, 3, -1), "rgb_to_grayscale"),
    "flat": (lambda: IMAGES.reshape(16, 64), "reshape them to (-1, 8, 8, 1)"),
    "not-batched": (_dataset, "dataset.batch(32)"),
    "one-image": (lambda: IMAGES[0], "images[None]"),
    "strings": (lambda: np.full((16, 1), "a.png"), "decode"),
    "paths": (lambda: _dataset(["a.png"] * 4).batch(4), "decode_image"),
    "ragged": (
        lambda: _dataset(tf.ragged.constant([[1.0], [1.0, 2.0]])).batch(2),
        "one size",
    ),
    "sparse": (
        lambda: _dataset(tf.sparse.from_dense(np.eye(64, dtype="f4"))).batch(16),
        "dense",
    ),
    "jagged-list": (lambda: [np.zeros((8, 8, 1)), np.zeros((9, 9, 1))], "np.stack"),
    "list-of-images": (lambda: list(IMAGES), "np.stack"),
    "object-array": (lambda: np.array([None] * 16), "numbers"),
    "unknown-keys": (
        lambda: _dataset({"pixels": IMAGES}).batch(16),
        "map the data set",
    ),
    "four-parts": (lambda: _dataset((IMAGES,) * 4).batch(16), "map the data set"),
    "empty": (lambda: IMAGES[:0], "look at what they were read from"),
    "nothing": (lambda: None, "pass an array or a data set"),
    "path": (lambda: "photos", "ganlab.load_data"),
    "empty-dataset": (lambda: _dataset().batch(16).take(0), "drop_remainder"),
}
for title, (maker, fix) in REFUSED.items():
    group.refused(fix, f"data-{title}", f"Images that do not fit: {title}.")(
        functools.partial(lambda make: _tanh().fit(make(), verbose=0), maker)
    )


@group.refused("x / 2 + 0.5")
def data_signed_under_sigmoid():
    """Images in [-1, 1] for a generator that ends on a sigmoid."""
    compiled(generator(layers.Activation("sigmoid"))).fit(IMAGES, **FIT)


@group.refused("subtract 1")
def second_batch_of_labels():
    """Labels from 1 that reach K in a later batch alone."""
    from citizen_cases.parts import conditional

    labels = np.array([1, 2, 3, 1] * 3 + [4, 4, 4, 4])
    conditional().fit(IMAGES, labels, batch_size=4, shuffle=False, verbose=0)


@group.warns("output_range=")
def data_bytes_as_floats_linear():
    """Images in [0, 255] as floats for a generator without a last activation."""
    return trains(compiled(), (IMAGES + 1) * 127.5, expected=None)


@group.warns("they are not used")
def data_with_labels():
    """Labels for a GAN without classes."""
    labels = np.arange(16)
    gan = compiled()
    return trains(gan, IMAGES, labels, expected=losses_by_hand(gan, IMAGES))


@group.works("`check_gan` names it")
def check_nan():
    """NaN images in `check_gan`."""
    names = {problem.name for problem in check_gan(compiled(), IMAGES * np.nan)}
    return bool(names & {"non_finite", "non_finite_data", "nan_data"})


@group.refused(".npz")
def npy_file():
    """A `.npy` file where `load_data` takes an `.npz`."""
    path = new_path("images.npy")
    np.save(path, IMAGES)
    load_data(f"npz:{path}")


@group.works("every image is decoded and trained on")
def image_folder():
    """`keras.utils.image_dataset_from_directory`, rescaled by `map`."""
    folder = new_path("photos")
    folder.mkdir()
    for index, image in enumerate(IMAGES):
        keras.utils.save_img(folder / f"{index:02}.png", image)
    data = keras.utils.image_dataset_from_directory(
        folder,
        labels=None,
        color_mode="grayscale",
        image_size=(8, 8),
        batch_size=16,
        verbose=False,
    )
    data = data.map(lambda images: images / 127.5 - 1)
    gan = compiled()
    return trains(gan, data, expected=None, batch_size=None) and gan.step == 1
