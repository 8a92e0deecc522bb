"""Which numbers stand for an image when sets of images are compared?

Distances between sets are distances between features, and mean nothing without
the network that made them. A SPEC names an extractor:

    fashion_mnist           the classifier in the package, for 28-pixel grey images
    inception[:FILE]        what published FIDs mean; see `ganlab fetch-inception`
    keras:NAME[:WEIGHTS]    a network of keras.applications, its last means
    model:FILE              any .keras or .onnx file from images to features
    pixels                  the image itself in 8 by 8 boxes; no network at all
    points                  points of the plane as they are
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import importlib_resources
import numpy as np
from PIL import Image

from ganlab.data.fashion_mnist import FASHION_MNIST_CLASSES
from ganlab.errors import UserError, unknown_name
from ganlab.features import inception

BATCH_SIZE = 200
PIXEL_BOXES = 8
APPLICATION_SIZE = 224
FASHION_FILE = "fashion_mnist.onnx"
FASHION_SHA256 = "5415fe788f5da8d1985afdea195a23173c2576c9afeecb64849428d6ca43bbeb"
SPECS = (
    "fashion_mnist",
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
    run: Callable
    class_names: tuple[str, ...] = ()

    def extract(self, images, progress=None):
        """Extracts features a batch at a time.

        Args:
            images: Uint8 array `(n, height, width, channels)`, or float32 in
                [-1, 1]; points `(n, 2)`.
            progress: `None`, or a function of `(images done, images in all)`.

        Returns:
            Float32 features `(n, d)`, and float32 logits `(n, classes)` or `None`.

        Raises:
            UserError: if the images are none, or floats beyond [-1, 1].
        """
        images = np.asarray(images)
        if not len(images):
            raise UserError("Expected 1 image or more. Received: none")
        found = []
        for first in range(0, len(images), BATCH_SIZE):
            found.append(self.run(_as_floats(images[first : first + BATCH_SIZE])))
            if progress is not None:
                progress(min(first + BATCH_SIZE, len(images)), len(images))
        features, logits = zip(*found, strict=True)
        known = None if logits[0] is None else np.concatenate(logits)
        return np.concatenate(features), known


def load_extractor(spec, image_shape):
    """Loads the extractor that a SPEC names.

    Args:
        spec: String: see the module.
        image_shape: `(height, width, channels)` of the images that it will be
            given, or `(2,)` for points.

    Returns:
        An `Extractor`.

    Raises:
        UserError: for an unknown SPEC, a file that is missing or not what it
            should be, or images that the extractor does not take.
    """
    name, _, rest = spec.partition(":")
    points = len(image_shape) == 1
    if points != (name == "points"):
        raise UserError(
            "Expected the features points for points of the plane, and others for "
            f"images. Received: {spec} for data of shape {tuple(image_shape)}"
        )
    if name == "points":
        return Extractor("points", None, "none", lambda points: (points, None))
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
    if name == "inception":
        return _inception(Path(rest).expanduser() if rest else inception.cached_file())
    if name == "keras" and rest:
        return _application(rest)
    if name == "model" and rest:
        return _model(Path(rest).expanduser())
    raise unknown_name("features", spec, SPECS)


def default_spec(image_shape):
    """The extractor for images of a shape where none is asked for.

    The embedded classifier for what has the shape of Fashion-MNIST; Inception
    where its weights have been fetched; otherwise pixels.
    """
    if len(image_shape) == 1:
        return "points"
    if tuple(image_shape) == (28, 28, 1):
        return "fashion_mnist"
    return "inception" if inception.cached_file().is_file() else "pixels"


def class_shares(logits):
    """Softmax of logits `(n, classes)`."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _as_floats(images):
    if images.ndim == 2 or images.dtype == np.uint8:
        scale = images.dtype == np.uint8
        floats = images.astype(np.float32)
        return floats / 127.5 - 1.0 if scale else floats
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind != "f" or not (low >= -1.01 and high <= 1.01):
        raise UserError(
            "Expected uint8 images in [0, 255] or floats in [-1, 1]. Received: "
            f"{images.dtype} in [{low:g}, {high:g}]; scale them"
        )
    return images.astype(np.float32)


def _pixels(images):
    boxes = _resized(images, PIXEL_BOXES, Image.Resampling.BOX)
    return boxes.reshape(len(images), -1), None


