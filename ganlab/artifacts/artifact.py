"""Loads and samples an exported generator without TensorFlow.

onnxruntime, NumPy and Pillow only. A file is used after its hash was compared with
the card's, and no path is read from the card.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from ganlab import pictures, sampling
from ganlab.artifacts.card import FORMATS, check_files, check_hash, read_card
from ganlab.errors import UserError, unknown_name

BATCH_SIZE = 64

Labels = Sequence[int] | np.ndarray


class Artifact:
    """An exported generator, loaded from its folder.

    Args:
        directory: Folder with `card.json` and the ONNX file of that format.
        format: `"float32"`; `"float16"`, for GPUs; or `"int8"`, smallest, and
            fastest on CPUs where feature maps are large. The card states under
            `formats` how far the images differ.

    Raises:
        UserError: if a file is missing or differs from its hash in the card.
    """

    def __init__(self, directory: Path | str, format: str = "float32") -> None:
        if format not in FORMATS:
            raise unknown_name("format", format, FORMATS)
        self.directory = Path(directory)
        self.card = read_card(self.directory)
        path = self.directory / FORMATS[format]
        check_files(self.directory, self.card, except_for=path)
        if not path.is_file():
            raise UserError(
                f"Expected {path.name} in {self.directory}. Received: an artifact "
                "without it; export the run again"
            )
        model = path.read_bytes()
        check_hash(self.card, path.name, path, model)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model, options, providers=onnxruntime.get_available_providers()
        )
        inputs = {value.name: value for value in self._session.get_inputs()}
        self.latent_dim: int = inputs["latents"].shape[1]
        self.conditional = "labels" in inputs

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each class; empty if the generator takes noise alone."""
        return tuple(self.card["class_names"])

    def label(self, name: str | int) -> int:
        """Returns the number of a class given by number or name.

        Raises:
            UserError: if there is no such class.
        """
        if not self.conditional:
            raise UserError(
                "Expected no label, for this generator takes noise alone. "
                f"Received: {name!r}; leave it out"
            )
        names = [class_name.lower() for class_name in self.class_names]
        if str(name).lower() in names:
            return names.index(str(name).lower())
        if str(name).isdecimal() and int(name) < len(names):
            return int(name)
        known = ", ".join(f"{k} {v}" for k, v in enumerate(self.class_names))
        raise UserError(f"Unknown label. Expected one of: {known}. Received: {name!r}")

    def generate(self, latents: np.ndarray, labels: Labels | None = None) -> np.ndarray:
        """Runs the generator.

        Args:
            latents: Float32 array `(n, latent_dim)`.
            labels: Int32 array `(n,)`, if the generator is conditional.

        Returns:
            Float32 array `(n, height, width, channels)` in [-1, 1].
        """
        feeds = {"latents": np.asarray(latents, np.float32)}
        if self.conditional:
            feeds["labels"] = np.asarray(labels, np.int32)
        batches = [
            self._session.run(
                ["images"],
                {k: v[first : first + BATCH_SIZE] for k, v in feeds.items()},
            )[0]
            for first in range(0, len(latents), BATCH_SIZE)
        ]
        return np.concatenate(batches)

    def sample(
        self,
        num_images: int = 64,
        seed: int = 0,
        labels: Labels | None = None,
        truncation: float | None = None,
    ) -> np.ndarray:
        """Samples images for a seed; the same as `GAN.sample` of the same weights.

        Args:
            num_images: Integer, 1 or more.
            seed: Integer, 0 or more.
            labels: Integers `(num_images,)`; by default each class in turn.
            truncation: See `ganlab.sampling.draw_latents`.

        Returns:
            Uint8 array `(num_images, height, width, channels)`.
        """
        latents = sampling.draw_latents(num_images, self.latent_dim, seed, truncation)
        return pictures.to_uint8(
            self.generate(latents, self.labels(num_images, labels))
        )

    def labels(
        self, num_images: int, labels: Labels | None = None
    ) -> np.ndarray | None:
        """Checks labels, or gives each class in turn; `None` if unconditional."""
        if not self.conditional:
            return None
        return sampling.class_labels(num_images, len(self.class_names), labels)

    def interpolate(
        self,
        start_seed: int,
        end_seed: int,
        num_images: int = 16,
        num_frames: int = 30,
        labels: Labels | None = None,
    ) -> np.ndarray:
        """Samples the images between two seeds.

        Returns:
            Uint8 array `(num_frames, num_images, height, width, channels)`.
        """
        start, end = (
            sampling.draw_latents(num_images, self.latent_dim, seed)
            for seed in (start_seed, end_seed)
        )
        labels = self.labels(num_images, labels)
        frames = sampling.interpolate_latents(start, end, num_frames)
        return np.stack(
            [pictures.to_uint8(self.generate(latents, labels)) for latents in frames]
        )
