"""Extractors: from images to the features that sets of images are compared by.

Distances between sets are distances between features, and mean nothing without
the network that made them. A SPEC names an extractor:

    fashion_mnist           the classifier in the package, for 28-pixel grey images
    efficientnet-lite0      EfficientNet-Lite0 on ImageNet, of a package of 17 MB
    inception[:FILE]        what published FIDs mean; see `ganlab fetch-inception`
    keras:NAME[:WEIGHTS]    a network of keras.applications, its last means
    model:FILE              any .keras or .onnx file from images to features
    pixels                  the image itself in 8 by 8 boxes; no network at all
    points                  toy 2-D samples as they are
"""

import hashlib
import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import importlib_resources
import numpy as np
from PIL import Image

from ganlab.data import kinds
from ganlab.data.fashion_mnist import FASHION_MNIST_CLASSES
from ganlab.errors import UserError, unknown_name
from ganlab.features import backends, efficientnet, inception, inception_weights
from ganlab.features.backends import FeatureFunction
from ganlab.features.efficientnet import EFFICIENTNET
from ganlab.features.resizing import resized
from ganlab.safety import bounded

LOGGER = logging.getLogger("ganlab")
BATCH_SIZE = 200
MAX_WEIGHT_BYTES = 1 << 29
PIXEL_BOXES = 8
# Networks of ImageNet see images enlarged to 224 pixels and more. Of smaller images
# than this a scale of 7 shows them edges of pixels.
MIN_ENLARGED_SIDE = 32
FASHION_FILE = "fashion_mnist.onnx"
FASHION_SHA256 = "5415fe788f5da8d1985afdea195a23173c2576c9afeecb64849428d6ca43bbeb"
SPECS = (
    "fashion_mnist",
    "efficientnet-lite0",
    "inception[:FILE]",
    "keras:NAME[:WEIGHTS]",
    "model:FILE",
    "pixels",
    "points",
)


