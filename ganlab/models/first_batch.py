"""Is the first batch what the networks can learn from?

It is looked at before anything is traced or updated. Later batches are not, but for
labels beyond the classes.
"""

import contextlib
import functools
import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.models import reading

if TYPE_CHECKING:
    from ganlab.models.adversarial import AdversarialModel
    from ganlab.models.gan import GAN
    from ganlab.models.translator import Translator

MARGIN = 0.02  # of a range, by which data may exceed it
FAR = 0.25  # of a range, by which noise or augmentation may exceed it
BEYOND_CLASSES = re.compile(r"indices\[\d+\] = (-?\d+) is not in \[0, (\d+)\)")
DARK, BRIGHT = 0.1, 0.5  # images in [0, 1] hold a value below and one above


class CheckedFunction:
    """A model's train or test function that checks the first batch it gets.

    Args:
        function: Of an iterator of batches, as `keras.Model.make_train_function` makes.
        gan: The `ganlab.GAN` or translator that it trains or tests.
        unit: Integer: the fewest images that a batch may hold.
    """

    def __init__(
        self, function: Callable[[Any], Any], gan: "AdversarialModel", unit: int
    ) -> None:
        self.function = function
        self.gan = gan
        self.unit = unit
        self.checks_next = True

    def __call__(self, iterator: Any) -> Any:
        if self.checks_next:
            first = _first(iterator)
            for data in _of_replicas(self.gan, first):
                self.gan.check_batch(data, self.unit)
            self.checks_next = False
            iterator = _put_back(first, iterator, self.gan.steps_per_execution)
        with classes_in_words(getattr(self.gan, "num_classes", None)):
            return self.function(iterator)


