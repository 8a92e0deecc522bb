"""What the servers of the benchmark call: onnxruntime, as its examples open it."""

from pathlib import Path

import numpy as np
import onnxruntime


class Generator:
    """The shipped generator, of onnxruntime alone.

    Args:
        artifact: Its folder.
        threads: Integer: what a batch is computed in; 0 for one a core.
    """

    def __init__(self, artifact: Path | str, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        path = Path(artifact) / "generator.onnx"
        self._session = onnxruntime.InferenceSession(path, options)

    def pixels(self, seeds: list[int], labels: list[int]) -> np.ndarray:
        """Uint8 pixels of the first image of each seed."""
        latents = [
            np.random.default_rng(seed).standard_normal((1, 64), np.float32)
            for seed in seeds
        ]
        feeds = {"latents": np.concatenate(latents), "labels": np.int32(labels)}
        (images,) = self._session.run(["images"], feeds)
        return np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
