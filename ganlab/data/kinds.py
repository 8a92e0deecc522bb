"""Kinds of data: images, toy 2-D mixtures and arrays, each declared once.

A kind answers what the rest of the package asks of its data: the shape of a
sample, how samples are stored and scaled, which networks and extractors take
them, and which measures, findings and settings apply. NumPy only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganlab import pictures
from ganlab.data.sizes import ImageSize, sides, size_of
from ganlab.data.toy2d import find_mixture
from ganlab.errors import UserError

CHANNELS = {
    1: "grey",
    2: "grey with opacity",
    3: "colour",
    4: "colour with opacity",
}
FULL_SIZE = 128 * 128 * 3  # numbers of a sample beyond which counts of them shrink


@dataclass(frozen=True)
class DataKind:
    """One kind of data.

    Args:
        name: Its name in `config.json`.
        scale: `None` where samples are stored as the networks take them, or what
            stored uint8 values are divided by, before 1 is subtracted.
        pictorial: Whether samples are pictures: shown in grids, saved as PNG
            files.
        networks: Names of the networks that take it, the default first.
        extractors: Names of the feature extractors that take it.
        latent_dim: Default size of the noise vector.
        batch_size: Samples that a generator makes at once outside training.
        without: Names of the measures, findings and settings that mean nothing
            for it.
    """

    name: str
    scale: float | None
    pictorial: bool
    networks: tuple[str, ...]
    extractors: tuple[str, ...]
    latent_dim: int
    batch_size: int
    without: frozenset[str] = frozenset()

    def applies(self, name: str) -> bool:
        """Whether a measure, finding or setting means something for this kind."""
        return name not in self.without

    def image_size(self, sample_shape: Sequence[int]) -> int | str | None:
        """Side of a square image, or `HEIGHTxWIDTH`; `None` where there is no image."""
        if not self.pictorial:
            return None
        return size_of(int(sample_shape[0]), int(sample_shape[1]))

    def channels(self, sample_shape: Sequence[int]) -> int | None:
        """Channels of an image, or `None` where there is no image."""
        return int(sample_shape[-1]) if self.pictorial else None

    def sample_shape(
        self, image_size: ImageSize | None, channels: int | None
    ) -> tuple[int, ...]:
        """Shape of one sample.

        >>> IMAGES.sample_shape(28, 1), TOY_MIXTURES.sample_shape(None, None)
        ((28, 28, 1), (2,))
        """
        if not self.pictorial:
            return (2,)
        if image_size is None or channels is None:
            raise UserError(
                "Expected the size and channels of images. Received: "
                f"image_size={image_size}, channels={channels}"
            )
        return (*sides(image_size), channels)

    def scaled(self, values: Any) -> Any:
        """Stored values, cast to floats, in the networks' range.

        Args:
            values: Float array or tensor.
        """
        return values if self.scale is None else values / self.scale - 1.0

    def to_network(self, samples: np.ndarray) -> np.ndarray:
        """Samples as the networks take them, from stored or network values.

        Args:
            samples: Array of stored samples, or of floats in the networks' range.

        Returns:
            Float32 array of the same shape.

        Raises:
            UserError: if floats are beyond the networks' range.
        """
        if self.scale is None:
            return samples.astype(np.float32)
        if samples.dtype == np.uint8:
            return self.scaled(samples.astype(np.float32))
        low, high = float(samples.min()), float(samples.max())
        if samples.dtype.kind != "f" or not (low >= -1.01 and high <= 1.01):
            raise UserError(
                "Expected uint8 images in [0, 255] or floats in [-1, 1]. Received: "
                f"{samples.dtype} in [{low:g}, {high:g}]; scale them"
            )
        return samples.astype(np.float32)

    def to_stored(
        self, samples: np.ndarray, value_range: tuple[float, float] = (-1.0, 1.0)
    ) -> np.ndarray:
        """Samples as they are stored, from a generator's: uint8 for images.

        Args:
            samples: Float array.
            value_range: The lowest and the highest value that images may have.
        """
        if self.scale is None:
            return samples
        return pictures.to_uint8(samples, value_range)


IMAGES = DataKind(
    name="images",
    scale=127.5,
    pictorial=True,
    networks=("dcgan", "resnet", "r3gan", "projected"),
    extractors=(
        "efficientnet-lite0",
        "fashion_mnist",
        "inception",
        "keras",
        "model",
        "pixels",
    ),
    latent_dim=64,
    batch_size=64,
    without=frozenset({"modes_hit", "high_quality_share"}),
)
TOY_MIXTURES = DataKind(
    name="toy_mixtures",
    scale=None,
    pictorial=False,
    networks=("mlp",),
    extractors=("points",),
    latent_dim=2,
    batch_size=1024,
    without=frozenset(
        {
            # measures
            "pairwise_ratio",
            "path_length",
            # findings
            "constant_images",
            "data_range_mismatch",
            "dying_relu",
            "too_few_images",
            # settings
            "augmentation",
            "conditional",
            "discriminator_normalization",
            "flip",
        }
    ),
)
ARRAYS = DataKind(
    name="arrays",
    scale=None,
    pictorial=False,
    networks=(),
    extractors=(),
    latent_dim=64,
    batch_size=256,
    without=frozenset(
        {"augmentation", "flip", "high_quality_share", "modes_hit", "path_length"}
    ),
)
KINDS = (IMAGES, TOY_MIXTURES, ARRAYS)


def of_spec(spec: object) -> DataKind:
    """The kind of the data that a SPEC names.

    >>> of_spec("ring").name, of_spec("folder:photos").name
    ('toy_mixtures', 'images')
    """
    return IMAGES if find_mixture(spec) is None else TOY_MIXTURES


def of_shape(sample_shape: Sequence[int]) -> DataKind:
    """The kind whose samples have a shape.

    >>> shapes = (32, 48, 4), (2,), (5,), (64, 2), (16, 16, 5), (8, 8, 8, 1)
    >>> [of_shape(shape).name for shape in shapes]
    ['images', 'toy_mixtures', 'arrays', 'arrays', 'arrays', 'arrays']

    Raises:
        UserError: if a sample has no dimension.
    """
    shape = tuple(sample_shape)
    if not shape:
        raise UserError(
            "Expected samples of one dimension or more. Received: single numbers; end "
            "the generator on shape (batch, 1)"
        )
    if shape == (2,):
        return TOY_MIXTURES
    return IMAGES if len(shape) == 3 and shape[-1] in pictures.CHANNELS else ARRAYS


def of_record(name: object, spec: object) -> DataKind:
    """The kind that a run recorded, or for older runs that of its data.

    Args:
        name: `data_kind` of `config.json`, or `None` where it is not recorded.
        spec: The data SPEC of the run.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    return of_spec(spec)


def scaled_count(most: int, least: int, sample_shape: Sequence[int]) -> int:
    """A count that shrinks as samples grow beyond 128 by 128 pixels in colour.

    >>> [scaled_count(64, 8, (side, side, 3)) for side in (128, 256, 512)]
    [64, 16, 8]
    """
    size = max(math.prod(sample_shape), 1)
    return max(least, min(most, most * FULL_SIZE // size))


def described(shape: Sequence[int]) -> str:
    """Images of a shape, in words.

    >>> described((48, 96, 3))
    'colour images of 48 x 96 pixels'
    """
    return f"{CHANNELS[shape[-1]]} images of {shape[0]} x {shape[1]} pixels"
