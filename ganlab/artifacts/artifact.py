"""Loads and samples an exported generator without TensorFlow.

onnxruntime, NumPy and Pillow only. A file is used after its hash was compared with
the card's, no path is read from the card, and the ONNX file is held to the card and to
the limits of `ganlab.safety.onnx_model`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ganlab import sampling
from ganlab.artifacts.card import (
    FORMATS,
    SOURCES,
    Card,
    check_files,
    check_hash,
    read_attribution,
    read_card,
    read_inputs,
    read_output,
)
from ganlab.artifacts.principal_directions import principal_directions
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError, as_count, one_line, unknown_name
from ganlab.files import as_path
from ganlab.provenance.marks import Mark
from ganlab.safety import bounded
from ganlab.safety.onnx_model import MAX_MODEL_BYTES, OnnxModel

BATCH_SIZE = 64
MAX_THREADS = 256
FIX = "export the run again"
ONNX_TYPES = {"float32": "tensor(float)", "int32": "tensor(int32)"}

Labels = Sequence[int] | np.ndarray


class Artifact:
    """An exported generator, loaded from its folder.

    Args:
        directory: Folder with `card.json` and the ONNX file of that format.
        format: `"float32"`; `"float16"`, for GPUs; or `"int8"`, smallest, and
            fastest on CPUs where feature maps are large. The card states under
            `formats` how far the images differ.
        threads: Integer: those that compute; `None` for one a core.

    Raises:
        UserError: if a file is missing, differs from its hash in the card, or is no
            generator of what the card states.

    `sha256` is that of the ONNX file, in hexadecimal; `directory` and `format` are as
    given.
    """

    def __init__(
        self,
        directory: Path | str,
        format: str = "float32",
        threads: int | None = None,
    ) -> None:
        if format not in FORMATS:
            raise unknown_name("format", format, FORMATS)
        if threads is not None and as_count("threads", threads) > MAX_THREADS:
            raise UserError(
                f"Expected {MAX_THREADS} threads or fewer. Received: {threads}; leave "
                "them out for one a core"
            )
        self.directory, self.format = as_path(directory), format
        self.card = read_card(self.directory)
        inputs = self.card.get("inputs")
        if isinstance(inputs, dict) and SOURCES in inputs:
            raise UserError(
                f"Expected the artifact of a generator. Received: {directory}, a "
                "translator's; give it pictures: ganlab filter ARTIFACT IN --out OUT"
            )
        self.image_shape, self.output_range = read_output(self.card)
        self._latents, self.conditional = read_inputs(self.card)
        path = self.directory / FORMATS[format]
        self._model = open_model(self.directory, self.card, format, threads)
        self.sha256 = str(self.card["files"][path.name])
        self._check_model(path)

    def _check_model(self, path: Path) -> None:
        """Checks that a model takes and gives what the card states, with one sample."""
        stated = {
            name: (shape, ONNX_TYPES["float32"])
            for name, shape in self._latents.items()
        }
        if self.conditional:
            stated["labels"] = ((), ONNX_TYPES["int32"])
        inputs = {
            name: (shape[1:], kind)
            for name, (shape, kind) in self._model.inputs.items()
        }
        if inputs != stated or "images" not in self._model.outputs:
            raise UserError(
                f"Expected {path.name} to take what its card states, {stated}, and to "
                f"give images. Received: inputs {inputs}, outputs "
                f"{self._model.outputs}; {FIX}"
            )
        labels = [0] if self.conditional else None
        self.generate(np.zeros((1, self.latent_dim), np.float32), labels)

    @property
    def latent_names(self) -> list[str]:
        """Name of each latent input."""
        return list(self._latents)

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

    @property
    def attribution(self) -> str:
        """Who made the training images, and their licence; empty if it is not said."""
        return read_attribution(self.card)

    def principal_directions(self, count: int) -> np.ndarray:
        """Directions of the latents along which the first dense layer changes most.

        They are read from the float32 file, whatever format is loaded.

        Returns:
            Float32 array `(count, latent_dim)` of unit vectors: see
            `ganlab.artifacts.principal_directions`; of no rows where that file is not
            there, or the latents enter no dense layer.

        Raises:
            UserError: if the file differs from its hash in the card.
        """
        count = as_count("count", count, 0)
        path = self.directory / FORMATS["float32"]
        if len(self._latents) > 1 or not path.is_file():
            return np.empty((0, self.latent_dim), np.float32)
        (name,) = self._latents
        content = _read_model(self.card, path)
        return principal_directions(content, name, self.latent_dim, count)

    def mark(self, *seeds: int) -> Mark:
        """What files of samples say of this generator, its format and the seeds."""
        return Mark(generator=self.sha256, seeds=seeds, attribution=self.attribution)

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

    def generate(
        self,
        latents: np.ndarray,
        labels: Labels | None = None,
        *,
        whole: bool = False,
    ) -> np.ndarray:
        """Runs the generator.

        Args:
            latents: Float array `(n, latent_dim)`, or as the generator's inputs take
                them: see `ganlab.sampling.split_latents`.
            labels: Integers `(n,)`, if the generator is conditional.
            whole: See `ganlab.safety.onnx_model.OnnxModel.run`; of at most 64 samples.

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
        samples = np.empty((len(parts[0]), *self.image_shape), np.float32)
        for rows in _batches(len(samples)):
            samples[rows] = self._run({k: v[rows] for k, v in feeds.items()}, whole)
        return samples

    def _run(self, feeds: Mapping[str, np.ndarray], whole: bool) -> np.ndarray:
        (samples,) = self._model.run(["images"], feeds, whole=whole)
        shape = (len(next(iter(feeds.values()))), *self.image_shape)
        if samples.shape != shape or samples.dtype != np.float32:
            raise UserError(
                f"Expected float32 images of shape {shape}, as the card states. "
                f"Received: {samples.dtype} of {samples.shape}; {FIX}"
            )
        return samples

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
        classes = self.labels(num_images, labels)
        stored = []
        for rows in _batches(num_images):
            part = None if classes is None else classes[rows]
            samples = self.generate(latents[rows], part)
            stored.append(self.kind.to_stored(samples, self.output_range))
        return np.concatenate(stored)

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


def open_model(
    directory: Path, card: Card, format: str, threads: int | None = None
) -> OnnxModel:
    """Opens the ONNX file of an artifact after its hash was compared with the card's.

    Raises:
        UserError: if it is missing, changed, or holds what is not allowed.
    """
    path = directory / FORMATS[format]
    check_files(directory, card, except_for=path)
    if not path.is_file():
        raise UserError(
            f"Expected {path.name} in {directory}. Received: an artifact without it; "
            f"{FIX}"
        )
    return OnnxModel(_read_model(card, path), path, FIX, threads)


def _read_model(card: Card, path: Path) -> bytes:
    """The bytes of a model, whose hash is the card's."""
    try:
        content = bounded.read_bytes(path, MAX_MODEL_BYTES)
    except ValueError as error:
        raise UserError(
            f"Expected a generator in {path}. Received: {one_line(error)}; {FIX}"
        ) from error
    check_hash(card, path.name, path, content)
    return content


def _batches(count: int) -> Iterator[slice]:
    for first in range(0, count, BATCH_SIZE):
        yield slice(first, first + BATCH_SIZE)
