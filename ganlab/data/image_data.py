"""How do images reach the training step?

source -> decode -> uint8 array, in memory or on disk -> [-1, 1] float32 NHWC
batches, in an order that is a pure function of seed and epoch.

Images are decoded once, before training. So a corrupt one is known before the
first step, every epoch after the first costs a copy, and any step's batch can
be had without those before it, which is what resuming needs.
"""

import dataclasses
import hashlib
import itertools
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from PIL import Image

from ganlab.data.sources import DEFAULT_SIZE, decode, open_source
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError
from ganlab.files import atomic_folder, cache_folder

CACHES = ("memory", "disk")
CHUNK = 256
HELD_OUT_PART, LEAST_HELD_OUT, MOST_HELD_OUT = 20, 32, 256
NUM_POINTS = 100_000
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True)
class ImageData:
    """Decoded images, ready to be batched.

    Args:
        spec: The data SPEC they came from.
        images: Uint8 array `(N, H, W, C)`, in memory or mapped from disk; or
            float32 points `(N, 2)`.
        labels: Int32 array `(N,)`, or `None`.
        class_names: A name for each class; empty without labels.
        skipped: Names of images that could not be read.
        rows: Integer array: which of the images are meant, or `None` for all.
    """

    spec: str
    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    rows: np.ndarray | None = None

    def __len__(self):
        return len(self.images if self.rows is None else self.rows)

    @property
    def points(self):
        """Whether these are points of the plane, not images."""
        return self.images.ndim == 2

    @property
    def image_size(self):
        """Side of the square images in pixels; `None` for points."""
        return None if self.points else self.images.shape[1]

    @property
    def channels(self):
        """1 (grey) or 3 (colour); `None` for points."""
        return None if self.points else self.images.shape[3]

    def split(self, seed=0):
        """Sets a twentieth of the images aside, but 32 to 256 of them.

        They are chosen, not copied. What is set aside is a function of the seed
        and the number of images. Of fewer than 320 images none is.

        Returns:
            Two `ImageData`: to train on, and held out; `None` in place of the
            latter if there is none.
        """
        count = len(self)
        if count < 10 * LEAST_HELD_OUT:
            return self, None
        aside = min(max(count // HELD_OUT_PART, LEAST_HELD_OUT), MOST_HELD_OUT)
        order = np.random.default_rng([seed, count]).permutation(count)
        return tuple(
            dataclasses.replace(self, rows=some)
            for some in (order[aside:], order[:aside])
        )

    def some(self, count):
        """A few images, as batches have them, and their labels or `None`."""
        rows = self.rows
        if rows is None:
            rows = np.random.default_rng(0).permutation(len(self.images))
        rows = rows[:count]
        images = self.images[rows]
        if not self.points:
            images = images.astype(np.float32) / 127.5 - 1.0
        return images, None if self.labels is None else self.labels[rows]

    def class_counts(self):
        """How many images each class has, an integer array; empty without classes."""
        if self.labels is None or not self.class_names:
            return np.zeros(0, int)
        labels = self.labels if self.rows is None else self.labels[self.rows]
        return np.bincount(labels, minlength=len(self.class_names))

    def steps_per_epoch(self, batch_size):
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

    def batches(self, batch_size, *, seed=0, start_step=0, labels=True, flip=False):
        """Endless shuffled batches; pass `steps_per_epoch` to `fit` as well.

        Args:
            batch_size: Integer, at most the number of images.
            seed: Integer. The order of epoch `e` depends on `(seed, e)` alone.
            start_step: Integer. The first batch is that of this step.
            labels: Boolean. Whether batches carry labels, where there are any.
            flip: Boolean. Mirror each image left to right with probability ½.

        Returns:
            A `tf.data.Dataset` of float32 images in [-1, 1] of shape
            `(batch_size, H, W, C)`, or of such images and int32 labels. Points
            come as they are.
        """
        steps = self.steps_per_epoch(batch_size)
        count, shape = len(self), (batch_size, *self.images.shape[1:])
        labels = labels and self.labels is not None

        def epoch_batches(epoch):
            order = tf.random.experimental.stateless_shuffle(
                tf.range(count, dtype=tf.int64), seed=[seed, epoch]
            )
            order = tf.data.Dataset.from_tensor_slices(order)
            return order.batch(batch_size, drop_remainder=True)

        def load_batch(step, indices):
            if self.rows is not None:
                indices = tf.gather(self.rows, indices)
            images = tf.numpy_function(self._gather, [indices], self.images.dtype)
            images = tf.ensure_shape(images, shape)
            if not self.points:
                images = tf.cast(images, tf.float32) / 127.5 - 1.0
            if flip:
                draws = tf.random.stateless_uniform([batch_size, 1, 1, 1], [seed, step])
                images = tf.where(draws < 0.5, images[:, :, ::-1], images)
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

    def _gather(self, indices):
        return self.images[indices]


class WaitTimer:
    """Adds up the seconds in which training waited for its next batch.

    Under a multi-device strategy batches are fetched ahead of the step, and
    the sum is the fetching thread's, not the step's.
    """

    def __init__(self):
        self._seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    @property
    def seconds(self):
        """Seconds waited so far."""
        return float(self._seconds.numpy())

    def watch(self, dataset):
        """Returns `dataset` with each request timed until its batch arrives."""

        def arrive(requested, batch):
            self._seconds.assign_add(tf.timestamp() - requested)
            return batch

        requests = tf.data.Dataset.counter().map(lambda _: tf.timestamp())
        return tf.data.Dataset.zip((requests, dataset)).map(arrive)


def load_data(spec, *, image_size=None, channels=None, cache="memory", progress=None):
    """Decodes the images that a data SPEC names.

    Args:
        spec: String: see `ganlab.data.sources`; or `ring` or `grid`, 100,000 points
            of `ganlab.data.toy2d`, whose labels are the modes they came from.
        image_size: Integer: side of the square that images are centre-cropped
            and resized to. By default their own, or 64 where it varies.
        channels: 1 or 3. By default the images' own, or 3 where it varies.
        cache: `"memory"`, or `"disk"` to keep the decoded images under
            `~/.cache/ganlab` (or `XDG_CACHE_HOME`) and read them from there.
        progress: `None`, or a function of `(images done, images in all)`.

    Returns:
        An `ImageData`.

    Raises:
        UserError: if the SPEC is unknown or no image can be read.
    """
    if cache not in CACHES:
        raise UserError(f"Expected a cache of memory or disk. Received: {cache!r}")
    if spec in MIXTURES:
        points, modes = MIXTURES[spec].sample(NUM_POINTS)
        return ImageData(spec, points, modes, (), ())
    source = open_source(spec)
    height, width, own_channels = source.shape or (DEFAULT_SIZE, DEFAULT_SIZE, 3)
    image_size = image_size or min(height, width)
    channels = channels or own_channels
    if channels not in (1, 3):
        raise UserError(
            f"Expected 1 or 3 channels. Received: {channels}; pass channels"
        )
    if cache == "memory":
        shape = (source.count, image_size, image_size, channels)
        kept, skipped = _fill(np.empty(shape, np.uint8), source, progress)
        return _image_data(spec, *kept, source.class_names, skipped)
    return _load_cached(spec, source, image_size, channels, progress)


def _load_cached(spec, source, image_size, channels, progress):
    key = f"{source.identity} {image_size} {channels}"
    folder = cache_folder() / hashlib.sha256(key.encode()).hexdigest()[:32]
    if not folder.exists():
        with atomic_folder(folder) as partial:
            shape = (source.count, image_size, image_size, channels)
            target = np.lib.format.open_memmap(
                partial / "images.npy", mode="w+", dtype=np.uint8, shape=shape
            )
            (images, labels), skipped = _fill(target, source, progress)
            target.flush()
            if labels is not None:
                np.save(partial / "labels.npy", labels)
            about = {"count": len(images), "skipped": skipped}
            (partial / "about.json").write_text(json.dumps(about))
    about = json.loads((folder / "about.json").read_text())
    images = np.load(folder / "images.npy", mmap_mode="r")[: about["count"]]
    labels = None
    if (folder / "labels.npy").exists():
        labels = np.load(folder / "labels.npy")
    return _image_data(spec, images, labels, source.class_names, about["skipped"])


def _image_data(spec, images, labels, class_names, skipped):
    return ImageData(spec, images, labels, tuple(class_names), tuple(skipped))


def _fill(target, source, progress):
    """Decodes a source into `target`; returns what was kept, and who was skipped."""
    image_size, channels = target.shape[1], target.shape[3]
    kept, skipped = [], []

    def decode_or_error(item):
        try:
            return decode(item[1], image_size, channels)
        except UNREADABLE as error:
            return error

    items = iter(source.items)
    done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while chunk := list(itertools.islice(items, CHUNK)):
            results = pool.map(decode_or_error, chunk)
            for (name, _), result in zip(chunk, results, strict=True):
                if isinstance(result, Exception):
                    skipped.append(name)
                else:
                    target[len(kept)] = result
                    kept.append(done)
                done += 1
            if progress is not None:
                progress(done, source.count)
    if skipped:
        named = ", ".join(skipped[:5]) + (" and others" if len(skipped) > 5 else "")
        logging.getLogger("ganlab").warning(
            "Skipped %d of %d images that cannot be read: %s", len(skipped), done, named
        )
    if not kept:
        raise UserError(
            f"Expected images that can be read. Received: {len(skipped)} that cannot, "
            f"the first {skipped[0] if skipped else '(none listed)'}"
        )
    labels = None if source.labels is None else source.labels[kept]
    return (target[: len(kept)], labels), skipped
