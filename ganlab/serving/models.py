"""What is served: artifacts by name, what each allows, and in which batches it may run.

The same seed is to give the same image whatever else is asked for. So a batch is run
only in sizes in which this generator, on this machine, gives each sample the very
numbers that it has alone; that is tried when it is loaded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact
from ganlab.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
VERSION = "1"  # an artifact has no other
MAX_BATCH = 64
NUM_DIRECTIONS = 8  # that images can be moved along
BATCH_NUMBERS = 1 << 20  # of all samples of one batch
ANSWER_NUMBERS = 1 << 24  # of all samples of one answer, and of all its latents
JSON_NUMBERS = 1 << 20  # likewise, where they are written as text
TRUNCATED_NUMBERS = 1 << 18  # latents of one request, which cost 2 microseconds each
BODY_BYTES = 1 << 16  # beside the latents
BYTES_A_NUMBER = 32  # of a latent as text
MAX_BODY = 1 << 24


@dataclass(frozen=True)
class Model:
    """One artifact as it is served.

    Args:
        name: What URLs call it.
        artifact: The generator.
        sizes: Sizes of batches in which a sample does not depend on its batch.
        max_images: Samples that one request may ask for.
        directions: Float32 array `(n, latent_dim)`: the artifact's principal
            directions.
    """

    name: str
    artifact: Artifact
    sizes: tuple[int, ...]
    max_images: int
    directions: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def sample_size(self) -> int:
        """Numbers of one sample."""
        return int(np.prod(self.artifact.image_shape))

    @property
    def max_body(self) -> int:
        """Bytes that a request may have: room for its latents as text."""
        latents = self.max_images * (self.artifact.latent_dim + 1)
        return min(MAX_BODY, BODY_BYTES + BYTES_A_NUMBER * latents)

    def describe(self) -> dict[str, Any]:
        """What the page, and whoever asks for samples, needs to know."""
        return {
            "name": self.name,
            "image_shape": list(self.artifact.image_shape),
            "latent_dim": self.artifact.latent_dim,
            "class_names": list(self.artifact.class_names),
            "attribution": self.artifact.attribution,
            "max_images": self.max_images,
            "directions": len(self.directions),
        }

    def check_count(self, count: int, as_text: bool = False) -> None:
        """Checks how many samples a request asks for.

        Raises:
            UserError: for none, or more than it may.
        """
        most = self.max_images
        if as_text:
            most = max(1, min(most, JSON_NUMBERS // self.sample_size))
        if not 1 <= count <= most:
            hint = "; ask for binary output" if most < count <= self.max_images else ""
            raise UserError(
                f"Expected 1 to {most} images a request. Received: {count}{hint}"
            )


def load_models(specs: Sequence[str], format: str, max_images: int) -> dict[str, Model]:
    """Loads artifacts, each named by its folder or by `NAME=FOLDER`.

    Args:
        specs: Folders of artifacts.
        format: See `Artifact`.
        max_images: Samples that one request may ask for, of small images.

    Raises:
        UserError: for a name that no URL can hold, two of one name, or what `Artifact`
            refuses.
    """
    folders: dict[str, Path] = {}
    for spec in specs:
        name, folder = _parse(spec)
        if name in folders:
            raise UserError(
                f"Expected a name for each artifact. Received: {name!r} for "
                f"{folders[name]} and {folder}; write one as NAME={folder}"
            )
        folders[name] = folder
    return {
        name: load_model(name, folder, format, max_images)
        for name, folder in folders.items()
    }


def _parse(spec: str) -> tuple[str, Path]:
    name, equals, folder = spec.partition("=")
    if not equals or Path(spec).is_dir():
        name, folder = Path(spec).resolve().name, spec
    if not NAME.fullmatch(name):
        raise UserError(
            "Expected a name of letters, digits, '.', '_' and '-', 64 at most. "
            f"Received: {name!r}; write NAME={folder}"
        )
    return name, Path(folder)


def load_model(name: str, folder: Path, format: str, max_images: int) -> Model:
    """Loads one artifact, checks its hashes and tries in which batches it may run."""
    model = describe_artifact(name, Artifact(folder, format, threads=1), max_images)
    largest = max(1, min(MAX_BATCH, BATCH_NUMBERS // model.sample_size))
    return replace(model, sizes=independent_sizes(model.artifact, largest))


def describe_artifact(name: str, artifact: Artifact, max_images: int) -> Model:
    """An artifact before anything of it was tried, which runs samples one at a time."""
    numbers = max(int(np.prod(artifact.image_shape)), artifact.latent_dim)
    most = max(1, min(max_images, ANSWER_NUMBERS // numbers))
    directions = artifact.principal_directions(NUM_DIRECTIONS)
    return Model(name, artifact, (1,), most, directions)


def independent_sizes(artifact: Artifact, largest: int) -> tuple[int, ...]:
    """Sizes of batches in which each sample is, to the bit, what it is alone.

    Args:
        artifact: The generator.
        largest: Integer: powers of two up to this are tried.

    Returns:
        Integers, of which 1 is the first.
    """
    count = 1 << (largest.bit_length() - 1)
    latents = sampling.draw_latents(count, artifact.latent_dim)
    labels = artifact.labels(count)

    def generate(size: int) -> np.ndarray:
        starts = range(0, count, size)
        return np.concatenate(
            [
                artifact.generate(
                    latents[start : start + size],
                    None if labels is None else labels[start : start + size],
                )
                for start in starts
            ]
        )

    alone = generate(1)
    sizes = [1 << power for power in range(count.bit_length())]
    return tuple(
        size
        for size in sizes
        if size == 1 or np.array_equal(generate(size), alone, equal_nan=True)
    )