@dataclass(frozen=True)
class Extractor:
    """Turns images into features.

    Args:
        name: What it is called in a protocol.
        sha256: Hash of its weights, or `None` where it has none.
        resizer: How images become what the network takes.
        run: Function from float32 images `(n, height, width, channels)` in
            [-1, 1] to features `(n, d)` and logits `(n, classes)` or `None`.
        class_names: What the logits are of; empty if that is not known.
    """

    name: str
    sha256: str | None
    resizer: str
    run: FeatureFunction
    class_names: tuple[str, ...] = ()

    def extract(
        self,
        images: np.ndarray,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Extracts features a batch at a time.

        Args:
            images: Uint8 array `(n, height, width, channels)`, or float32 in
                [-1, 1]; toy 2-D samples `(n, 2)`.
            progress: `None`, or a function of `(images done, images in all)`.

        Returns:
            Float32 features `(n, d)`, and float32 logits `(n, classes)` or `None`.

        Raises:
            UserError: if the images are none, or floats beyond [-1, 1].
        """
        images = np.asarray(images)
        if not len(images):
            raise UserError("Expected 1 image or more. Received: none")
        kind = kinds.of_shape(images.shape[1:])
        features: list[np.ndarray] = []
        logits: list[np.ndarray] = []
        for first in range(0, len(images), BATCH_SIZE):
            batch = kind.to_network(images[first : first + BATCH_SIZE])
            batch_features, batch_logits = self.run(batch)
            features.append(batch_features)
            if batch_logits is not None:
                logits.append(batch_logits)
            if progress is not None:
                progress(min(first + BATCH_SIZE, len(images)), len(images))
        return np.concatenate(features), np.concatenate(logits) if logits else None


def check_shape(image_shape: Sequence[int]) -> None:
    """Raises `UserError` for samples that no extractor takes."""
    if not kinds.of_shape(image_shape).extractors:
        raise UserError(
            "Expected images of 1, 3 or 4 channels, or toy 2-D samples, to score. "
            f"Received: samples of shape {tuple(image_shape)}, for which there are no "
            "features; give ganlab.metrics features of your own"
        )


def load_extractor(spec: str, image_shape: Sequence[int]) -> Extractor:
    """Loads the extractor that a SPEC names.

    Args:
        spec: String: see the module.
        image_shape: `(height, width, channels)` of the images that it will be
            given, or `(2,)` for toy 2-D samples.

    Returns:
        An `Extractor`.

    Raises:
        UserError: for an unknown SPEC, a file that is missing or not what it
            should be, or images that the extractor does not take.
    """
    check_shape(image_shape)
    name, _, rest = spec.partition(":")
    known = {extractor for kind in kinds.KINDS for extractor in kind.extractors}
    if name in known - {*kinds.of_shape(image_shape).extractors}:
        raise UserError(
            "Expected the features points for toy 2-D mixtures, and others for "
            f"images. Received: {spec} for data of shape {tuple(image_shape)}"
        )
    if name == "points" and not rest:
        return Extractor("points", None, "none", lambda samples: (samples, None))
    if name == "pixels" and not rest:
        return Extractor(
            "pixels", None, f"mean of {PIXEL_BOXES} by {PIXEL_BOXES} boxes", _pixels
        )
    if name == "fashion_mnist" and not rest:
        if tuple(image_shape) != (28, 28, 1):
            raise UserError(
                "Expected grey images of 28 pixels for the features fashion_mnist. "
                f"Received: {tuple(image_shape)}; choose --features pixels"
            )
        return _fashion_mnist()
    if name == EFFICIENTNET and not rest:
        return _efficientnet()
    if name == "inception":
        cached = inception_weights.cached_file()
        return _inception(Path(rest).expanduser() if rest else cached)
    if name == "keras" and rest:
        return _application(rest)
    if name == "model" and rest:
        return _model(Path(rest).expanduser())
    raise unknown_name("features", spec, SPECS)


def default_spec(image_shape: Sequence[int], excluded: Container[str] = ()) -> str:
    """The extractor for images of a shape where none is asked for.

    The embedded classifier for what has the shape of Fashion-MNIST. For other grey and
    colour images, Inception where its weights have been fetched; else, from 32 pixels
    on, EfficientNet-Lite0 where it is installed. Otherwise pixels, and for images with
    opacity, which networks of ImageNet do not see.

    Where pixels stand in for a network, the log says how to get one.

    Args:
        image_shape: See `load_extractor`.
        excluded: SPECs that are not taken: what a discriminator is made of.
    """
    check_shape(image_shape)
    choices = kinds.of_shape(image_shape).extractors
    if len(choices) == 1:
        return choices[0]
    if tuple(image_shape) == (28, 28, 1):
        return "fashion_mnist"
    if image_shape[-1] not in (1, 3):
        return "pixels"
    if inception_weights.cached_file().is_file():
        return "inception"
    if min(image_shape[:2]) < MIN_ENLARGED_SIDE:
        return "pixels"
    if EFFICIENTNET in excluded:
        fix = "ganlab fetch-inception"
    elif efficientnet.weights_file() is None:
        fix = efficientnet.INSTALL
    else:
        return EFFICIENTNET
    LOGGER.warning(
        "Scores are of pixels, which see no texture; for a network's features: %s", fix
    )
    return "pixels"


def class_probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax of logits `(n, classes)`."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _pixels(images: np.ndarray) -> tuple[np.ndarray, None]:
    boxes = resized(images, PIXEL_BOXES, Image.Resampling.BOX)
    return boxes.reshape(len(images), -1), None


def _fashion_mnist() -> Extractor:
    path = importlib_resources.files("ganlab.features.classifiers") / FASHION_FILE
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != FASHION_SHA256:
        raise UserError(
            f"Expected the SHA-256 of {path} to be {FASHION_SHA256}. Received: "
            f"{digest}; install ganlab again"
        )
    return Extractor(
        "fashion_mnist",
        digest,
        "none",
        backends.from_onnx(content, path),
        FASHION_MNIST_CLASSES,
    )


def _inception(path: Path) -> Extractor:
    content = _content(path, "run ganlab fetch-inception, or pass inception:FILE")
    digest = hashlib.sha256(content).hexdigest()
    published = digest == inception_weights.SHA256
    if path.suffix != ".pb" and not published:
        raise UserError(
            f"Expected Inception's weights, of SHA-256 {inception_weights.SHA256}. "
            f"Received: {path} of {digest}; see ganlab fetch-inception"
        )
    network = inception.build(inception_weights.read_weights(path))
    return Extractor(
        "inception-2015-12-05" if published else f"inception:{path.name}",
        digest,
        f"TensorFlow 1 bilinear, {inception.IMAGE_SIZE}",
        inception.feature_function(network),
    )


def _efficientnet() -> Extractor:
    network, _ = efficientnet.build(efficientnet.read_weights())
    return Extractor(
        EFFICIENTNET,
        efficientnet.SHA256,
        f"Pillow bicubic, {efficientnet.IMAGE_SIZE}",
        efficientnet.feature_function(network),
    )


def _application(rest: str) -> Extractor:
    name, _, weights = rest.partition(":")
    run, digest = backends.from_application(name, weights)
    resizer = f"Pillow bicubic, {backends.APPLICATION_SIZE}"
    return Extractor(f"keras:{name}", digest, resizer, run)


def _model(path: Path) -> Extractor:
    content = _content(path, "give the path of a .keras or .onnx file")
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix == ".onnx":
        run = backends.from_onnx(content, path)
    elif path.suffix == ".keras":
        run = backends.from_keras(path)
    else:
        raise UserError(f"Expected a .keras or .onnx file. Received: {path}")
    return Extractor(f"model:{path.name}", digest, "Pillow bicubic, its own size", run)


def _content(path: Path, fix: str) -> bytes:
    if not path.is_file():
        raise UserError(f"Expected a file that exists. Received: {path}; {fix}")
    try:
        return bounded.read_bytes(path, MAX_WEIGHT_BYTES)
    except ValueError as error:
        raise UserError(
            f"Expected weights in {path}. Received: {error}; {fix}"
        ) from error
