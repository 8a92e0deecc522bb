"""Decoded images or toy 2-D samples, and their batches for training.

Batches hold float32 samples in the networks' range, in an order that is a pure
function of seed and epoch. Any step's batch can be had without those before it,
which is what resuming needs.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.data.streaming import ReadImages
from ganlab.errors import UserError
from ganlab.text import listed

HELD_OUT_PART, MIN_HELD_OUT, MAX_HELD_OUT = 20, 32, 256
MAX_LISTED_CLASSES = 10


@dataclass(frozen=True)
class ImageData:
    """Decoded samples, ready to be batched.

    Args:
        spec: The data SPEC they came from.
        images: Uint8 images `(N, H, W, C)`, in memory, mapped from disk or streamed
            from it; or float32 toy 2-D samples `(N, 2)`.
        labels: Int32 array `(N,)`, or `None`.
        class_names: A name for each class; empty without labels.
        skipped: Names of images that could not be read.
        indices: Integer array: which of the images belong to the data, or `None`
            for all.
        left_out: Phrases that say what lies in the source and is not read.
        families: Integer array `(N,)`: images of one number are held out together; or
            `None`.
        attribution: Who made the images, and their licence; empty where it is not
            said.
        sources: What images are to be made of, in the same order, or in any where
            nothing belongs together; or `None`.
        paired: Boolean: whether each image belongs to a source.
    """

    spec: str
    images: np.ndarray | ReadImages
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    indices: np.ndarray | None = None
    left_out: tuple[str, ...] = ()
    families: np.ndarray | None = None
    attribution: str = ""
    sources: "ImageData | None" = None
    paired: bool = True

    def __len__(self) -> int:
        return len(self.images if self.indices is None else self.indices)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(int(size) for size in self.images.shape[1:])

    @property
    def kind(self) -> DataKind:
        """The kind of data."""
        return kinds.of_shape(self.sample_shape)

    @property
    def image_size(self) -> int | str | None:
        """Side of square images in pixels, or `HEIGHTxWIDTH`; `None` without images."""
        return self.kind.image_size(self.sample_shape)

    @property
    def channels(self) -> int | None:
        """1 (grey) to 4 (colour and opacity); `None` without images."""
        return self.kind.channels(self.sample_shape)

    def split(self, seed: int = 0) -> tuple["ImageData", "ImageData | None"]:
        """Holds out a twentieth of the images, at least 32 and at most 256.

        Images are chosen by index, not copied. The choice is a function of the
        seed and the number of images. Fewer than 320 images are not split.

        Families stay together: whole ones are held out, in an order of the seed, each
        that still fits.

        Sources are split likewise, so that those of pairs are held out with their
        images.

        Returns:
            Two `ImageData`: to train on, and held out; `None` in place of the
            latter if there is none.
        """
        if self.sources is not None:
            sources, held_sources = self.sources.split(seed)
            images, held_images = dataclasses.replace(self, sources=None).split(seed)
            if held_images is not None:
                held_sources = held_sources or sources
                held_images = dataclasses.replace(held_images, sources=held_sources)
            return dataclasses.replace(images, sources=sources), held_images
        count = len(self)
        if count < 10 * MIN_HELD_OUT:
            return self, None
        held_out = min(max(count // HELD_OUT_PART, MIN_HELD_OUT), MAX_HELD_OUT)
        random = np.random.default_rng([seed, count])
        if self.families is None:
            order = random.permutation(count)
        else:
            families = self.families
            if self.indices is not None:
                families = families[self.indices]
            order, held_out = _by_family(families, held_out, random)
        if not held_out:
            return self, None
        indices = order if self.indices is None else self.indices[order]
        return (
            dataclasses.replace(self, indices=indices[held_out:]),
            dataclasses.replace(self, indices=indices[:held_out]),
        )

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The first few samples as batches hold them, and their labels or `None`.

        Without `indices`, samples are chosen at random, the same ones each time.
        """
        indices = self._first(count)
        samples = self.kind.to_network(self.images[indices])
        return samples, None if self.labels is None else self.labels[indices]

    def stored(self, count: int) -> np.ndarray:
        """The samples that `take` gives, as they are stored."""
        return self.images[self._first(count)]

    def _first(self, count: int) -> np.ndarray:
        if self.indices is not None:
            return self.indices[:count]
        return np.random.default_rng(0).permutation(len(self.images))[:count]

    def class_counts(self) -> np.ndarray:
        """How many images each class has, an integer array; empty without classes."""
        if self.labels is None or not self.class_names:
            return np.zeros(0, int)
        labels = self.labels if self.indices is None else self.labels[self.indices]
        return np.bincount(labels, minlength=len(self.class_names))

    def summary(self) -> str:
        """How many samples there are, of which classes, and what was left out."""
        pictorial = self.kind.pictorial
        noun = kinds.described(self.images.shape[1:]) if pictorial else "samples"
        samples = f"{self.spec}: {len(self):,} {noun}"
        counts = [
            f"{name} {count:,}"
            for name, count in zip(self.class_names, self.class_counts(), strict=True)
        ]
        classes = listed(counts, MAX_LISTED_CLASSES)
        samples += f", classes {classes}" if counts else ", no classes"
        if self.sources is not None and not self.paired:
            samples += f", {len(self.sources):,} sources"
        return "; ".join([samples, *self.left_out])

    def steps_per_epoch(self, batch_size: int) -> int:
        """Number of full batches; the rest of an epoch's images is left out.

        Raises:
            UserError: if there are fewer images than one batch takes.
        """
        count = len(self)
        if not 1 <= batch_size <= count:
            raise UserError(
                f"Expected a batch size of 1 to {count}, the number of images in "
                f"{self.spec}. Received: {batch_size}"
            )
        return count // batch_size

    def batches(
        self,
        batch_size: int,
        *,
        seed: int = 0,
        start_step: int = 0,
        labels: bool = True,
        flip: bool = False,
    ) -> tf.data.Dataset:
        """Endless shuffled batches; pass `steps_per_epoch` to `fit` as well.

        Args:
            batch_size: Integer, at most the number of images.
            seed: Integer. The order of epoch `e` depends on `(seed, e)` alone.
            start_step: Integer. The first batch is that of this step.
            labels: Boolean. Whether batches carry labels, where there are any.
            flip: Boolean. Mirror each image left to right with probability ½.

        Returns:
            A `tf.data.Dataset` of float32 images in [-1, 1] of shape
            `(batch_size, H, W, C)`, or of such images and int32 labels. Toy 2-D
            samples come as they are. With sources: of those, and images.
        """
        if self.sources is not None:
            # Not in one order, where they are as many and nothing belongs together.
            seeds = (seed if self.paired else seed + 1, seed)
            parts = (self.sources, dataclasses.replace(self, sources=None))
            return tf.data.Dataset.zip(
                *(
                    part.batches(
                        batch_size,
                        seed=part_seed,
                        start_step=start_step,
                        labels=False,
                        flip=flip,
                    )
                    for part, part_seed in zip(parts, seeds, strict=True)
                )
            )
        steps = self.steps_per_epoch(batch_size)
        count, shape = len(self), (batch_size, *self.sample_shape)
        kind, labels = self.kind, labels and self.labels is not None

        def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(count, dtype=tf.int64), seed=[seed, epoch]
            )
            order = tf.data.Dataset.from_tensor_slices(order)
            return order.batch(batch_size, drop_remainder=True)

        def load_batch(
            step: tf.Tensor, indices: tf.Tensor
        ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
            if self.indices is not None:
                indices = tf.gather(self.indices, indices)
            images, indices = tf.numpy_function(
                self._gather, [indices], [self.images.dtype, tf.int64]
            )
            indices = tf.ensure_shape(indices, (batch_size,))
            images = tf.ensure_shape(images, shape)
            images = kind.scaled(tf.cast(images, tf.float32))
            if flip:
                chances = tf.random.stateless_uniform(
                    [batch_size, 1, 1, 1], [seed, step]
                )
                images = tf.where(chances < 0.5, images[:, :, ::-1], images)
            if not labels:
                return images
            return images, tf.gather(self.labels, indices)

        epochs = tf.data.Dataset.counter(start_step // steps)
        dataset = epochs.flat_map(epoch_batches).skip(start_step % steps)
        dataset = dataset.enumerate(start_step)
        dataset = dataset.map(load_batch, num_parallel_calls=2).prefetch(4)
        options = tf.data.Options()
        # An iterator's end waits for the autotuning thread, which sleeps in
        # doubling periods: training returned up to twice as late with it.
        options.autotune.enabled = False
        return dataset.with_options(options)

    def _gather(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Samples, and the indices of those that they are."""
        if isinstance(self.images, np.ndarray):
            return self.images[indices], indices
        return self.images.read(indices)


def _by_family(
    families: np.ndarray, most: int, random: np.random.Generator
) -> tuple[np.ndarray, int]:
    """An order of the images that begins with whole families, and how many they have.

    Args:
        families: Integer array: the family of each image.
        most: Integer: images of those families, at most.
        random: Gives the order.
    """
    _, families, sizes = np.unique(families, return_inverse=True, return_counts=True)
    chosen = np.zeros(len(sizes), bool)
    left = most
    for family in random.permutation(len(sizes)):
        if sizes[family] <= left:
            chosen[family] = True
            left -= sizes[family]
    order = random.permutation(len(families))
    return order[np.argsort(~chosen[families[order]], kind="stable")], most - left