def _resized(images, size, resample):
    """Resizes float images a channel at a time, without rounding to 8 bits."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack(
        [
            np.stack(
                [
                    np.asarray(Image.fromarray(channel).resize((size, size), resample))
                    for channel in np.moveaxis(image, -1, 0)
                ],
                axis=-1,
            )
            for image in images
        ]
    )


def _with_channels(images, channels):
    """Repeats grey images for a network of colours."""
    if images.shape[-1] == channels:
        return images
    if images.shape[-1] == 1:
        return images.repeat(channels, axis=-1)
    raise UserError(
        f"Expected images of {channels} channels for these features. Received: "
        f"{images.shape[-1]}; choose others with --features"
    )


def _fashion_mnist():
    path = importlib_resources.files("ganlab.features.classifiers") / FASHION_FILE
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != FASHION_SHA256:
        raise UserError(
            f"Expected the SHA-256 of {path} to be {FASHION_SHA256}. Received: "
            f"{digest}; install ganlab again"
        )
    return Extractor(
        "fashion_mnist", digest, "none", _onnx(content, path), FASHION_MNIST_CLASSES
    )


def _inception(path):
    content = _content(path, "run ganlab fetch-inception, or pass inception:FILE")
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix != ".pb" and digest != inception.SHA256:
        raise UserError(
            f"Expected Inception's weights, of SHA-256 {inception.SHA256}. Received: "
            f"{path} of {digest}; see ganlab fetch-inception"
        )
    network = inception.build(inception.read_weights(path))
    known = digest == inception.SHA256
    return Extractor(
        "inception-2015-12-05" if known else f"inception:{path.name}",
        digest,
        f"TensorFlow 1 bilinear, {inception.IMAGE_SIZE}",
        inception_runner(network),
    )


def inception_runner(network):
    """Runs the network of `inception.build` on images of any size."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def forward(images):
        # The graph takes bytes and scales them by 128, not by 127.5.
        pixels = inception.resize((images + 1.0) * 127.5)
        return network((pixels - 128.0) / 128.0, training=False)

    def run(images):
        features, logits = forward(tf.constant(_with_channels(images, 3)))
        return features.numpy(), logits.numpy()

    return run


def _application(rest):
    import keras

    name, _, file = rest.partition(":")
    modules = [
        module
        for module in vars(keras.applications).values()
        if isinstance(module, ModuleType) and hasattr(module, "preprocess_input")
    ]
    module = next((each for each in modules if hasattr(each, name)), None)
    if module is None or not name[:1].isupper():
        known = sorted(
            each
            for module in modules
            for each in vars(module)
            if re.match("[A-Z]", each)
        )
        raise unknown_name("network of keras.applications", name, known)
    size = APPLICATION_SIZE
    try:
        network = getattr(module, name)(
            include_top=False,
            pooling="avg",
            input_shape=(size, size, 3),
            weights=file or "imagenet",
        )
    except Exception as error:
        raise UserError(
            f"Expected the weights of {name}, downloaded or as keras:{name}:FILE. "
            f"Received: {type(error).__name__} ({' '.join(str(error).split())[:160]})"
        ) from error
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())

    def run(images):
        images = _resized(_with_channels(images, 3), size, Image.Resampling.BICUBIC)
        pixels = module.preprocess_input((images + 1.0) * 127.5)
        return network.predict_on_batch(pixels), None

    return Extractor(
        f"keras:{name}", digest.hexdigest(), f"Pillow bicubic, {size}", run
    )


def _model(path):
    content = _content(path, "give the path of a .keras or .onnx file")
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix == ".onnx":
        run = _onnx(content, path)
    elif path.suffix == ".keras":
        run = _keras(path)
    else:
        raise UserError(f"Expected a .keras or .onnx file. Received: {path}")
    return Extractor(f"model:{path.name}", digest, "Pillow bicubic, its own size", run)


def _content(path, fix):
    if not path.is_file():
        raise UserError(f"Expected a file that exists. Received: {path}; {fix}")
    return path.read_bytes()


def _onnx(content, path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=onnxruntime.get_available_providers()
        )
        (taken,) = session.get_inputs()
        shape = _shape_of(taken.shape, path)
    except (
        ValueError,
        RuntimeError,
        onnxruntime.capi.onnxruntime_pybind11_state.Fail,
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf,
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph,
    ) as error:
        raise UserError(
            f"Expected an ONNX model of one input of images. Received: {path} "
            f"({' '.join(str(error).split())[:160]})"
        ) from error
    outputs = [output.name for output in session.get_outputs()]

    def run(images):
        images = _fitted(images, shape)
        found = session.run(outputs, {taken.name: images})
        return _features_and_logits(dict(zip(outputs, found, strict=True)), path)

    return run


def _keras(path):
    import keras

    try:
        model = keras.saving.load_model(path, safe_mode=True, compile=False)
    except Exception as error:
        raise UserError(
            f"Expected a Keras model that loads in safe mode. Received: {path} "
            f"({' '.join(str(error).split())[:160]})"
        ) from error
    shape = _shape_of(model.inputs[0].shape, path)

    def run(images):
        found = model.predict_on_batch(_fitted(images, shape))
        if not isinstance(found, dict):
            found = found if isinstance(found, (list, tuple)) else [found]
            found = dict(zip(model.output_names, found, strict=True))
        return _features_and_logits(found, path)

    return run


def _shape_of(shape, path):
    """Height and width (or `None`) and channels of what a model takes."""
    if len(shape) != 4:
        raise UserError(
            "Expected a model of images (n, height, width, channels). Received: "
            f"{path} of {tuple(shape)}"
        )
    return tuple(each if isinstance(each, int) else None for each in shape[1:])


def _fitted(images, shape):
    height, width, channels = shape
    if height != width:
        raise UserError(f"Expected a model of square images. Received: {shape}")
    images = _with_channels(images, channels or images.shape[-1])
    return (
        images if height is None else _resized(images, height, Image.Resampling.BICUBIC)
    )


def _features_and_logits(outputs, path):
    """The outputs of those names, or the first one; activations are averaged."""
    features = np.asarray(outputs.get("features", next(iter(outputs.values()))))
    if features.ndim == 4:
        features = features.mean(axis=(1, 2))
    if features.ndim != 2:
        raise UserError(
            "Expected features of shape (n, d) or (n, height, width, d). Received: "
            f"{features.shape} from {path}"
        )
    return features.astype(np.float32), outputs.get("logits")
