"""Loads and samples an exported generator without TensorFlow.

onnxruntime, NumPy and Pillow only. A file is used after its hash was compared with
the card's, and no path is read from the card.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from ganlab import sampling
from ganlab.artifacts.card import (
    FORMATS,
    check_files,
    check_hash,
    read_card,
    read_output,
)
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError, one_line, unknown_name

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
        UserError: if a file is missing, differs from its hash in the card, or is no
            generator of what the card states.
    """

    def __init__(self, directory: Path | str, format: str = "float32") -> None:
        if format not in FORMATS:
            raise unknown_name("format", format, FORMATS)
        self.directory = Path(directory)
        self.card = read_card(self.directory)
        self.image_shape, self.output_range = read_output(self.card)
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
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # of many classes, all of onnxruntime's own
            raise UserError(
                f"Expected an ONNX model that onnxruntime runs in {path}. Received: "
                f"{one_line(error)}; export the run again"
            ) from error
        inputs = {value.name: value.shape[1:] for value in self._session.get_inputs()}
        self.conditional = inputs.pop("labels", None) is not None
        self._latents = {name: tuple(shape) for name, shape in inputs.items()}
        outputs = [value.name for value in self._session.get_outputs()]
        sizes = [size for shape in self._latents.values() for size in shape]
        if (
            not self._latents
            or not all(isinstance(size, int) for size in sizes)
            or "images" not in outputs
            or self.conditional != bool(self.class_names)
        ):
            raise UserError(
                f"Expected {path.name} to take latents, and labels if the card names "
                f"classes, and to give images. Received: inputs {self._latents}, "
                f"labels {self.conditional}, outputs {outputs}; export the run again"
            )

    @property
    def latent_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each latent input, without the batch."""
        return list(self._latents.values())

    @property
    def latent_dim(self) -> int:
        """Number of components of all latent inputs."""
        return sum(math.prod(shape) for shape in self.latent_shapes)

    @property
    def kind(self) -> DataKind:
        """What the samples are: images, or arrays of another kind."""
        return kinds.of_shape(self.image_shape)

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
            latents: Float array `(n, latent_dim)`, or as the generator's inputs take
                them: see `ganlab.sampling.split_latents`.
            labels: Integers `(n,)`, if the generator is conditional.

        Returns:
            Float32 array `(n, height, width, channels)` in `output_range`, or
            `(n, ...)`.

        Raises:
            UserError: for latents or labels that the generator does not take.
        """
        parts = sampling.split_latents(latents, self.latent_shapes)
        feeds = dict(zip(self._latents, parts, strict=True))
        classes = sampling.given_labels(len(parts[0]), len(self.class_names), labels)
        if classes is not None:
            feeds["labels"] = classes
        batches = [
            self._session.run(
                ["images"],
                {k: v[first : first + BATCH_SIZE] for k, v in feeds.items()},
            )[0]
            for first in range(0, len(parts[0]), BATCH_SIZE)
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
            Uint8 array `(num_images, height, width, channels)` of images; otherwise
            the generator's float32 array `(num_images, ...)`.
        """
        latents = sampling.draw_latents(num_images, self.latent_dim, seed, truncation)
        samples = self.generate(latents, self.labels(num_images, labels))
        return self.kind.to_stored(samples, self.output_range)

    def labels(
        self, num_images: int, labels: Labels | None = None
    ) -> np.ndarray | None:
        """Checks labels, or gives each class in turn; `None` if unconditional."""
        return sampling.optional_labels(num_images, len(self.class_names), labels)

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
            Uint8 array `(num_frames, num_images, height, width, channels)` of images;
            otherwise float32 `(num_frames, num_images, ...)`.
        """
        start, end = (
            sampling.draw_latents(num_images, self.latent_dim, seed)
            for seed in (start_seed, end_seed)
        )
        classes = self.labels(num_images, labels)
        frames = [
            self.generate(latents, classes)
            for latents in sampling.interpolate_latents(start, end, num_frames)
        ]
        return self.kind.to_stored(np.stack(frames), self.output_range)
