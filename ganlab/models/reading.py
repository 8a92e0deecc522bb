"""A batch as Keras passes it, read as images and labels.

What can be right is made right; the rest is refused, from shapes and dtypes alone,
so that it happens while a step is traced.
"""

import math
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ganlab.errors import UserError

if TYPE_CHECKING:
    from ganlab.models.adversarial import AdversarialModel
    from ganlab.models.gan import GAN
    from ganlab.models.translator import Translator

IMAGE_KEYS = ("images", "image", "x")
LABEL_KEYS = ("labels", "label", "y")
NO_CLASS = -(2**31)  # what becomes of a label that is no class number
PAIR_KEYS = ("sources", "images")


def read(gan: "GAN", data: Any) -> tuple[Any, Any]:
    """A batch's images and labels as the networks take them.

    Args:
        gan: A `ganlab.GAN`.
        data: Images, or `(images, labels)`, or a dictionary of both; images of
            `gan.image_shape` as floats, or as uint8, which is scaled to
            `gan.output_range`; labels as integers `(batch,)` or `(batch, 1)`, or
            one-hot.

    Returns:
        Images as a float tensor `(batch, *image_shape)`, and labels as an int32 tensor
        `(batch,)`, or `None` for a GAN without classes.

    Raises:
        UserError: if they cannot be read so.
        tensorflow.errors.InvalidArgumentError: as the step runs, for a label beyond the
            classes; XLA takes the nearest class instead.
    """
    images, labels = parts(data)
    images = as_images(gan, images, gan.image_shape)
    if gan.num_classes is None:
        _refuse_pairs(labels)
        return in_every_replica(images), None
    if labels is None:
        raise UserError(
            "Expected batches of (images, labels) for a conditional GAN. "
            "Received: images alone; pass labels as `y` or in the data set"
        )
    labels = _as_classes(_as_labels(labels, gan.num_classes), gan.num_classes)
    return in_every_replica(images), in_every_replica(labels)


def read_pairs(model: "Translator", data: Any) -> tuple[Any, Any]:
    """A batch's sources and images, as a translator's networks take them.

    Args:
        model: A `ganlab.Translator`.
        data: `(sources, images)`, or a dictionary of both; floats, or uint8, which is
            scaled to `model.output_range`.

    Returns:
        Two float tensors, `(batch, *source_shape)` and `(batch, *image_shape)`.

    Raises:
        UserError: if they cannot be read so.
    """
    values = data
    if isinstance(values, (list, tuple)) and len(values) == 1:
        (values,) = values
    if isinstance(values, dict):
        if sorted(values) != sorted(PAIR_KEYS):
            raise UserError(
                f"Expected dictionaries with {' and '.join(PAIR_KEYS)}. Received: the "
                f"keys {sorted(values)}; map the data set to (sources, images)"
            )
        values = [values[key] for key in PAIR_KEYS]
    if isinstance(values, (list, tuple)) and len(values) == 3:
        refuse_weights({"sample_weight": values[2]})
        values = values[:2]
    if not isinstance(values, (list, tuple)) or len(values) != 2 or values[1] is None:
        raise UserError(
            "Expected batches of (sources, images) for a translator. Received: one "
            "part; pass images as `y`, or zip two data sets: "
            "tf.data.Dataset.zip(sources, images)"
        )
    shapes = (model.source_shape, model.image_shape)
    sources, images = (
        in_every_replica(as_images(model, part, shape))
        for part, shape in zip(values, shapes, strict=True)
    )
    return sources, images


def _refuse_pairs(labels: Any) -> None:
    """Raises `UserError` for what is no label: the other image of a translation."""
    shape = tf.TensorShape(getattr(labels, "shape", ()))
    if shape.rank is not None and shape.rank > 2:
        raise UserError(
            "Expected images alone, for the GAN draws what its generator takes. "
            f"Received: pairs, with a second of shape {tuple(shape[1:])}; pass "
            "the images to generate: dataset.map(lambda source, target: target)"
        )


def _refuse_many(values: Any) -> None:
    fix = "map the data set to them"
    if isinstance(values, list):
        fix = "np.stack makes an array of a list of images"
    raise UserError(
        "Expected batches of images, or of (images, labels). Received: a "
        f"{type(values).__name__} of {len(values)}; {fix}"
    )


