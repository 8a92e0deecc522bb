"""The parity certificate: how far each exported format's images differ from Keras's."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import FORMATS
from ganlab.errors import RunError
from ganlab.networks.precision import in_float32

TOLERANCE = 1e-4
# Mean absolute difference from float32 beyond which a format is left out.
MEAN_TOLERANCES = {"float16": 0.005, "int8": 0.05}
BATCH_SIZES = (1, 2, 7, 64)
SEEDS = (0, 1, 2)

ScoreFunction = Callable[[Artifact], Mapping[str, Any]]


class ParityError(RunError):
    """The images of an exported format differ from those of the Keras generator."""


def certify(generator: keras.Model, artifact: Artifact) -> dict[str, Any]:
    """Compares Keras with SavedModel and ONNX, and training with inference mode.

    Args:
        generator: The float32 generator that was exported.
        artifact: Its artifact.

    Returns:
        A dict with the largest absolute difference of each format over all
        batches and seeds, on the scale of [-1, 1], and
        `training_inference_difference`.

    Raises:
        ParityError: if a format differs by more than 1e-4.
    """
    loaded = tf.saved_model.load(artifact.directory / "saved_model")
    saved_model = loaded.signatures["serving_default"]
    largest = {"saved_model": 0.0, "onnx": 0.0}
    for batch_size in BATCH_SIZES:
        for seed in SEEDS:
            latents = sampling.draw_latents(batch_size, artifact.latent_dim, seed)
            labels = artifact.labels(batch_size)
            inputs = {"latents": latents}
            if labels is not None:
                inputs["labels"] = labels
            expected = keras.ops.convert_to_numpy(generator(_positional(inputs)))
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            received = {
                "saved_model": saved_model(**tensors)["images"].numpy(),
                "onnx": artifact.generate(latents, labels),
            }
            for name, images in received.items():
                difference = np.abs(images - expected)
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
        "batches": list(BATCH_SIZES),
        "seeds": list(SEEDS),
        "max_difference": largest,
        "training_inference_difference": training_inference_difference(
            generator, inputs
        ),
    }


def training_inference_difference(
    generator: keras.Model, inputs: Mapping[str, np.ndarray]
) -> float:
    """Mean absolute difference between images in training and in inference mode.

    Batch normalisation uses the batch's statistics in training and moving averages
    in inference.

    Args:
        generator: A float32 generator.
        inputs: `latents` and, if the generator is conditional, `labels`.

    Returns:
        Float on the scale of [-1, 1]: 0 without batch normalisation.
    """
    copy = in_float32(generator)  # training mode moves the averages
    inference = generator(_positional(inputs), training=False)
    training = copy(_positional(inputs), training=True)
    return float(keras.ops.mean(keras.ops.abs(training - inference)))


def certify_formats(
    directory: Path, score: ScoreFunction | None
) -> dict[str, dict[str, Any]]:
    """Compares the images of each ONNX format with those of float32.

    A format whose images differ by more than `MEAN_TOLERANCES` is removed, with a
    warning.

    Args:
        directory: The artifact's folder.
        score: See `ganlab.export_generator`.

    Returns:
        A dict from each format to its bytes, the largest and the mean absolute
        difference of its images, and its score.
    """
    formats: dict[str, dict[str, Any]] = {}
    expected = None
    for name, file_name in FORMATS.items():
        artifact, path = Artifact(directory, name), directory / file_name
        images = _certificate_images(artifact)
        expected = images if expected is None else expected
        difference = np.abs(images - expected)
        mean, limit = float(difference.mean()), MEAN_TOLERANCES.get(name)
        if limit is not None and not mean <= limit:
            logging.getLogger("ganlab").warning(
                "Expected images of %s to differ by %g of 2 at most, on average. "
                "Received: %.3g; %s is left out",
                *(name, limit, mean, file_name),
            )
            path.unlink()
            continue
        formats[name] = {
            "bytes": path.stat().st_size,
            "max_difference": float(difference.max()),
            "mean_difference": mean,
        }
        if score is not None:
            formats[name] |= score(artifact)
    return formats


def _certificate_images(artifact: Artifact) -> np.ndarray:
    """The images of the largest batch for every seed."""
    batch_size = BATCH_SIZES[-1]
    return np.concatenate(
        [
            artifact.generate(
                sampling.draw_latents(batch_size, artifact.latent_dim, seed),
                artifact.labels(batch_size),
            )
            for seed in SEEDS
        ]
    )


def _positional(inputs: Mapping[str, np.ndarray]) -> Any:
    """What a Keras generator is called with: one array, or a list."""
    values = list(inputs.values())
    return values[0] if len(values) == 1 else values
