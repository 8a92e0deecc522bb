"""Differentiable augmentation of Zhao et al."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, unknown_name
from ganlab.objectives.augmentation.base import (
    Augmentation,
    Random,
    per_image,
    to_computed,
)
from ganlab.objectives.augmentation.colour import luma, on_colours

POLICY = ("color", "translation", "cutout")


@keras.saving.register_keras_serializable(package="ganlab")
class DiffAugment(Augmentation):
    """Differentiable augmentation: every image, every time.

        color        x + U(-½, ½); saturation times U(0, 2); contrast times U(½, 3/2)
        translation  by whole pixels, each shift of up to an eighth of the side as
                     likely as another; what comes from outside is 0
        cutout       a square of half the side is set to 0, its centre anywhere

    Eighths and halves of a side are rounded, ½ upwards. Of 2 and 4 channels the
    last is opacity, which `color` leaves.

    Args:
        policy: String: `color`, `translation` and `cutout`, some of them, in the
            order in which they are applied, joined by commas. Defaults to all three.

    Reference:
        [Zhao et al., 2020](https://arxiv.org/abs/2006.10738)
    """

    def __init__(self, policy: str = "color,translation,cutout") -> None:
        super().__init__()
        if not isinstance(policy, str):
            raise UserError(
                "Expected policy as a string such as 'color,cutout'. Received: "
                f"policy={policy!r}; join the names by commas"
            )
        for name in policy.split(","):
            if name not in POLICY:
                raise unknown_name("augmentation policy", name, POLICY)
        self.policy = policy

    def augment(self, images: Any, seed: Any) -> Any:
        random = Random(seed, images)
        augmented = to_computed(images)
        for name in self.policy.split(","):
            augmented = _TRANSFORMATIONS[name](augmented, random)
        return ops.cast(augmented, images.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"policy": self.policy}


def _color(images: Any, random: Random) -> Any:
    brightness, saturation, contrast = (
        per_image(random.uniform(low, high), images)
        for low, high in ((-0.5, 0.5), (0.0, 2.0), (0.5, 1.5))
    )

    def change(colours: Any) -> Any:
        colours = colours + brightness
        grey = luma(colours)
        colours = grey + (colours - grey) * saturation
        mean = ops.mean(colours, axis=(1, 2, 3), keepdims=True)
        return mean + (colours - mean) * contrast

    return on_colours(change, images)


def _translation(images: Any, random: Random) -> Any:
    for axis in (1, 2):
        side = images.shape[axis]
        most = int(side / 8 + 0.5)
        shift = random.below(2 * most + 1) - most
        source = ops.arange(side, dtype="float32") - shift[:, None]
        padding = [[0, 0]] * 4
        padding[axis] = [1, 1]
        index = ops.cast(ops.clip(source + 1, 0, side + 1), "int32")
        images = tf.gather(tf.pad(images, padding), index, axis=axis, batch_dims=1)
    return images


def _cutout(images: Any, random: Random) -> Any:
    kept = 0.0
    for axis in (1, 2):
        side = images.shape[axis]
        size = int(side / 2 + 0.5)
        start = random.below(side + 1 - size % 2) - size // 2
        shape = [1, 1, 1, 1]
        shape[axis] = side
        distance = ops.reshape(ops.arange(side, dtype="float32"), shape) - ops.reshape(
            start, (-1, 1, 1, 1)
        )
        outside = ops.logical_or(distance < 0, distance >= size)
        kept = ops.maximum(kept, ops.cast(outside, images.dtype))
    return images * kept


_TRANSFORMATIONS = {"color": _color, "translation": _translation, "cutout": _cutout}
