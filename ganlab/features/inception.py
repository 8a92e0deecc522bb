"""Which network do published FIDs mean?

The Inception that Google published in December 2015, whose means over the last
8 by 8 activations are the 2,048 features of the Fréchet Inception distance. It
differs from Keras's InceptionV3: it has other weights, average pooling that leaves
out the border, maximum pooling in its last block, and resizes its input to 299
by TensorFlow 1's bilinear rule, which takes pixel corners for pixel centres.

Reference:
    [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567);
    [Heusel et al., 2017](https://arxiv.org/abs/1706.08500)
"""

import hashlib
import urllib.request
from pathlib import Path

import numpy as np

from ganlab.errors import RunError, UserError
from ganlab.features.torch_weights import read_state_dict
from ganlab.files import atomic_file, cache_folder

IMAGE_SIZE = 299
EPSILON = 1e-3
NUM_LOGITS = 1008
FILE_NAME = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
URL = (
    f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE_NAME}"
)

# A branch is a list of convolutions (name in PyTorch's port, filters, kernel). Names
# in TensorFlow's graph follow from its place: `mixed_4/tower_1/conv_2`.
STEM = (
    ("Conv2d_1a_3x3", 32, 3, 2, "valid"),
    ("Conv2d_2a_3x3", 32, 3, 1, "valid"),
    ("Conv2d_2b_3x3", 64, 3, 1, "same"),
    "pool",
    ("Conv2d_3b_1x1", 80, 1, 1, "same"),
    ("Conv2d_4a_3x3", 192, 3, 1, "valid"),
    "pool",
)


def _block_a(pooled):
    return {
        "conv": [("branch1x1", 64, 1)],
        "tower": [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        "tower_1": [
            ("branch3x3dbl_1", 64, 1),
            ("branch3x3dbl_2", 96, 3),
            ("branch3x3dbl_3", 96, 3),
        ],
        "tower_2": ["average", ("branch_pool", pooled, 1)],
    }


def _block_c(filters):
    return {
        "conv": [("branch1x1", 192, 1)],
        "tower": [
            ("branch7x7_1", filters, 1),
            ("branch7x7_2", filters, (1, 7)),
            ("branch7x7_3", 192, (7, 1)),
        ],
        "tower_1": [
            ("branch7x7dbl_1", filters, 1),
            ("branch7x7dbl_2", filters, (7, 1)),
            ("branch7x7dbl_3", filters, (1, 7)),
            ("branch7x7dbl_4", filters, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
        ],
        "tower_2": ["average", ("branch_pool", 192, 1)],
    }


def _block_e(pooling):
    fork = [("a", 384, (1, 3)), ("b", 384, (3, 1))]
    return {
        "conv": [("branch1x1", 320, 1)],
        "tower": [("branch3x3_1", 384, 1), ("branch3x3_2", fork)],
        "tower_1": [
            ("branch3x3dbl_1", 448, 1),
            ("branch3x3dbl_2", 384, 3),
            ("branch3x3dbl_3", fork),
        ],
        "tower_2": [pooling, ("branch_pool", 192, 1)],
    }


BLOCKS = {
    "Mixed_5b": _block_a(32),
    "Mixed_5c": _block_a(64),
    "Mixed_5d": _block_a(64),
    "Mixed_6a": {
        "conv": [("branch3x3", 384, 3, 2, "valid")],
        "tower": [
            ("branch3x3dbl_1", 64, 1),
            ("branch3x3dbl_2", 96, 3),
            ("branch3x3dbl_3", 96, 3, 2, "valid"),
        ],
        "pool": ["pool"],
    },
    "Mixed_6b": _block_c(128),
    "Mixed_6c": _block_c(160),
    "Mixed_6d": _block_c(160),
    "Mixed_6e": _block_c(192),
    "Mixed_7a": {
        "tower": [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2, "valid")],
        "tower_1": [
            ("branch7x7x3_1", 192, 1),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
            ("branch7x7x3_4", 192, 3, 2, "valid"),
        ],
        "pool": ["pool"],
    },
    "Mixed_7b": _block_e("average"),
    "Mixed_7c": _block_e("maximum"),
}


def build(weights):
    """Builds the network with weights that `read_weights` gave.

    Args:
        weights: A dict from each convolution's name in PyTorch's port to its
            kernel `(height, width, in, out)` and bias `(out,)`, batch
            normalisation folded in; and `fc` to `(2048, 1008)`.

    Returns:
        A `keras.Model` from float32 images `(n, 299, 299, 3)` in [-1, 1] to
        `[features, logits]`, `(n, 2048)` and `(n, 1008)`; logits without their
        bias, as inception scores are taken from them.
    """
    import keras

    layers, exact = keras.layers, {"dtype": "float32"}  # whatever the policy is
    chosen = {
        "pool": lambda: layers.MaxPooling2D(3, 2, **exact),
        "average": lambda: layers.AveragePooling2D(3, 1, padding="same", **exact),
        "maximum": lambda: layers.MaxPooling2D(3, 1, padding="same", **exact),
    }

    def unit(x, name, filters, kernel, strides=1, padding="same"):
        convolution = layers.Conv2D(
            filters,
            kernel,
            strides,
            padding=padding,
            activation="relu",
            name=name.replace(".", "-"),
            **exact,
        )
        x = convolution(x)
        convolution.set_weights(weights[name])
        return x

    def apply(x, step, prefix=""):
        if isinstance(step, str):
            return chosen[step]()(x)
        name, *options = step
        if isinstance(options[0], list):
            forks = [unit(x, prefix + name + fork, *rest) for fork, *rest in options[0]]
            return layers.Concatenate(**exact)(forks)
        return unit(x, prefix + name, *options)

    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), dtype="float32")
    x = inputs
    for step in STEM:
        x = apply(x, step)
    for block, branches in BLOCKS.items():
        ends = []
        for steps in branches.values():
            end = x
            for step in steps:
                end = apply(end, step, f"{block}.")
            ends.append(end)
        x = layers.Concatenate(**exact)(ends)
    features = layers.GlobalAveragePooling2D(**exact)(x)
    last = layers.Dense(NUM_LOGITS, use_bias=False, name="fc", **exact)
    logits = last(features)
    last.set_weights(weights["fc"])
    return keras.Model(inputs, [features, logits])


