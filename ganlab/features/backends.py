"""Networks in ONNX files, Keras files and keras.applications, as feature functions.

A feature function takes float32 images `(n, height, width, channels)` in [-1, 1]
and returns float32 features `(n, d)`, and logits `(n, classes)` or `None`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from ganlab.errors import UserError, one_line, unknown_name
from ganlab.features.resizing import resized, with_channels

APPLICATION_SIZE = 224

FeatureFunction = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def from_onnx(content: bytes, path: object) -> FeatureFunction:
    """The feature function of an ONNX model.

    Args:
        content: The file's bytes.
        path: What an error calls the file.

    Raises:
        UserError: if it is no model of one input of images.
    """
    from ganlab.safety.onnx_model import OnnxModel

    model = OnnxModel(content, path, "name other --features")
    if [kind for _, kind in model.inputs.values()] != ["tensor(float)"]:
        raise UserError(
            "Expected an ONNX model of one input of float32 images. Received: "
            f"{path} of {model.inputs}"
        )
    ((name, (sizes, _)),) = model.inputs.items()
    shape = _image_shape(sizes, path)

    def extract(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        outputs = model.run(model.outputs, {name: _fitted(images, shape)})
        return _features_and_logits(
            dict(zip(model.outputs, outputs, strict=True)), path
        )

    return extract


def from_keras(path: Path) -> FeatureFunction:
    """The feature function of a `.keras` file, which is loaded in safe mode.

    Raises:
        UserError: if it does not load so, or is no model of images.
    """
    import keras

    try:
        model = keras.saving.load_model(path, safe_mode=True, compile=False)
    except Exception as error:
        raise UserError(
            f"Expected a Keras model that loads in safe mode. Received: {path} "
            f"({one_line(error)})"
        ) from error
    shape = _image_shape(model.inputs[0].shape, path)

    def extract(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        outputs = model.predict_on_batch(_fitted(images, shape))
        if not isinstance(outputs, dict):
            outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            outputs = dict(zip(model.output_names, outputs, strict=True))
        return _features_and_logits(outputs, path)

    return extract


def from_application(name: str, weights: str) -> tuple[FeatureFunction, str]:
    """The feature function of a network of keras.applications.

    Args:
        name: Its name, such as `MobileNetV2`.
        weights: A file of weights, or empty for those of ImageNet.

    Returns:
        The function, whose features are means of the last feature maps, and the
        SHA-256 of the weights.

    Raises:
        UserError: for an unknown name, or weights that cannot be had.
    """
    import keras

    modules = [
        module
        for module in vars(keras.applications).values()
        if isinstance(module, ModuleType) and hasattr(module, "preprocess_input")
    ]
    home = next((module for module in modules if hasattr(module, name)), None)
    if home is None or not name[:1].isupper():
        known = sorted(
            attribute
            for module in modules
            for attribute in vars(module)
            if re.match("[A-Z]", attribute)
        )
        raise unknown_name("network of keras.applications", name, known)
    size = APPLICATION_SIZE
    try:
        network = getattr(home, name)(
            include_top=False,
            pooling="avg",
            input_shape=(size, size, 3),
            weights=weights or "imagenet",
        )
    except Exception as error:
        raise UserError(
            f"Expected the weights of {name}, downloaded or as keras:{name}:FILE. "
            f"Received: {type(error).__name__} ({one_line(error)})"
        ) from error
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())

    def extract(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        images = resized(with_channels(images, 3), size, Image.Resampling.BICUBIC)
        pixels = home.preprocess_input((images + 1.0) * 127.5)
        return network.predict_on_batch(pixels), None

    return extract, digest.hexdigest()


def _image_shape(shape: Sequence[object], path: object) -> tuple[int | None, ...]:
    """Height and width (or `None`) and channels of what a model takes."""
    if len(shape) != 4:
        raise UserError(
            "Expected a model of images (n, height, width, channels). Received: "
            f"{path} of {tuple(shape)}"
        )
    return tuple(size if isinstance(size, int) else None for size in shape[1:])


def _fitted(images: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Images at the size and channels that a model takes."""
    height, width, channels = shape
    if height != width:
        raise UserError(f"Expected a model of square images. Received: {shape}")
    images = with_channels(images, channels or images.shape[-1])
    if height is None:
        return images
    return resized(images, height, Image.Resampling.BICUBIC)


def _features_and_logits(
    outputs: Mapping[str, np.ndarray], path: object
) -> tuple[np.ndarray, np.ndarray | None]:
    """The outputs of those names, or the first one; feature maps are averaged."""
    features = np.asarray(outputs.get("features", next(iter(outputs.values()))))
    if features.ndim == 4:
        features = features.mean(axis=(1, 2))
    if features.ndim != 2:
        raise UserError(
            "Expected features of shape (n, d) or (n, height, width, d). Received: "
            f"{features.shape} from {path}"
        )
    return features.astype(np.float32), outputs.get("logits")
