"""What batches come from, and what Keras's own readers would stop at."""

import functools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from citizen_cases import parts
from citizen_cases.case import Group
from citizen_cases.parts import FIT, IMAGES, LABELS, trains
from ganlab import draw_latents

group = Group("feeds")
PLAIN = {"batch_size": None}
EAGER = {"run_eagerly": True}
compiled = functools.partial(parts.compiled, **EAGER)
conditional = functools.partial(parts.conditional, **EAGER)
refusing = functools.cache(compiled)  # no refusal changes it
READ = "a step's losses are those of the same images as an array"


def _dataset(values: Any = IMAGES) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(values).batch(16)


def _batches() -> Iterator[np.ndarray]:
    yield IMAGES


class Loader:
    """Batches as PyTorch's loaders give them, of another package."""

    def __iter__(self) -> Iterator[np.ndarray]:
        return _batches()


class Endless(keras.utils.PyDataset):
    """A data set that does not say how many batches it has."""

    def __getitem__(self, index: int) -> np.ndarray:
        return IMAGES


class Empty(Endless):
    """A data set of no batches."""

    def __len__(self) -> int:
        return 0


@group.works(READ)
def generator_of_lists():
    """A generator of lists of numbers."""
    gan = compiled()
    expected = parts.losses_by_hand(gan, IMAGES)
    return trains(gan, iter([IMAGES.tolist()]), expected=expected, **PLAIN)


@group.works(READ)
def generator_of_listed_pairs():
    """A generator of lists `[images, labels]`, labels as a list."""
    gan = conditional()
    expected = parts.losses_by_hand(gan, IMAGES, LABELS)
    batches = iter([[IMAGES, LABELS.tolist()]])
    return trains(gan, batches, expected=expected, **PLAIN)


@group.works("they are read as class numbers")
def labels_list():
    """Labels as a list."""
    gan = conditional()
    expected = parts.losses_by_hand(gan, IMAGES, LABELS)
    return trains(gan, IMAGES, LABELS.tolist(), expected=expected)


VALIDATION = {
    "generator": lambda: (batch for batch in [IMAGES]),
    "list": lambda: [IMAGES],
    "dictionary": lambda: {"images": IMAGES},
}


def validated(make: Any) -> bool:
    history = compiled().fit(IMAGES, validation_data=make(), **FIT).history
    return np.isfinite(history["val_d_loss"][0])


for title, maker in VALIDATION.items():
    group.works(
        "every epoch is validated",
        f"validation-{title}",
        f"Validation data as {title}.",
    )(functools.partial(validated, maker))


@group.works("it is what `predict` draws of the array")
def predict_list():
    """`predict` on a list of numbers."""
    gan, latents = compiled(), draw_latents(2, 4)
    drawn = gan.predict(latents.tolist(), verbose=0)
    return np.allclose(drawn, gan.predict(latents, verbose=0))


@group.works("the error that it raised is raised")
def generator_that_fails():
    """A generator that raises in its second batch."""

    def batches() -> Iterator[np.ndarray]:
        yield IMAGES
        raise FileNotFoundError("cat.png")

    try:
        compiled().fit(batches(), shuffle=False, verbose=0)
    except FileNotFoundError as error:
        return str(error) == "cat.png"
    return False


REFUSED = {
    "generator-function": (lambda: _batches, "call it"),
    "loader": (Loader, "iter(batches)"),
    "range": (lambda: range(5), "pass an array"),
    "number": (lambda: 5, "pass an array"),
    "array-of-no-axis": (lambda: np.array(3.0), "one number"),
    "set": (lambda: {1, 2}, "pass an array"),
    "bytes": (lambda: b"abc", "ganlab.load_data"),
    "dates": (lambda: np.zeros((16, 8, 8, 1), "datetime64[s]"), "array of numbers"),
    "float128": (lambda: IMAGES.astype("longdouble"), "astype('float32')"),
    "records": (lambda: np.zeros(16, [("a", "f4"), ("b", "f4")]), "array of numbers"),
    "empty-generator": (lambda: iter([]), "pass an array"),
    "pydataset-without-length": (Endless, "num_batches"),
    "empty-pydataset": (Empty, "length 0"),
    "endless": (lambda: _dataset().repeat(), "pass steps_per_epoch"),
}
for title, (maker, fix) in REFUSED.items():
    group.refused(fix, f"feed-{title}", f"Images as {title}.")(
        functools.partial(lambda make: refusing().fit(make(), verbose=0), maker)
    )
VALIDATION_REFUSED = {
    "path": (lambda: "photos", "ganlab.load_data"),
    "endless": (lambda: _dataset().repeat(), "pass validation_steps"),
    "empty": (lambda: IMAGES[:0], "look at what they were read from"),
    "other-size": (lambda: np.zeros((4, 9, 9, 1), "f4"), "Resizing(8, 8)"),
    "weights": (lambda: (IMAGES, LABELS, np.ones(16)), "sample_weight"),
}


def validate(make: Any) -> None:
    refusing().fit(IMAGES, validation_data=make(), **FIT)


for title, (maker, fix) in VALIDATION_REFUSED.items():
    group.refused(fix, f"validation-{title}-refused", f"Validation data: {title}.")(
        functools.partial(validate, maker)
    )


@group.refused("tf.data.Dataset.zip")
def labels_beside_dataset():
    """`fit(dataset, labels)`."""
    refusing().fit(_dataset(), LABELS, verbose=0)


@group.refused("tf.data.Dataset.zip")
def labels_beside_generator():
    """`fit(generator, labels)`."""
    refusing().fit(_batches(), LABELS, verbose=0)


LATER = {
    "fraction": lambda: np.where(np.arange(16) == 12, 0.5, LABELS),
    "nan": lambda: np.where(np.arange(16) == 12, np.nan, LABELS),
    "not-one-hot": lambda: np.eye(4)[LABELS] * (np.arange(16) != 12)[:, None],
    "soft": lambda: np.where(np.arange(16)[:, None] == 12, 0.25, np.eye(4)[LABELS]),
}


def later(make: Any) -> None:
    conditional().fit(IMAGES, make(), batch_size=4, shuffle=False, verbose=0)


for title, maker in LATER.items():
    group.refused("one class for each image", f"later-{title}", f"A later {title}.")(
        functools.partial(later, maker)
    )

PREDICTED = {
    "number": (lambda: 5, "pass an array"),
    "nothing": (lambda: None, "draw_latents"),
    "one-latent": (lambda: np.ones(4), "draw_latents"),
}
for title, (maker, fix) in PREDICTED.items():
    group.refused(fix, f"predict-{title}", f"`predict` on {title}.")(
        functools.partial(lambda make: refusing().predict(make(), verbose=0), maker)
    )


@group.refused("labels from 0 to 3")
def predict_labels_beyond():
    """`predict` with a label that there is not."""
    conditional().predict([np.ones((2, 4), "f4"), np.array([7, -1])], verbose=0)