@contextlib.contextmanager
def classes_in_words(num_classes: int | None) -> Iterator[None]:
    """Turns what a class beyond a table of classes raises into a `UserError`.

    Args:
        num_classes: Integer, or `None` without classes.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        beyond = BEYOND_CLASSES.search(str(error))
        if beyond is None or num_classes is None:
            raise
        label, size = int(beyond[1]), int(beyond[2])
        if 0 <= label < num_classes and size < num_classes:
            raise UserError(
                f"Expected networks of num_classes={num_classes}. Received: a layer "
                f"with a table of {size}, asked for class {label}; build both "
                "networks and the GAN with the same num_classes"
            ) from None
        if size != num_classes:
            raise
        raise _beyond_classes(label, label, num_classes) from None


def _first(iterator: Any) -> Any:
    try:
        return next(iterator)
    except (StopIteration, tf.errors.OutOfRangeError):
        raise UserError(
            "Expected a batch of images. Received: a data set without any; look at "
            "what it was made from, and at drop_remainder"
        ) from None


def check_next(gan: "AdversarialModel", name: str, unit: int) -> None:
    """Makes a function of a model check the next batch that it gets.

    Args:
        gan: A compiled `ganlab.GAN`.
        name: `"train_function"` or `"test_function"`.
        unit: Integer: the fewest images that a batch may hold.

    Raises:
        UserError: for several steps an execution on several devices, where TensorFlow
            fails.
    """
    devices = gan.distribute_strategy.num_replicas_in_sync
    if devices > 1 and gan.steps_per_execution > 1:
        raise UserError(
            f"Expected steps_per_execution=1 on {devices} devices. Received: "
            f"{gan.steps_per_execution}; leave it out of compile"
        )
    function = getattr(gan, name)
    if isinstance(function, CheckedFunction):
        function = function.function
    setattr(gan, name, CheckedFunction(function, gan, unit))


def _of_replicas(gan: "AdversarialModel", data: Any) -> list[Any]:
    """What every replica gets of a batch."""
    local_results = gan.distribute_strategy.experimental_local_results
    leaves = [
        (None,) if isinstance(leaf, tf.experimental.Optional) else local_results(leaf)
        for leaf in tf.nest.flatten(data)
    ]
    count = max(len(leaf) for leaf in leaves)
    leaves = [leaf if len(leaf) == count else leaf * count for leaf in leaves]
    return [tf.nest.pack_sequence_as(data, part) for part in zip(*leaves, strict=True)]


def _put_back(first: Any, iterator: Any, count: int) -> Iterator[Any]:
    """An iterator of `count` batches, the first of which has been taken already.

    One of tf.data keeps its kind and its shapes, so that nothing is traced twice.
    """
    batches = itertools.islice(itertools.chain([first], iterator), count)
    if not isinstance(iterator, tf.data.Iterator):
        return batches
    as_before = functools.partial(
        tf.data.experimental.from_variant, structure=iterator.element_spec
    )
    ones = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    again = [as_before(tf.data.experimental.to_variant(one)) for one in ones]
    return iter(functools.reduce(tf.data.Dataset.concatenate, again))


def check(gan: "GAN", data: Any, unit: int = 1) -> None:
    """Raises `UserError` unless a batch is what the networks can learn from.

    Args:
        gan: A `ganlab.GAN`.
        data: A batch of values, as `train_step` gets it.
        unit: Integer: the fewest images that it may hold.

    Warns:
        UserWarning: about labels that are not used, and about images on a scale that
            samples are not drawn on.
    """
    labels = reading.parts(data)[1]
    if gan.num_classes is not None:
        _check_labels(labels, gan.num_classes)
    images, classes = reading.read(gan, data)
    if gan.num_classes is None and labels is not None:
        _warn(
            "Expected images alone, for the GAN has no num_classes. Received: labels "
            "too; they are not used"
        )
    images = images.numpy()
    if classes is not None:
        reading.check_counts(len(images), len(classes))
    if 0 < len(images) < unit:
        raise UserError(
            f"Expected batches of {unit} images or more: discriminator_steps times "
            f"packing. Received: a batch of {len(images)}; pass a larger batch_size"
        )
    if images.size:
        _check_finite(images)
        _check_range(gan, float(images.min()), float(images.max()))


def check_pairs(model: "Translator", data: Any, unit: int = 1) -> None:
    """Raises `UserError` unless a batch is what a translator can learn from.

    Args:
        model: A `ganlab.Translator`.
        data: A batch of values, as `train_step` gets it.
        unit: Integer: the fewest pairs that it may hold.

    Warns:
        UserWarning: about images on a scale that the generator does not draw on.
    """
    sources, images = (part.numpy() for part in reading.read_pairs(model, data))
    if len(sources) != len(images):
        raise UserError(
            "Expected as many sources as images in a batch. Received: "
            f"{len(sources)} and {len(images)}; batch both alike, and drop what is left"
        )
    if 0 < len(images) < unit:
        raise UserError(
            f"Expected batches of {unit} pairs or more, discriminator_steps. Received: "
            f"a batch of {len(images)}; pass a larger batch_size"
        )
    if sources[0].shape[:2] != images[0].shape[:2] and model.training == "paired":
        raise UserError(
            "Expected sources of the images' height and width. Received: "
            f"{sources[0].shape[:2]} and {images[0].shape[:2]}; resize the sources"
        )
    for part in (sources, images):
        if part.size:
            _check_finite(part)
            _check_range(model, float(part.min()), float(part.max()))


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=2)


def _check_labels(labels: Any, num_classes: int) -> None:
    """Labels that are no whole numbers, no one-hot rows, or beyond the classes."""
    values = np.asarray(labels)
    if values.dtype.kind not in "biuf" or values.ndim > 2 or not values.size:
        return  # which are refused as they are read
    one_hot = values.ndim == 2 and values.shape[1] == num_classes != 1
    whole = np.isin(values, (0, 1)) if one_hot else values == np.floor(values)
    if not whole.all() or (one_hot and (values.sum(axis=1) != 1).any()):
        raise UserError(
            f"Expected labels from 0 to {num_classes - 1}, or one-hot rows. "
            f"Received: {'other rows' if one_hot else values[~whole].flat[0]!s}; "
            "pass one class for each image"
        )
    if not one_hot and (values.min() < 0 or values.max() >= num_classes):
        raise _beyond_classes(int(values.min()), int(values.max()), num_classes)


def _beyond_classes(low: int, high: int, num_classes: int) -> UserError:
    fix = "number the classes from 0"
    if low == reading.NO_CLASS:
        return UserError(
            f"Expected labels from 0 to {num_classes - 1}, or one-hot rows. Received: "
            "a label that is no whole number, or another row; pass one class for each "
            "image"
        )
    if low >= 1 and high == num_classes:
        fix = "subtract 1"
    elif low == -1:
        fix = "leave out the images that -1 marks as unlabelled"
    elif low >= 0:
        fix = f"build both networks and the GAN with num_classes={high + 1}"
    received = f"labels from {low} to {high}" if low < high else f"the label {low}"
    return UserError(
        f"Expected labels from 0 to {num_classes - 1}. Received: {received}; {fix}"
    )


def _check_finite(images: np.ndarray) -> None:
    bad = ~np.isfinite(images).reshape(len(images), -1).all(axis=1)
    if bad.any():
        raise UserError(
            f"Expected finite images. Received: NaN or infinity in {bad.sum()} of "
            f"{len(images)} images; leave them out"
        )


def _check_range(gan: "AdversarialModel", low: float, high: float) -> None:
    """Images beyond the generator's range, or in a part of it that is another range.

    They are refused if no noise explains them, and the generator has a bound. Samples
    that are no images may have outliers, and may lie anywhere.
    """
    start, end = gan.output_range
    pictorial = len(gan.image_shape) >= 3
    excess = max(start - low, high - end) / (end - start)
    source = _likely_range(low, high)
    unused = pictorial and source == (0.0, 1.0) and (start <= -0.5 or end >= 50.0)
    unused = unused and gan.stated_range is None
    received = (
        f"Received: values in [{low:.4g}, {high:.4g}]; {_fix(source, (start, end))}"
    )
    if gan.known_range is None:
        scaled = kinds.of_shape(gan.image_shape).pictorial  # samples of others are raw
        if scaled and (excess > FAR or unused):
            _warn(
                f"Expected images in [{start:g}, {end:g}], as samples are drawn for a "
                f"generator without a bound. {received}, or state their range as "
                f"GAN(..., output_range={source or (round(low, 2), round(high, 2))})"
            )
    elif unused or (pictorial and excess > FAR):
        stated = f", or, if meant, GAN(..., output_range={(start, end)})"
        raise UserError(
            f"Expected images in [{start:g}, {end:g}], the generator's range. "
            f"{received}{stated if unused else ''}"
        )
    elif excess > MARGIN:
        _warn(
            f"Expected values in [{start:g}, {end:g}], the generator's range, which it "
            f"cannot leave. {received}"
        )


def _likely_range(low: float, high: float) -> tuple[float, float] | None:
    """The usual range of images whose values lie in `[low, high]`.

    >>> _likely_range(3, 250), _likely_range(0.0, 0.98), _likely_range(-0.9, 1.0)
    ((0.0, 255.0), (0.0, 1.0), (-1.0, 1.0))
    """
    if -MARGIN <= low <= DARK and BRIGHT < high <= 1.0 + MARGIN:
        return (0.0, 1.0)
    if low >= 0.0 and 2.0 <= high <= 256.0:
        return (0.0, 255.0)
    if -1.0 - MARGIN <= low < 0.0 and high <= 1.0 + MARGIN:
        return (-1.0, 1.0)
    return None


def _fix(source: tuple[float, float] | None, target: tuple[float, float]) -> str:
    """How images are brought from one range to another.

    >>> _fix((0, 255), (-1, 1)), _fix((-1, 1), (0, 1)), _fix(None, (0, 1))
    ('scale them: x / 127.5 - 1', 'scale them: x / 2 + 0.5', 'scale them to [0, 1]')
    """
    if source is None or source == target:
        return f"scale them to [{target[0]:g}, {target[1]:g}]"
    factor = (target[1] - target[0]) / (source[1] - source[0])
    offset = target[0] - factor * source[0]
    scaled = f"x * {factor:g}" if factor > 1.0 else f"x / {1.0 / factor:g}"
    shifted = f" {'-' if offset < 0 else '+'} {abs(offset):g}" if offset else ""
    return f"scale them: {scaled}{shifted}"