def names():
    """Name of each convolution in PyTorch's port -> its name in the 2015 graph."""
    found = {}
    convolutions = [step[0] for step in STEM if step != "pool"]
    for index, name in enumerate(convolutions):
        found[name] = "conv" if index == 0 else f"conv_{index}"
    for number, (block, branches) in enumerate(BLOCKS.items()):
        root = "mixed" if number == 0 else f"mixed_{number}"
        for branch, steps in branches.items():
            steps = [step for step in steps if not isinstance(step, str)]
            for index, (name, *options) in enumerate(steps):
                place = "conv" if index == 0 else f"conv_{index}"
                folder = root if branch == "conv" else f"{root}/{branch}"
                if isinstance(options[0], list):
                    for fork, leaf in (("a", "conv"), ("b", "conv_1")):
                        found[f"{block}.{name}{fork}"] = f"{folder}/mixed/{leaf}"
                else:
                    found[f"{block}.{name}"] = f"{folder}/{place}"
    return found


def read_weights(path):
    """Reads the weights from PyTorch's port or from the original graph.

    Args:
        path: A `.pth` file, or `classify_image_graph_def.pb` of
            `inception-2015-12-05.tgz`. Neither is executed.

    Returns:
        What `build` takes.

    Raises:
        UserError: if the file is neither, or lacks a weight.
    """
    path = Path(path)
    read = _read_graph if path.suffix == ".pb" else read_state_dict
    found = read(path)
    ported = path.suffix != ".pb"
    keys = {
        "kernel": ".conv.weight" if ported else "/conv2d_params",
        "gamma": ".bn.weight" if ported else "/batchnorm/gamma",
        "beta": ".bn.bias" if ported else "/batchnorm/beta",
        "mean": ".bn.running_mean" if ported else "/batchnorm/moving_mean",
        "variance": ".bn.running_var" if ported else "/batchnorm/moving_variance",
    }
    weights: dict[str, list[np.ndarray]] = {}
    try:
        for ours, theirs in names().items():
            root = ours if ported else theirs
            part = {
                key: np.asarray(found[root + suffix], np.float64)
                for key, suffix in keys.items()
            }
            kernel = part["kernel"].transpose(2, 3, 1, 0) if ported else part["kernel"]
            scale = part["gamma"] / np.sqrt(part["variance"] + EPSILON)
            weights[ours] = [
                (kernel * scale).astype(np.float32),
                (part["beta"] - part["mean"] * scale).astype(np.float32),
            ]
        last = found["fc.weight"].T if ported else found["softmax/weights"]
        weights["fc"] = [np.ascontiguousarray(last, np.float32)]
    except (KeyError, ValueError) as error:
        raise UserError(
            f"Expected the weights of Inception of 2015-12-05 in {path}. Received: a "
            f"file without {error}; see ganlab fetch-inception"
        ) from error
    return weights


def _read_graph(path):
    """Constants of a frozen TensorFlow graph, by name; the graph is not run."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(Path(path).read_bytes())
    except DecodeError as error:
        raise UserError(
            f"Expected a frozen TensorFlow graph. Received: {path} ({error})"
        ) from error
    return {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }


def resize(images):
    """TensorFlow 1's bilinear resize to 299, corners for centres.

    Args:
        images: Float32 array `(n, height, width, 3)`.

    Returns:
        A tensor `(n, 299, 299, 3)`.
    """
    import tensorflow as tf

    return tf.raw_ops.ResizeBilinear(
        images=images,
        size=[IMAGE_SIZE, IMAGE_SIZE],
        align_corners=False,
        half_pixel_centers=False,
    )


def cached_file():
    """Where `fetch` keeps the weights."""
    return cache_folder() / FILE_NAME


def fetch(url=URL, sha256=SHA256, progress=None):
    """Downloads PyTorch's port of the weights, 91 MiB, and checks its hash.

    Args:
        url: Where from.
        sha256: The hash it must have.
        progress: `None`, or a function of `(bytes done, bytes in all)`.

    Returns:
        The path of the file, which `cached_file` names.

    Raises:
        RunError: if there is no network, or another file arrives.
    """
    target = cached_file()
    if target.exists():
        return target
    digest = hashlib.sha256()
    try:
        with atomic_file(target) as temporary:
            with (
                temporary.open("wb") as file,
                urllib.request.urlopen(url, timeout=30) as response,
            ):
                total, done = int(response.headers.get("Content-Length", 0)), 0
                while chunk := response.read(1 << 20):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, max(total, done))
            if digest.hexdigest() != sha256:
                raise RunError(
                    f"Expected a file of SHA-256 {sha256} from {url}. Received: "
                    f"{digest.hexdigest()}; nothing was kept"
                )
    except OSError as error:
        raise RunError(
            f"Expected to download {url}. Received: {error}; download it elsewhere and "
            f"pass --features inception:FILE"
        ) from error
    return target
