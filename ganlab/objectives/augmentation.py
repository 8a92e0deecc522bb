"""Augmentation of what the discriminator sees, for small data.

Real and fake images pass through the same random transformations on their way
to the discriminator, and the generator's gradient passes back through them:

    diffaugment   colour, translation and cutout on every image
    ada           flips, turns, scales and colours, each with a probability
                  that rises while the discriminator overfits

Transformations are exact where they are the identity. What lies outside an
image is the middle grey, 0.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, unknown_name

POLICY = ("color", "translation", "cutout")
INTERVAL = 4


class Augmentation(keras.layers.Layer):
    """Base class: random transformations that gradients pass through."""

    adapts = False

    def __init__(self) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.built = True

    def augment(self, images: Any, seed: Any) -> Any:
        """Returns images of the same shape.

        Args:
            images: Float tensor `(batch, height, width, channels)` in [-1, 1].
            seed: Int tensor `(2,)`: seed of the transformations.
        """
        raise NotImplementedError

    def after_step(self, real_margins: Any) -> None:
        """Called after every step, with the margins of the real images."""


@keras.saving.register_keras_serializable(package="ganlab")
class DiffAugment(Augmentation):
    """Differentiable augmentation: every image, every time.

        color        x + U(-½, ½); saturation times U(0, 2); contrast times U(½, 3/2)
        translation  by up to an eighth of each side, in whole pixels
        cutout       a square of half the side is blanked, part of it outside

    Args:
        policy: String: one or more of `color`, `translation`, `cutout`, joined by
            commas. Defaults to all three.

    Reference:
        [Zhao et al., 2020](https://arxiv.org/abs/2006.10738)
    """

    def __init__(self, policy: str = "color,translation,cutout") -> None:
        super().__init__()
        for name in policy.split(","):
            if name not in POLICY:
                raise unknown_name("augmentation policy", name, POLICY)
        self.policy = policy

    def augment(self, images: Any, seed: Any) -> Any:
        random = _Random(seed, images)
        chosen = self.policy.split(",")
        if "color" in chosen:
            images = images + random.uniform(-0.5, 0.5)
            grey = ops.mean(images, axis=3, keepdims=True)
            images = grey + (images - grey) * random.uniform(0.0, 2.0)
            mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
            images = mean + (images - mean) * random.uniform(0.5, 1.5)
        if "translation" in chosen:
            shifts = [
                ops.round(random.uniform(-1.0, 1.0) * (side / 8))
                for side in images.shape[1:3]
            ]
            images = resample(images, translation(*(_flat(s) for s in shifts)))
        if "cutout" in chosen:
            images = images * self._kept(images, random)
        return images

    def _kept(self, images: Any, random: "_Random") -> Any:
        """1 outside a square of half the side, 0 inside."""
        outside = 0.0
        for axis, side in ((1, images.shape[1]), (2, images.shape[2])):
            size = (side + 1) // 2
            centre = ops.floor(random.uniform(0.0, side + 1 - size % 2))
            shape = [1, 1, 1, 1]
            shape[axis] = side
            position = ops.reshape(ops.arange(side, dtype="float32"), shape)
            start = centre - size // 2
            inside = ops.logical_and(position >= start, position < start + size)
            outside = ops.maximum(outside, 1.0 - ops.cast(inside, images.dtype))
        return outside

    def get_config(self) -> dict[str, Any]:
        return {"policy": self.policy}


@keras.saving.register_keras_serializable(package="ganlab")
class AdaptiveAugment(Augmentation):
    """Adaptive discriminator augmentation (ADA).

    Each transformation is applied with probability `p`: mirroring, quarter
    turns, whole-pixel and fractional translation, scaling, stretching,
    rotation, brightness, contrast, luma flip, hue and saturation, with the
    paper's strengths. Every 4 steps `p` moves by what would take it from 0
    to 1 in `images_to_full` real images: up where

        r_t = E[sign(D(x))] > target

    on real images, which says that the discriminator overfits, else down. It
    stays within [0, limit]: beyond that, augmentations leak into the
    generated images. `p` is a weight, saved with the GAN.

    Geometry is one bilinear resampling; the paper also filters before and
    after it.

    Args:
        target: Float in (0, 1). Defaults to `0.6`.
        limit: Float in [0, 1]. Largest `p`. Defaults to `0.8`.
        images_to_full: Integer: real images for `p` from 0 to 1. Defaults to
            `500_000`.

    Reference:
        [Karras et al., 2020](https://arxiv.org/abs/2006.06676), section 3 and
        appendix B
    """

    adapts = True

    def __init__(
        self, target: float = 0.6, limit: float = 0.8, images_to_full: int = 500_000
    ) -> None:
        super().__init__()
        if not (0.0 < target < 1.0 and 0.0 <= limit <= 1.0 and images_to_full > 0):
            raise UserError(
                "Expected a target in (0, 1), a limit in [0, 1] and images_to_full "
                f"above 0. Received: {target}, {limit} and {images_to_full}"
            )
        self.target = target
        self.limit = limit
        self.images_to_full = images_to_full
        self.probability, self.sign_sum, self.observed = (
            self.add_weight(
                shape=(),
                initializer="zeros",
                trainable=False,
                aggregation="mean",
                name=name,
            )
            for name in ("probability", "sign_sum", "observed")
        )

    def augment(self, images: Any, seed: Any) -> Any:
        random = _Random(seed, images)
        images = resample(images, self._geometry(images, random))
        return self._colour(images, random)

    def after_step(self, real_margins: Any) -> None:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        num_images = replicas * ops.cast(ops.shape(real_margins)[0], "float32")
        signs = self.sign_sum + ops.mean(ops.sign(real_margins))
        observed = self.observed + 1.0
        due = ops.cast(observed >= INTERVAL, "float32")
        direction = ops.sign(signs / observed - self.target)
        change = due * direction * INTERVAL * num_images / self.images_to_full
        self.probability.assign(ops.clip(self.probability + change, 0.0, self.limit))
        self.sign_sum.assign((1.0 - due) * signs)
        self.observed.assign((1.0 - due) * observed)

    def _geometry(self, images: Any, random: "_Random") -> Any:
        """Matrix from output pixels to input pixels, `(batch, 3, 3)`."""
        height, width = images.shape[1:3]
        p = self.probability

        def at_random(value: Any, identity: float, chance: Any = p) -> Any:
            return _flat(ops.where(random.uniform(0.0, 1.0) < chance, value, identity))

        mirrored = at_random(-1.0, 1.0, 0.5 * p)
        quarter = ops.floor(random.uniform(0.0, 4.0)) * (math.pi / 2)
        whole = [
            at_random(ops.round(random.uniform(-1.0, 1.0) * (side / 8)), 0.0)
            for side in (height, width)
        ]
        scale = at_random(ops.exp2(random.normal(0.2)), 1.0)
        either = 1.0 - ops.sqrt(1.0 - p)  # the chance of one turn or the other is p
        turns = [
            at_random(random.uniform(-math.pi, math.pi), 0.0, either) for _ in range(2)
        ]
        stretch = at_random(ops.exp2(random.normal(0.2)), 1.0)
        fraction = [
            at_random(random.normal(0.125) * side, 0.0) for side in (height, width)
        ]
        one = ops.ones_like(scale)
        matrix = scaling(one, mirrored)
        for step in (
            rotation(at_random(quarter, 0.0)),
            translation(*whole),
            scaling(scale, scale),
            rotation(turns[0]),
            scaling(stretch, 1.0 / stretch),
            rotation(turns[1]),
            translation(*fraction),
        ):
            matrix = ops.matmul(matrix, step)
        return matrix

    def _colour(self, images: Any, random: "_Random") -> Any:
        p = self.probability

        def at_random(value: Any, identity: float) -> Any:
            return ops.where(random.uniform(0.0, 1.0) < p, value, identity)

        images = images + at_random(random.normal(0.2), 0.0)
        images = images * at_random(ops.exp2(random.normal(0.5)), 1.0)
        flip = at_random(ops.floor(random.uniform(0.0, 2.0)), 0.0)
        luma = ops.mean(images, axis=3, keepdims=True)
        images = images - 2.0 * flip * luma
        if images.shape[3] == 1:
            return images
        luma = ops.mean(images, axis=3, keepdims=True)
        chroma = rotate_about_grey(
            images - luma, at_random(random.uniform(-math.pi, math.pi), 0.0)
        )
        return luma + chroma * at_random(ops.exp2(random.normal(1.0)), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "limit": self.limit,
            "images_to_full": self.images_to_full,
        }


class _Random:
    """Numbers `(batch, 1, 1, 1)`, each call from a seed of its own."""

    def __init__(self, seed: Any, images: Any) -> None:
        self.seed = seed
        self.shape = (ops.shape(images)[0], 1, 1, 1)
        self.count = 0

    def _next(self) -> Any:
        self.count += 1
        return tf.random.experimental.stateless_fold_in(self.seed, self.count)

    def uniform(self, low: float, high: float) -> Any:
        """Uniform in [low, high)."""
        return low + (high - low) * tf.random.stateless_uniform(
            self.shape, self._next()
        )

    def normal(self, deviation: float) -> Any:
        """Gaussian of mean 0."""
        return deviation * tf.random.stateless_normal(self.shape, self._next())


def _flat(values: Any) -> Any:
    return ops.reshape(values, (-1,))


def _matrix(rows: Sequence[Sequence[Any]]) -> Any:
    """Stacks entries `(batch,)` or floats to `(batch, 3, 3)`."""
    like = next(entry for row in rows for entry in row if not isinstance(entry, float))
    return ops.stack(
        [
            ops.stack([entry * ops.ones_like(like) for entry in row], axis=-1)
            for row in rows
        ],
        axis=-2,
    )


def translation(down: Any, right: Any) -> Any:
    """Matrices `(batch, 3, 3)` of the translation of rows and columns."""
    return _matrix([[1.0, 0.0, -down], [0.0, 1.0, -right], [0.0, 0.0, 1.0]])


def scaling(down: Any, right: Any) -> Any:
    """Matrices `(batch, 3, 3)` of the scaling of rows and columns."""
    return _matrix([[1.0 / down, 0.0, 0.0], [0.0, 1.0 / right, 0.0], [0.0, 0.0, 1.0]])


def rotation(angle: Any) -> Any:
    """Matrices `(batch, 3, 3)` of the rotation by angles in radians."""
    cos, sin = ops.cos(angle), ops.sin(angle)
    return _matrix([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def rotate_about_grey(chroma: Any, angle: Any) -> Any:
    """Rotates colours about the grey axis (Rodrigues); `chroma` is orthogonal to it."""
    red, green, blue = ops.split(chroma, 3, axis=3)
    across = ops.concatenate([blue - green, red - blue, green - red], axis=3)
    return chroma * ops.cos(angle) + across * (ops.sin(angle) / math.sqrt(3.0))


def resample(images: Any, matrix: Any) -> Any:
    """Bilinear samples at `matrix @ (row, column, 1)` from the centre; 0 outside.

    Gathers the four neighbours, so that the gradient is the exact transpose.
    """
    height, width, channels = images.shape[1:]
    middle = ops.convert_to_tensor([(height - 1) / 2, (width - 1) / 2], "float32")
    rows, columns = ops.meshgrid(
        ops.arange(height, dtype="float32") - middle[0],
        ops.arange(width, dtype="float32") - middle[1],
        indexing="ij",
    )
    grid = ops.stack([_flat(rows), _flat(columns), _flat(ops.ones_like(rows))])
    positions = ops.matmul(matrix[:, :2], grid) + middle[:, None]
    # Rounding may leave a whole number a hair below itself.
    near = ops.floor(positions + 1e-4)
    fraction = ops.clip(positions - near, 0.0, 1.0)
    flat = ops.reshape(images, (-1, height * width, channels))
    total = 0.0
    for down in (0, 1):
        for right in (0, 1):
            row, column = near[:, 0] + down, near[:, 1] + right
            weight = ops.abs(1 - down - fraction[:, 0]) * ops.abs(
                1 - right - fraction[:, 1]
            )
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = ops.clip(row, 0, height - 1) * width + ops.clip(
                column, 0, width - 1
            )
            picked = tf.gather(flat, ops.cast(index, "int32"), batch_dims=1)
            kept = weight * ops.cast(inside, "float32")
            total += picked * ops.cast(kept[..., None], images.dtype)
    return ops.reshape(total, (-1, height, width, channels))


AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "diffaugment": DiffAugment,
    "ada": AdaptiveAugment,
}


def get(augmentation: str | Augmentation | None) -> Augmentation | None:
    """Returns the augmentation for a name, `None`, or `augmentation` itself.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    if augmentation is None or augmentation == "none":
        return None
    if not isinstance(augmentation, str):
        return augmentation
    if augmentation not in AUGMENTATIONS:
        raise unknown_name("augmentation", augmentation, ["none", *AUGMENTATIONS])
    return AUGMENTATIONS[augmentation]()