def whole_groups(values: Any, size: int) -> Any:
    """The first values of a batch, as many as make whole groups of a size.

    A batch of fewer is repeated to make one group.

    Args:
        values: Tensor `(batch, ...)`, or `None`.
        size: Integer, 1 or more.
    """
    if size == 1 or values is None:
        return values
    count = values.shape[0]
    if count is not None and count >= size:
        return values[: count - count % size]
    count = tf.shape(values)[0]
    kept = tf.maximum(count // size, 1) * size
    return tf.gather(values, tf.range(kept) % count)


def in_every_replica(values: Any) -> Any:
    """A batch, or one value of another replica's where a replica's own is empty.

    The last batch of an epoch may hold fewer values than there are replicas.

    Args:
        values: Tensor `(batch, ...)`, or `None`.
    """
    context = tf.distribute.get_replica_context()
    if values is None or context is None or context.num_replicas_in_sync == 1:
        return values
    if values.shape[0] is not None:
        return values
    first_values = context.all_gather(values[:1], axis=0)
    return tf.cond(tf.shape(values)[0] > 0, lambda: values, lambda: first_values[:1])


def parts(data: Any) -> tuple[Any, Any]:
    """Images, and labels or `None`, of what Keras passes to a step."""
    images, labels, weights = _unpacked(data)
    if isinstance(images, dict):
        images, labels = _parts_of_dictionary(images, labels)
    if isinstance(images, (list, tuple)) and labels is None:
        images, labels, weights = _unpacked(images)
    refuse_weights({"sample_weight": weights})
    if isinstance(images, (dict, list, tuple)):
        _refuse_many(images)
    return images, labels


def _unpacked(data: Any) -> tuple[Any, Any, Any]:
    """The up to three parts of a batch; the first is the whole where there are more."""
    if isinstance(data, (list, tuple)) and 0 < len(data) <= 3:
        return (*data, None, None)[:3]
    return data, None, None


def check_counts(num_images: int, num_labels: int) -> None:
    """Raises `UserError` unless there are as many labels as images."""
    if num_images != num_labels:
        raise UserError(
            "Expected a label for each image. Received: "
            f"{num_images} images and {num_labels} labels; pass as many"
        )


def refuse_weights(options: dict[str, Any]) -> None:
    """Raises `UserError` for weights of samples or classes, among other options."""
    for name in ("sample_weight", "class_weight"):
        if options.get(name) is not None:
            raise UserError(
                "Expected batches without weights of samples or classes. Received: "
                f"{name}; draw rare samples more often, as "
                "tf.data.Dataset.sample_from_datasets does"
            )


def _parts_of_dictionary(batch: dict[str, Any], labels: Any) -> tuple[Any, Any]:
    image_keys = [key for key in IMAGE_KEYS if key in batch]
    label_keys = [key for key in LABEL_KEYS if key in batch]
    if len(image_keys) != 1 or len(label_keys) > 1:
        raise UserError(
            "Expected dictionaries with 'images' and 'labels'. Received: the keys "
            f"{sorted(batch)}; map the data set to (images, labels)"
        )
    if labels is None and label_keys:
        labels = batch[label_keys[0]]
    return batch[image_keys[0]], labels


def _as_tensor(values: Any, name: str) -> tf.Tensor:
    if isinstance(values, (tf.RaggedTensor, tf.SparseTensor)):
        raise UserError(
            f"Expected {name} as one dense tensor. Received: a "
            f"{type(values).__name__}; bring all to one size and batch them"
        )
    try:
        return tf.convert_to_tensor(values)
    except (ValueError, TypeError):
        raise UserError(
            f"Expected {name} as one array of numbers. Received: a "
            f"{type(values).__name__} that is none; make it one with np.stack"
        ) from None


def as_images(
    model: "AdversarialModel", values: Any, shape: tuple[int | None, ...]
) -> tf.Tensor:
    """Images of a shape as floats; uint8 is scaled to the model's range of images."""
    images = _as_tensor(values, "images")
    if images.dtype == tf.string:
        raise UserError(
            "Expected images as floats or uint8. Received: string; read the files and "
            "decode them with tf.io.decode_image"
        )
    images = _with_shape(images, shape)
    dtype = "float64" if model.generator.compute_dtype == "float64" else "float32"
    if images.dtype.is_floating:
        return tf.cast(images, dtype)
    if images.dtype == tf.uint8 and len(shape) >= 3:
        low, high = model.output_range
        return tf.cast(images, dtype) / (255.0 / (high - low)) + low
    fix = "cast them with .astype('float32')"
    if images.dtype.is_integer:
        fix = "cast those from 0 to 255 with .astype('uint8'), or scale them"
    raise UserError(
        f"Expected images as floats or uint8. Received: {images.dtype.name}; {fix}"
    )


def _with_shape(images: tf.Tensor, expected: tuple[int | None, ...]) -> tf.Tensor:
    """Images of an expected shape, with an axis of one channel added or removed."""
    if images.shape.rank is None:
        return tf.reshape(images, (-1, *expected))  # as the first batch can be read
    if _agree(images.shape[1:], expected):
        return images
    if expected[-1:] == (1,) and _agree(images.shape[1:], expected[:-1]):
        return images[..., None]
    if images.shape[-1:] == (1,) and _agree(images.shape[1:-1], expected):
        return images[..., 0]
    received = tuple(images.shape)
    raise UserError(
        f"Expected images of shape {_text((None, *expected))}, as the generator's. "
        f"Received: {_text(received)}; {_fix_of_shape(received, expected)}"
    )


def _agree(received: Any, expected: tuple[int | None, ...]) -> bool:
    return len(received) == len(expected) and all(
        one is None or other is None or one == other
        for one, other in zip(received, expected, strict=True)
    )


def _text(shape: tuple[Any, ...]) -> str:
    """A shape as text, where `n` is any number.

    >>> _text((None, 28, 28, 1))
    '(n, 28, 28, 1)'
    """
    sizes = ["n" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def _fix_of_shape(received: tuple[Any, ...], expected: tuple[Any, ...]) -> str:
    sample = received[1:]
    if _agree(received, expected) or _agree((*received, 1), expected):
        return "batch them: dataset.batch(32), or images[None] for one image"
    if len(expected) == len(sample) == 3:
        if _agree((*sample[1:], sample[0]), expected):
            return "channels come last: np.transpose(images, (0, 2, 3, 1))"
        if sample[:2] == expected[:2]:
            change = {
                (1, 3): "tf.image.grayscale_to_rgb makes three channels of one",
                (3, 1): "tf.image.rgb_to_grayscale makes one channel of three",
            }
            general = f"bring them to {expected[-1]} channel(s), or build for theirs"
            return change.get((sample[-1], expected[-1]), general)
        if sample[-1] == expected[-1]:
            return (
                f"keras.layers.Resizing({expected[0]}, {expected[1]}) resizes them, or "
                f"build the networks for {sample[0]} by {sample[1]}"
            )
    if None not in sample and math.prod(sample) == math.prod(expected):
        return f"reshape them to (-1, {', '.join(map(str, expected))})"
    return "bring them to that shape, or build the networks for theirs"


def _as_labels(values: Any, num_classes: int) -> tf.Tensor:
    """Integer labels `(batch,)` in the dtype that they came in."""
    labels = _as_tensor(values, "labels")
    if labels.dtype == tf.string:
        raise UserError(
            f"Expected labels as integers from 0 to {num_classes - 1}. Received: "
            "strings; number them with np.unique(labels, return_inverse=True)[1]"
        )
    if labels.shape.rank is None:
        labels = tf.ensure_shape(labels, (None,))
    if labels.shape.rank == 2 and labels.shape[-1] == 1:
        return labels[:, 0]
    if labels.shape.rank == 2 and labels.shape[-1] == num_classes:
        return _of_rows(labels)
    if labels.shape.rank != 1:
        raise UserError(
            f"Expected labels of shape (n,), or one-hot (n, {num_classes}). Received: "
            f"{_text(tuple(labels.shape))}; pass one integer for each image"
        )
    return labels


def _of_rows(rows: tf.Tensor) -> tf.Tensor:
    """Classes of one-hot rows, `NO_CLASS` of other rows."""
    if rows.dtype == tf.bool:
        rows = tf.cast(rows, "int32")
    ones = tf.reduce_sum(tf.cast(rows == 1, "int32"), axis=-1)
    zeros = tf.reduce_sum(tf.cast(rows == 0, "int32"), axis=-1)
    one_hot = (ones == 1) & (ones + zeros == rows.shape[-1])
    return tf.where(one_hot, tf.argmax(rows, axis=-1, output_type="int32"), NO_CLASS)


def _as_classes(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Labels in int32, which stop the step where they are beyond the classes."""
    if labels.dtype.is_floating:
        whole = labels == tf.floor(labels)
        labels = tf.where(whole, tf.cast(labels, "int32"), NO_CLASS)
    indices = tf.cast(labels, "int64" if labels.dtype.size > 4 else "int32")
    with tf.device("CPU:0"):  # where a gather refuses what it has not
        return tf.gather(tf.range(num_classes), indices)
