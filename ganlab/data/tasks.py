"""Tasks made of one set of images: the source of each is computed from it.

grey      colours from grey
edges     images from their outlines, dark on white: Sobel's gradients
noise:S   images from noisy ones; S is the noise's standard deviation, of 255
small:K   images from ones K times as small, enlarged again by bicubic interpolation
holes     images from ones with a rectangle of mid grey, whose sides are a quarter to a
          half of the image's

Opacity stays as it is. What is random is a function of the image's index alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ganlab.errors import UserError, unknown_name
from ganlab.pictures import OPACITY

AMOUNTS = {"noise": (1, 255), "small": (2, 16)}  # smallest and largest
EXAMPLES = {"noise": 25, "small": 4}
HOLE = 127  # in the middle of 0 to 255
SEED = 20
LUMA = np.array([19595, 38470, 7471])  # of 65,536, as Pillow rounds them


@dataclass(frozen=True)
class Task:
    """What a network is to undo.

    Args:
        name: `grey`, `edges`, `noise`, `small` or `holes`.
        amount: Integer of `noise` and `small`, otherwise 0.
    """

    name: str
    amount: int = 0

    def channels(self, channels: int) -> int:
        """Channels of the sources of images.

        Raises:
            UserError: for colours of images that are grey.
        """
        if self.name not in ("grey", "edges"):
            return channels
        if self.name == "grey" and channels < 3:
            raise UserError(
                "Expected images in colour for task:grey. Received: grey ones; choose "
                "another task, or leave out --channels"
            )
        return channels if channels < 3 else channels - 2

    def sources(self, images: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """The sources of images.

        Args:
            images: Uint8 array `(n, height, width, channels)`.
            indices: Integer array `(n,)`: which of the set they are.

        Returns:
            Uint8 array `(n, height, width, channels of the sources)`.

        Raises:
            UserError: for images smaller than `small` divides by.
        """
        count = images.shape[-1] - (images.shape[-1] in OPACITY)
        make = SOURCES[self.name]
        made = [
            make(image, np.random.default_rng([SEED, index]), self.amount)
            for image, index in zip(images[..., :count], indices, strict=True)
        ]
        colours = np.stack(made) if made else images[..., :0]
        return np.concatenate([colours, images[..., count:]], axis=-1)


def parse_task(text: str) -> tuple[Task, str]:
    """A task, and the SPEC of the set that it is made of.

    >>> parse_task("noise:25:folder:photos")
    (Task(name='noise', amount=25), 'folder:photos')

    Raises:
        UserError: for an unknown task, an amount out of its range, or no SPEC.
    """
    name, _, rest = text.partition(":")
    if name not in SOURCES:
        raise unknown_name("task", name, SOURCES)
    amount, example = "", f"task:{name}:SPEC"
    if name in AMOUNTS:
        amount, _, rest = rest.partition(":")
        least, most = AMOUNTS[name]
        example = f"task:{name}:{EXAMPLES[name]}:SPEC, with {least} to {most}"
        if not amount.isdecimal() or not least <= int(amount[:9]) <= most:
            raise UserError(f"Expected {example}. Received: task:{text}")
    if not rest:
        raise UserError(
            f"Expected {example}. Received: task:{text}; name the images, such as "
            "emoji:google or folder:DIR"
        )
    return Task(name, int(amount or 0)), rest


def _grey(image: np.ndarray, random: np.random.Generator, amount: int) -> np.ndarray:
    if image.shape[-1] == 1:
        return image
    return ((image @ LUMA + (1 << 15)) >> 16).astype(np.uint8)[..., None]


def _edges(image: np.ndarray, random: np.random.Generator, amount: int) -> np.ndarray:
    grey = np.pad(_grey(image, random, amount)[..., 0].astype(float), 1, "edge")
    across = grey[:, 2:] - grey[:, :-2]
    down = grey[2:] - grey[:-2]
    across = across[:-2] + 2 * across[1:-1] + across[2:]
    down = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    strength = np.minimum(np.hypot(across, down) / 4, 255)
    return (255 - np.rint(strength)).astype(np.uint8)[..., None]


def _noise(image: np.ndarray, random: np.random.Generator, amount: int) -> np.ndarray:
    noisy = image + amount * random.standard_normal(image.shape, np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _small(image: np.ndarray, random: np.random.Generator, amount: int) -> np.ndarray:
    height, width, channels = image.shape
    if min(height, width) < amount:
        raise UserError(
            f"Expected images of {amount} pixels or more for task:small:{amount}. "
            f"Received: {height} by {width}; choose a larger --image-size"
        )
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    bicubic = Image.Resampling.BICUBIC
    picture = picture.resize((width // amount, height // amount), bicubic)
    return np.asarray(picture.resize((width, height), bicubic)).reshape(image.shape)


def _holes(image: np.ndarray, random: np.random.Generator, amount: int) -> np.ndarray:
    sides = [int(random.integers(size // 4, size // 2 + 1)) for size in image.shape[:2]]
    top, left = (
        int(random.integers(size - side + 1))
        for size, side in zip(image.shape[:2], sides, strict=True)
    )
    image = image.copy()
    image[top : top + sides[0], left : left + sides[1]] = HOLE
    return image


SOURCES: dict[str, Callable[[np.ndarray, np.random.Generator, int], np.ndarray]] = {
    "grey": _grey,
    "edges": _edges,
    "noise": _noise,
    "small": _small,
    "holes": _holes,
}
