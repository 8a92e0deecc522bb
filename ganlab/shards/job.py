"""What decides every byte of a job's shards, and which samples lie in which."""

import dataclasses
import importlib.metadata
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from ganlab import __version__
from ganlab.artifacts.artifact import Artifact
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.sampling import BLOCK, draw_block

SUFFIXES = {"tar": ".tar", "tfrecord": ".tfrecord", "parquet": ".parquet"}
ENCODED = ("tar", "tfrecord")  # that hold PNG
MAX_BATCH_NUMBERS = 1 << 20  # of all samples that the generator draws at once
MAX_SHARDS = 100_000


@dataclass(frozen=True, kw_only=True)
class Job:
    """What decides every byte of the shards.

    Sample `i` is a function of the generator, the seed and `i` alone. Its latents are
    counter-based noise. It is drawn in a batch of a size that its shape decides, among
    the same neighbours always, for onnxruntime's sums depend on the size.

    Args:
        generator: SHA-256 of the ONNX file.
        format: Its format, such as `"float32"`.
        num_images: Integer: samples of all shards.
        num_shards: Integer.
        shard_format: `"tar"` (WebDataset), `"tfrecord"` or `"parquet"`.
        seed: Integer, 0 or more.
        label: Integer: the class of every sample; `None` for each in turn.
        truncation: See `ganlab.sampling.draw_latents`.
        image_shape: Shape of one sample.
        latent_dim: Integer: components of one sample's latents.
        num_classes: Integer; 0 without classes.
        versions: Of what computes and encodes, by name.
    """

    generator: str
    format: str
    num_images: int
    num_shards: int
    shard_format: str
    seed: int
    label: int | None
    truncation: float | None
    image_shape: tuple[int, ...]
    latent_dim: int
    num_classes: int
    versions: dict[str, str]

    @property
    def batch_size(self) -> int:
        """Samples of one call of the generator: a power of 2, 64 at most."""
        size = max(1, MAX_BATCH_NUMBERS // math.prod(self.image_shape))
        return min(BLOCK, 1 << (size.bit_length() - 1))

    def name(self, shard: int) -> str:
        """File name of a shard."""
        suffix = SUFFIXES[self.shard_format]
        return f"samples-{shard:05d}-of-{self.num_shards:05d}{suffix}"

    def bounds(self, shard: int) -> tuple[int, int]:
        """Indices of the first sample of a shard and of the first behind it."""
        blocks = -(-self.num_images // BLOCK)
        first, end = (blocks * k // self.num_shards for k in (shard, shard + 1))
        return first * BLOCK, min(end * BLOCK, self.num_images)

    def batches(self, shard: int) -> Iterator[tuple[int, int]]:
        """Index of the first sample of each batch of a shard, and how many are kept."""
        first, end = self.bounds(shard)
        for start in range(first, end, self.batch_size):
            yield start, min(self.batch_size, end - start)

    def latents(self, first: int) -> np.ndarray:
        """Latents of the batch that begins at a sample, whole even at the end."""
        block, start = divmod(first, BLOCK)
        drawn = draw_block(block, self.latent_dim, self.seed, self.truncation)
        return drawn[start : start + self.batch_size]

    def labels(self, first: int) -> np.ndarray | None:
        """Int32 labels of that batch; `None` without classes."""
        if not self.num_classes:
            return None
        if self.label is not None:
            return np.full(self.batch_size, self.label, np.int32)
        indices = np.arange(first, first + self.batch_size)
        return (indices % self.num_classes).astype(np.int32)

    def as_json(self) -> dict[str, Any]:
        """JSON values by name."""
        values = dataclasses.asdict(self)
        return {**values, "image_shape": list(self.image_shape), "noise": "Philox"}


def job_of(
    artifact: Artifact,
    *,
    num_images: int,
    num_shards: int,
    shard_format: str,
    seed: int = 0,
    label: int | None = None,
    truncation: float | None = None,
) -> Job:
    """The job of an artifact, checked.

    Raises:
        UserError: for more shards than blocks of 64 samples, or a format of shards that
            does not hold what the generator draws or needs what is not installed.
    """
    blocks = -(-num_images // BLOCK)
    if not 1 <= num_shards <= min(blocks, MAX_SHARDS):
        raise UserError(
            f"Expected 1 to {min(blocks, MAX_SHARDS):,} shards of {num_images:,} "
            f"images, {BLOCK} at least in one. Received: {num_shards:,}; ask for fewer"
        )
    pictorial = kinds.of_shape(artifact.image_shape).pictorial
    if shard_format in ENCODED and not pictorial:
        raise UserError(
            f"Expected images for shards of {shard_format}, which hold PNG. Received: "
            f"samples of shape {artifact.image_shape}; write --shard-format parquet"
        )
    job = Job(
        generator=artifact.sha256,
        format=artifact.format,
        num_images=num_images,
        num_shards=num_shards,
        shard_format=shard_format,
        seed=seed,
        label=label,
        truncation=truncation,
        image_shape=artifact.image_shape,
        latent_dim=artifact.latent_dim,
        num_classes=len(artifact.class_names),
        versions=_versions(shard_format),
    )
    job.latents(0)  # refuses a seed or a truncation that nothing can be drawn for
    return job


def _versions(shard_format: str) -> dict[str, str]:
    versions = {
        "ganlab": __version__,
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "providers": " ".join(onnxruntime.get_available_providers()),
    }
    if shard_format in ENCODED:
        versions["pillow"] = importlib.metadata.version("pillow")
        versions["zlib"] = _zlib_of_workers()
        return versions
    try:
        versions["pyarrow"] = importlib.metadata.version("pyarrow")
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(
            "Expected pyarrow, for shards of Parquet. Received: none; install it with "
            'pip install "ganlab[parquet]", or write --shard-format tar'
        ) from error
    return versions


def _zlib_of_workers() -> str:
    """Version of zlib in a process without TensorFlow, which loads another."""
    code = "from PIL import features; print(features.version('zlib'))"
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, text=True).strip()
