"""Runs an ONNX file on sampled inputs, its graph rewritten by onnxruntime or not."""

from pathlib import Path

import numpy as np
import onnxruntime

from ganlab import sampling
from ganlab.data.kinds import scaled_count

MAX_BATCH, MIN_BATCH = 64, 8

LABELS = "labels"


def open_session(
    model: bytes | Path | str, *, optimized: bool
) -> onnxruntime.InferenceSession:
    """Opens a model on the CPU.

    Args:
        model: The file, or its bytes.
        optimized: Whether onnxruntime may rewrite the graph. Without, operators of 8
            bits are float32 arithmetic on rounded numbers, the same on any CPU.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, not printed as well
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    )
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(
        source, options, providers=["CPUExecutionProvider"]
    )


def draw_inputs(
    session: onnxruntime.InferenceSession, count: int, seed: int, num_classes: int
) -> dict[str, np.ndarray]:
    """Draws latents for a seed, and each class in turn, for the inputs of a model.

    Several latents are cut from one of the sum of their sizes, in the inputs' order.

    Args:
        session: The opened model.
        count: Integer.
        seed: Integer, 0 or more.
        num_classes: Integer, 0 without labels.

    Returns:
        A dict from each input to a float32 array `(count, ...)`, or to int32 labels
        `(count,)`.
    """
    shapes = {value.name: value.shape[1:] for value in session.get_inputs()}
    labels = [LABELS] if shapes.pop(LABELS, None) is not None else []
    parts = sampling.draw_inputs(
        count, list(shapes.values()), num_classes if labels else 0, seed
    )
    return dict(zip([*shapes, *labels], parts, strict=True))


def largest_batch(session: onnxruntime.InferenceSession) -> int:
    """How many samples a model is compared and calibrated by at once.

    64, and fewer where samples are larger than 128 by 128 pixels in colour.
    """
    shape = session.get_outputs()[0].shape[1:]
    sizes = [size if isinstance(size, int) else 1 for size in shape]
    return scaled_count(MAX_BATCH, MIN_BATCH, sizes)
