"""Labels: forms, dtypes and mistakes."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from citizen_cases.case import Group, optional
from citizen_cases.parts import FIT, IMAGES, LABELS, conditional, losses_by_hand, trains

group = Group("labels")
READ = "a step's losses are those of the class numbers"


def _series() -> Any:
    return optional("pandas").Series(LABELS)


FORMS = {
    "int64": lambda: LABELS,
    "uint8": lambda: LABELS.astype("uint8"),
    "whole-floats": lambda: LABELS.astype("float32"),
    "column": lambda: LABELS[:, None],
    "one-hot": lambda: np.eye(4)[LABELS],
    "one-hot-integers": lambda: np.eye(4, dtype="int64")[LABELS],
    "tensor": lambda: tf.constant(LABELS),
    "pandas-series": _series,
}


def form(make: Any) -> bool:
    gan = conditional()
    expected = losses_by_hand(gan, IMAGES, LABELS)
    return trains(gan, IMAGES, make(), expected=expected)


for title, maker in FORMS.items():
    group.works(READ, f"labels-{title}", f"Labels as {title}.")(
        functools.partial(form, maker)
    )

CONTAINERS = {
    "tuple-as-x": lambda: (IMAGES, LABELS),
    "list-as-x": lambda: [IMAGES, LABELS],
    "dictionary": lambda: {"images": IMAGES, "labels": LABELS},
    "dataset": lambda: tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(16),
    "dataset-of-dictionaries": lambda: tf.data.Dataset.from_tensor_slices(
        {"image": IMAGES, "label": LABELS}
    ).batch(16),
    "generator": lambda: (batch for batch in [(IMAGES, LABELS)]),
}


def container(make: Any) -> bool:
    gan = conditional()
    data = make()
    in_batches = not isinstance(data, (tuple, list, dict))
    options = {"batch_size": None} if in_batches else {}
    return trains(gan, data, expected=losses_by_hand(gan, IMAGES, LABELS), **options)


for title, maker in CONTAINERS.items():
    group.works(READ, f"labels-in-{title}", f"Images and labels as {title}.")(
        functools.partial(container, maker)
    )

REFUSED = {
    "from-1": (lambda: LABELS + 1, "subtract 1"),
    "unlabelled": (lambda: LABELS - 1, "-1 marks as unlabelled"),
    "too-many-classes": (lambda: LABELS * 3, "num_classes=10"),
    "missing": (lambda: None, "pass labels as `y`"),
    "strings": (lambda: LABELS.astype(str), "np.unique"),
    "fractions": (lambda: LABELS + 0.5, "one class for each image"),
    "nan": (lambda: np.full(16, np.nan), "one class for each image"),
    "soft": (lambda: np.full((16, 4), 0.25), "one class for each image"),
    "multi-hot": (lambda: np.ones((16, 4)), "one class for each image"),
    "other-columns": (lambda: np.eye(5)[LABELS], "one integer for each image"),
    "maps": (lambda: np.zeros((16, 8, 8), "int64"), "one integer for each image"),
    "too-few": (lambda: LABELS[:8], "pass as many"),
}
for title, (maker, fix) in REFUSED.items():
    group.refused(fix, f"labels-{title}", f"Labels that do not fit: {title}.")(
        functools.partial(lambda make: conditional().fit(IMAGES, make(), **FIT), maker)
    )


@group.works("the images are those of the classes asked for")
def sampled_labels():
    """`sample` with labels."""
    gan = conditional()
    alike = gan.sample(4, labels=[2, 2, 2, 2])
    mixed = gan.sample(4, labels=[2, 0, 2, 1])
    same = [np.array_equal(*pair) for pair in zip(alike, mixed, strict=True)]
    return same == [True, False, True, False]


SAMPLED = {
    "sampled-beyond": ([4, 0, 1, 2], "0"),
    "sampled-too-few": ([1, 2], "4"),
    "sampled-negative": ([-1, 0, 0, 0], "0"),
}
for title, (given, fix) in SAMPLED.items():
    group.refused(
        fix, f"labels-{title}", f"`sample` with labels {given} for 4 images."
    )(functools.partial(lambda value: conditional().sample(4, labels=value), given))


@group.works("it is the averaged generator on latents and classes")
def predict_with_labels():
    """`predict` on `[latents, labels]`."""
    gan = conditional()
    inputs = [np.ones((16, 4), "float32"), LABELS]
    return np.allclose(gan.predict(inputs, verbose=0), gan.generator(inputs), atol=1e-5)


@group.refused("pass labels as `y`")
def evaluate_without_labels():
    """`evaluate` of a conditional GAN without labels."""
    conditional().evaluate(IMAGES, verbose=0)
