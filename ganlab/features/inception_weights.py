"""The weights of Inception: downloading, checking and reading them."""

import hashlib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ganlab.errors import RunError, UserError
from ganlab.features.inception import graph_names
from ganlab.features.torch_weights import read_state_dict
from ganlab.files import atomic_file, cache_folder

EPSILON = 1e-3  # of its batch normalisation
FILE_NAME = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
URL = (
    f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE_NAME}"
)


def read_weights(path: Path | str) -> dict[str, list[np.ndarray]]:
    """Reads the weights from PyTorch's port or from the original graph.

    Args:
        path: A `.pth` file, or `classify_image_graph_def.pb` of
            `inception-2015-12-05.tgz`. Neither is executed.

    Returns:
        A dict from each convolution's name in PyTorch's port to its kernel and
        bias, and `fc` to its matrix: what `ganlab.features.inception.build` takes.

    Raises:
        UserError: if the file is neither, or lacks a weight.
    """
    path = Path(path)
    read = _read_graph if path.suffix == ".pb" else read_state_dict
    arrays = read(path)
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
        for port_name, graph_name in graph_names().items():
            root = port_name if ported else graph_name
            part = {
                key: np.asarray(arrays[root + suffix], np.float64)
                for key, suffix in keys.items()
            }
            kernel = part["kernel"].transpose(2, 3, 1, 0) if ported else part["kernel"]
            scale = part["gamma"] / np.sqrt(part["variance"] + EPSILON)
            weights[port_name] = [
                (kernel * scale).astype(np.float32),
                (part["beta"] - part["mean"] * scale).astype(np.float32),
            ]
        last = arrays["fc.weight"].T if ported else arrays["softmax/weights"]
        weights["fc"] = [np.ascontiguousarray(last, np.float32)]
    except (KeyError, ValueError) as error:
        raise UserError(
            f"Expected the weights of Inception of 2015-12-05 in {path}. Received: a "
            f"file without {error}; see ganlab fetch-inception"
        ) from error
    return weights


def _read_graph(path: Path) -> dict[str, np.ndarray]:
    """Constants of a frozen TensorFlow graph, by name; the graph is not run."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise UserError(
            f"Expected a frozen TensorFlow graph. Received: {path} ({error})"
        ) from error
    return {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }


def cached_file() -> Path:
    """Where `fetch` keeps the weights."""
    return cache_folder() / FILE_NAME


def fetch(
    url: str = URL,
    sha256: str = SHA256,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
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
