"""The parity certificate: how far each exported format's images differ from Keras's.

Differences are on the scale of [-1, 1]: absolute where no value exceeds 1, else
relative to the largest.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import FORMATS, read_card
from ganlab.artifacts.onnx_run import draw_inputs, largest_batch, open_session
from ganlab.errors import RunError
from ganlab.networks.precision import in_float32

TOLERANCE = 1e-4
# Mean absolute difference from float32 beyond which a format is left out.
MEAN_TOLERANCES = {"float16": 0.005, "int8": 0.05}
# Mean absolute difference that onnxruntime's kernels may add to a format's own.
RUNTIME_TOLERANCE = 0.001
SMALL_BATCHES = (1, 2, 7)
SEEDS = (0, 1, 2)
NOTES = {
    "int8": "ONNX's QuantizeLinear and DequantizeLinear: for onnxruntime 1.18 or "
    "later; onnx2torch does not convert it"
}

ScoreFunction = Callable[[Artifact], Mapping[str, Any]]
Generate = Callable[..., Mapping[str, tf.Tensor]]


class ParityError(RunError):
    """The images of an exported format differ from those of the Keras generator."""


def certify(
    generate: Generate,
    signature: Sequence[tf.TensorSpec],
    directory: Path,
    num_classes: int = 0,
) -> dict[str, Any]:
    """Compares Keras with SavedModel and ONNX.

    Args:
        generate: From the tensors of the signature to a dict with `images`: what was
            exported.
        signature: A `tf.TensorSpec` for each input, with its name.
        directory: The artifact's folder.
        num_classes: Integer, 0 without labels.

    Returns:
        A dict with the largest difference of each format over all batches and seeds.

    Raises:
        ParityError: if a format differs by more than 1e-4.
    """
    loaded = tf.saved_model.load(directory / "saved_model")
    saved_model = loaded.signatures["serving_default"]
    session = open_session(directory / FORMATS["float32"], optimized=True)
    largest = {"saved_model": 0.0, "onnx": 0.0}
    batch_sizes = [*SMALL_BATCHES, largest_batch(session)]
    for batch_size in batch_sizes:
        for seed in SEEDS:
            inputs = draw_inputs(session, batch_size, seed, num_classes)
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            values = generate(*(tensors[spec.name] for spec in signature))
            expected = values["images"].numpy()
            received = {
                "saved_model": saved_model(**tensors)["images"].numpy(),
                "onnx": session.run(["images"], inputs)[0],
            }
            for name, images in received.items():
                difference = np.abs(images - expected) / _scale(expected)
                maximum = float(difference.max())
                if not maximum <= TOLERANCE:
                    index = np.unravel_index(difference.argmax(), difference.shape)
                    raise ParityError(
                        f"Expected {name} to draw Keras's images to {TOLERANCE}. "
                        f"Received: a difference of {maximum:.3g} in batch "
                        f"{batch_size}, seed {seed}, at image, row, column, channel "
                        f"{tuple(map(int, index))}; nothing was exported"
                    )
                largest[name] = max(largest[name], maximum)
    return {
        "tolerance": TOLERANCE,
        "batches": batch_sizes,
        "seeds": list(SEEDS),
        "max_difference": largest,
    }


def _scale(images: np.ndarray) -> float:
    return max(1.0, float(np.abs(images).max()))


def certified_inputs(directory: Path, num_classes: int) -> dict[str, np.ndarray]:
    """The inputs of the largest batch of the last seed."""
    session = open_session(directory / FORMATS["float32"], optimized=True)
    return draw_inputs(session, largest_batch(session), SEEDS[-1], num_classes)


def training_inference_difference(generator: keras.Model, arguments: Any) -> float:
    """Mean absolute difference between images in training and in inference mode.

    Batch normalisation uses the batch's statistics in training and moving averages
    in inference.

    Args:
        generator: A float32 generator.
        arguments: What it is called on.

    Returns:
        Float on the scale of [-1, 1]: 0 without batch normalisation.
    """
    copy = in_float32(generator)  # training mode moves the averages
    inference = keras.ops.convert_to_numpy(generator(arguments, training=False))
    training = keras.ops.convert_to_numpy(copy(arguments, training=True))
    return float(np.abs(training - inference).mean() / _scale(inference))


def certify_formats(
    directory: Path, score: ScoreFunction | None
) -> dict[str, dict[str, Any]]:
    """Compares the images of each ONNX format with those of float32.

    They are drawn without onnxruntime's rewriting of graphs: 8 bits are float32
    arithmetic on rounded numbers then, so that the certificate is the same on any CPU,
    to rounding. A format whose images differ by more than `MEAN_TOLERANCES` is
    removed, with a warning. If this CPU's own kernels draw others, a warning says so.

    Args:
        directory: The artifact's folder.
        score: See `ganlab.export_generator`.

    Returns:
        A dict from each format to its bytes, its opset, the largest and the mean
        difference of its images, and its score.
    """
    formats: dict[str, dict[str, Any]] = {}
    num_classes = len(read_card(directory)["class_names"])
    expected = None
    for name, file_name in FORMATS.items():
        path = directory / file_name
        if not path.is_file():
            continue
        images = draw_images(path, num_classes, optimized=False)
        expected = images if expected is None else expected
        difference = np.abs(images - expected) / _scale(expected)
        mean, limit = float(difference.mean()), MEAN_TOLERANCES.get(name)
        if limit is not None and not mean <= limit:
            logging.getLogger("ganlab").warning(
                "Expected images of %s to differ by %g of 2 at most, on average. "
                "Received: %.3g; %s is left out",
                *(name, limit, mean, file_name),
            )
            path.unlink()
            continue
        _compare_kernels(path, num_classes, images)
        formats[name] = {
            "bytes": path.stat().st_size,
            "opset": _opset(path),
            "max_difference": _rounded(difference.max()),
            "mean_difference": _rounded(mean),
        }
        if name in NOTES:
            formats[name]["note"] = NOTES[name]
        if score is not None:
            formats[name] |= score(Artifact(directory, name))
    return formats


def _compare_kernels(path: Path, num_classes: int, expected: np.ndarray) -> None:
    """Warns if onnxruntime draws other images on this CPU than the file states."""
    images = draw_images(path, num_classes, optimized=True)
    mean = float((np.abs(images - expected) / _scale(expected)).mean())
    if not mean <= RUNTIME_TOLERANCE:
        logging.getLogger("ganlab").warning(
            "Expected onnxruntime on this CPU to draw the images of %s to %g of 2, on "
            "average. Received: %.3g; the file is right, but draw from "
            "generator.onnx on this machine",
            *(path.name, RUNTIME_TOLERANCE, mean),
        )


def draw_images(path: Path, num_classes: int, *, optimized: bool) -> np.ndarray:
    """The certificate's images of an ONNX file: the largest batch for every seed.

    Args:
        path: The file.
        num_classes: Integer, 0 without labels.
        optimized: See `onnx_run.open_session`.
    """
    session = open_session(path, optimized=optimized)
    size = largest_batch(session)
    batches = [
        session.run(["images"], draw_inputs(session, size, seed, num_classes))[0]
        for seed in SEEDS
    ]
    return np.concatenate(batches)


def _opset(path: Path) -> int:
    opsets = {entry.domain: entry.version for entry in onnx.load(path).opset_import}
    return int(opsets[""])


def _rounded(value: float) -> float:
    """Three digits: further ones depend on the order of a CPU's sums."""
    return float(f"{value:.3g}")
