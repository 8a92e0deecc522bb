"""Real images that generated ones are scored against, and their features."""

import dataclasses
import functools
import hashlib
import json
import logging
from collections.abc import Callable, Container
from dataclasses import dataclass

import numpy as np

from ganlab.data.image_data import ImageData
from ganlab.errors import UserError, one_line
from ganlab.evaluation.protocol import SPLITS, Protocol
from ganlab.features.extractors import Extractor, default_spec, load_extractor
from ganlab.files import atomic_file, cache_folder
from ganlab.safety.sealed import damage, seal

LOGGER = logging.getLogger("ganlab")
Extracted = tuple[np.ndarray, np.ndarray | None]
CUSTOM = ("model:", "keras:")  # extractors that somebody else has made
MAX_IMAGES = 10_000
MIN_IMAGES = 6


@dataclass(frozen=True)
class Reference:
    """Real images that generated ones are scored against.

    Args:
        protocol: The `Protocol` of scores against them.
        extractor: The `ganlab.features.extractors.Extractor`.
        images: Uint8 array `(n, height, width, channels)`, or 2-D samples `(n, 2)`.
        labels: Int32 array `(n,)`, or `None`.
        class_names: A name for each class; empty without labels.
        extracted: Function that returns features and logits, extracted when it is
            first called.
        attribution: Who made the images, and their licence; empty if it is not said.
    """

    protocol: Protocol
    extractor: Extractor
    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    extracted: Callable[[], Extracted]
    attribution: str = ""

    @property
    def features(self) -> np.ndarray:
        """Float32 array `(n, d)`."""
        return self.extracted()[0]

    @property
    def logits(self) -> np.ndarray | None:
        """Float32 array `(n, classes)`, or `None`."""
        return self.extracted()[1]

    @property
    def accuracy(self) -> float | None:
        """How often the extractor's classifier is right on them, or `None`."""
        if self.logits is None or self.labels is None:
            return None
        return float(np.mean(self.logits.argmax(axis=1) == self.labels))

    def take(self, indices: np.ndarray) -> "Reference":
        """The `Reference` of those of its images alone."""
        images = self.images[indices]
        protocol = dataclasses.replace(
            self.protocol, num_images=len(images), data_sha256=_sha256(images)
        )

        def extracted() -> Extracted:
            features, logits = self.extracted()
            return features[indices], None if logits is None else logits[indices]

        return dataclasses.replace(
            self,
            protocol=protocol,
            images=images,
            labels=None if self.labels is None else self.labels[indices],
            extracted=functools.cache(extracted),
        )

    def matched(self, images: np.ndarray) -> "Reference":
        """The `Reference` cut to as many real images as there are `images`.

        Raises:
            UserError: if the images are of another shape than the real ones, or
                fewer than 6.
        """
        shape = self.protocol.image_shape
        if tuple(images.shape[1:]) != shape:
            raise UserError(
                f"Expected images of shape {shape}, as those of {self.protocol.data}. "
                f"Received: {tuple(images.shape[1:])}; name other --data, or sample "
                "images of that shape"
            )
        if len(images) < MIN_IMAGES:
            raise UserError(
                f"Expected {MIN_IMAGES} images or more. Received: {len(images)}; "
                "sample more"
            )
        if len(images) >= len(self.images):
            return self
        return self.take(self._shuffled()[: len(images)])

    def halves(self) -> tuple["Reference", "Reference"]:
        """Two random halves."""
        order, half = self._shuffled(), len(self.images) // 2
        return self.take(order[:half]), self.take(order[half : 2 * half])

    def _shuffled(self) -> np.ndarray:
        generator = np.random.default_rng(self.protocol.seed)
        return generator.permutation(len(self.images))


def load_reference(
    data: ImageData,
    *,
    features: str | None = None,
    excluded: Container[str] = (),
    num_images: int = MAX_IMAGES,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Reference:
    """Chooses real images of a data set, whose features are extracted when asked for.

    Features are kept under `~/.cache/ganlab` (or `XDG_CACHE_HOME`), by the hash of
    extractor and images, and read from there the next time.

    Args:
        data: A `ganlab.data.image_data.ImageData`.
        features: SPEC of an extractor, or `None` for the default.
        excluded: SPECs that the default is none of: what discriminators are made of.
        num_images: Integer: how many, at most.
        seed: Integer: seeds which ones.
        progress: `None`, or a function of `(images done, images in all)`.

    Returns:
        A `Reference`.

    Raises:
        UserError: if there are fewer than 6 images, or the extractor does not
            take them.
    """
    count = min(num_images, len(data.images))
    if count < MIN_IMAGES:
        raise UserError(
            f"Expected {MIN_IMAGES} real images or more. Received: {count} in "
            f"{data.spec}"
        )
    shape = tuple(int(size) for size in data.images.shape[1:])
    extractor = load_extractor(features or default_spec(shape, excluded), shape)
    order = np.random.default_rng(seed).permutation(len(data.images))
    indices = np.sort(order[:count])
    images = np.ascontiguousarray(data.images[indices])
    split = data.spec.rpartition(":")[2]
    protocol = Protocol(
        extractor=extractor.name,
        extractor_sha256=extractor.sha256,
        resizer=extractor.resizer,
        data=data.spec,
        data_sha256=_sha256(images),
        split=split if split in SPLITS else "all",
        image_shape=shape,
        num_images=count,
        seed=seed,
    )
    if extractor.name.startswith(CUSTOM):
        extractor.extract(images[:1])  # a mistake of its file shows before training
    extract = functools.partial(_extract, protocol, extractor, images, progress)
    return Reference(
        protocol=protocol,
        extractor=extractor,
        images=images,
        labels=None if data.labels is None else data.labels[indices],
        class_names=tuple(data.class_names),
        extracted=functools.cache(extract),
        attribution=data.attribution,
    )


def _sha256(images: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def _extract(
    protocol: Protocol,
    extractor: Extractor,
    images: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> Extracted:
    identity = [
        extractor.name,
        extractor.sha256,
        extractor.resizer,
        protocol.data_sha256,
    ]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    path = cache_folder() / "features" / f"{key}.npz"
    if path.exists():
        wrong: object = damage(path)
        if wrong is None:
            try:
                with np.load(path, allow_pickle=False) as cached:
                    return cached["features"], cached.get("logits")
            except (OSError, ValueError, KeyError) as error:
                wrong = one_line(error)
        LOGGER.warning("The cache %s is damaged (%s): it is made again", path, wrong)
    features, logits = extractor.extract(images, progress)
    try:
        with atomic_file(path) as temporary:
            if logits is None:
                np.savez(temporary, features=features)
            else:
                np.savez(temporary, features=features, logits=logits)
            seal(temporary)
    except OSError:
        pass  # a full or read-only disk costs the extraction next time
    return features, logits
