"""Adaptive discriminator augmentation of Karras et al."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.objectives.arguments import add_averages
from ganlab.objectives.augmentation.base import (
    Augmentation,
    Random,
    per_image,
    to_computed,
)
from ganlab.objectives.augmentation.colour import luma, on_colours, rotate_about_grey
from ganlab.objectives.augmentation.geometry import (
    resample,
    rotation,
    scaling,
    translation,
)

INTERVAL = 4


@keras.saving.register_keras_serializable(package="ganlab")
class AdaptiveAugment(Augmentation):
    """Adaptive discriminator augmentation (ADA), with the authors' set `bgc`.

    Each transformation is applied to an image with probability `p`, in this order:

        blit      mirror, with probability p / 2; 0 to 3 quarter turns; shift by
                  up to an eighth of the side, in whole pixels
        geometry  scale by 2^N(0, 0.2²); turn by any angle; stretch by
                  2^N(0, 0.2²); turn again, one turn or both with probability p;
                  shift by N(0, ⅛²) of the side
        colour    brightness + N(0, 0.2²); contrast times 2^N(0, 0.5²); luma flip,
                  with probability p / 2; hue by any angle; saturation times 2^N(0, 1)

    Images are reflected at their borders, without end (the authors' code: once, and
    0 beyond). Hue is of three colours, saturation of two or more. Of 2 and 4
    channels the last is opacity, whose geometry alone changes.

    Every 4 steps `p` moves by what would take it from 0 to 1 in `images_to_full` real
    images: up where

        r_t = E[sign(D(x))] > target

    on real images, which says that the discriminator overfits, else down. It stays
    within [0, limit]: beyond 0.8, augmentations leak into the generated images.
    The authors have no limit. `p` is a weight, saved with the GAN.

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
        self.probability, self.sign_sum, self.observed = add_averages(
            self, "probability", "sign_sum", "observed"
        )

    def augment(self, images: Any, seed: Any) -> Any:
        random = Random(seed, images)
        augmented = to_computed(images)
        height, width = augmented.shape[1:3]
        augmented = resample(augmented, self.draw_geometry(random, height, width))
        augmented = on_colours(lambda x: self._colour(x, random), augmented)
        return ops.cast(augmented, images.dtype)

    def after_step(self, real_margins: Any) -> None:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        num_images = replicas * ops.cast(ops.shape(real_margins)[0], "float32")
        mean_sign = ops.cast(ops.mean(ops.sign(real_margins)), "float32")
        signs = self.sign_sum + _over_replicas(mean_sign)
        observed = self.observed + 1.0
        due = ops.cast(observed >= INTERVAL, "float32")
        direction = ops.sign(signs / observed - self.target)
        change = due * direction * INTERVAL * num_images / self.images_to_full
        self.probability.assign(ops.clip(self.probability + change, 0.0, self.limit))
        self.sign_sum.assign((1.0 - due) * signs)
        self.observed.assign((1.0 - due) * observed)

    def draw_geometry(self, random: Random, height: int, width: int) -> Any:
        """Draws a matrix from output to input pixels for each image, `(batch, 3, 3)`.

        Args:
            random: Where its numbers come from.
            height: Integer: rows of an image.
            width: Integer: columns of an image.
        """
        p = self.probability
        either = 1.0 - ops.sqrt(1.0 - p)  # the chance of one turn or the other is p
        mirrored = _at_random(random.coin(0.5 * p), -1.0, 1.0)
        quarters = _at_random(random.coin(p), random.below(4), 0.0)
        coin = random.coin(p)
        whole = [
            _at_random(coin, ops.round(random.uniform(-0.125, 0.125) * side), 0.0)
            for side in (height, width)
        ]
        scale = _at_random(random.coin(p), ops.exp2(random.normal(0.2)), 1.0)
        turns = [
            _at_random(random.coin(either), random.uniform(-math.pi, math.pi), 0.0)
            for _ in range(2)
        ]
        stretch = _at_random(random.coin(p), ops.exp2(random.normal(0.2)), 1.0)
        coin = random.coin(p)
        fraction = [
            _at_random(coin, random.normal(0.125) * side, 0.0)
            for side in (height, width)
        ]
        matrix = scaling(ops.ones_like(mirrored), mirrored)
        for step in (
            rotation(quarters * (math.pi / 2)),
            translation(*whole),
            scaling(scale, scale),
            rotation(turns[0]),
            scaling(stretch, 1.0 / stretch),
            rotation(turns[1]),
            translation(*fraction),
        ):
            matrix = ops.matmul(matrix, step)
        return matrix

    def _colour(self, images: Any, random: Random) -> Any:
        p = self.probability

        def at_random(chance: Any, value: Any, identity: float) -> Any:
            return per_image(_at_random(random.coin(chance), value, identity), images)

        images = images + at_random(p, random.normal(0.2), 0.0)
        images = images * at_random(p, ops.exp2(random.normal(0.5)), 1.0)
        grey = luma(images)
        images = images - 2.0 * at_random(0.5 * p, 1.0, 0.0) * grey
        if images.shape[3] == 1:
            return images
        grey = luma(images)
        chroma = images - grey
        if images.shape[3] == 3:
            angle = at_random(p, random.uniform(-math.pi, math.pi), 0.0)
            chroma = rotate_about_grey(chroma, angle)
        return grey + chroma * at_random(p, ops.exp2(random.normal(1.0)), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "limit": self.limit,
            "images_to_full": self.images_to_full,
        }


def _at_random(coin: Any, value: Any, identity: float) -> Any:
    return ops.where(coin, value, identity)


def _over_replicas(value: Any) -> Any:
    """The mean over the replicas of a strategy."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, value)
