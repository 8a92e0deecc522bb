"""How is an exported generator sampled where there is no TensorFlow?

onnxruntime, NumPy and Pillow only. Nothing in an artifact is trusted before
its hash is that of the card, and no path is read from it.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime

from ganlab import pictures, sampling
from ganlab.errors import UserError, unknown_name

BATCH_SIZE = 64
FILES = {
    "float32": "generator.onnx",
    "float16": "generator.float16.onnx",
    "int8": "generator.int8.onnx",
}
MAX_CARD_BYTES = 1 << 20


class Artifact:
    """An exported generator, loaded from its folder.

    Args:
        directory: Folder with `card.json` and the ONNX file of that format.
        format: `"float32"`; `"float16"`, for GPUs; or `"int8"`, smallest, and
            fastest on CPUs where maps are large. How far the images differ is on
            the card, under `formats`.

    Raises:
        UserError: if a file is missing or differs from its hash in the card.
    """

    def __init__(self, directory, format="float32"):
        if format not in FILES:
            raise unknown_name("format", format, FILES)
        self.directory = Path(directory)
        self.card = read_card(self.directory)
        path = self.directory / FILES[format]
        check_files(self.directory, self.card, but=path)
        if not path.is_file():
            raise UserError(
                f"Expected {path.name} in {self.directory}. Received: an artifact "
                "without it; export the run again"
            )
        model = path.read_bytes()
        if sha256(model) != self.card["files"].get(path.name):
            raise _changed(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model, options, providers=onnxruntime.get_available_providers()
        )
        inputs = {value.name: value for value in self._session.get_inputs()}
        self.latent_dim = inputs["latents"].shape[1]
        self.conditional = "labels" in inputs

    @property
    def class_names(self):
        """A name for each class; empty if the generator takes noise alone."""
        return tuple(self.card["class_names"])

    def label(self, name):
        """Returns the number of a class given by number or name.

        Raises:
            UserError: if there is no such class.
        """
        if not self.conditional:
            raise UserError(
                "Expected no label, for this generator takes noise alone. "
                f"Received: {name!r}; leave it out"
            )
        names = [known.lower() for known in self.class_names]
        if str(name).lower() in names:
            return names.index(str(name).lower())
        if str(name).isdecimal() and int(name) < len(names):
            return int(name)
        known = ", ".join(f"{k} {v}" for k, v in enumerate(self.class_names))
        raise UserError(f"Unknown label. Expected one of: {known}. Received: {name!r}")

    def generate(self, latents, labels=None):
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

    def sample(self, num_images=64, seed=0, labels=None, truncation=None):
        """Draws images for a seed; the same as `GAN.sample` of the same weights.

        Args:
            num_images: Integer, 1 or more.
            seed: Integer, 0 or more.
            labels: Integers `(num_images,)`; by default each class in turn.
            truncation: See `ganlab.sampling.sample_latents`.

        Returns:
            Uint8 array `(num_images, height, width, channels)`.
        """
        latents = sampling.sample_latents(num_images, self.latent_dim, seed, truncation)
        return pictures.to_uint8(
            self.generate(latents, self.labels(num_images, labels))
        )

    def labels(self, num_images, labels=None):
        """Checks labels, or gives each class in turn; `None` if unconditional."""
        if not self.conditional:
            return None
        return sampling.class_labels(num_images, len(self.class_names), labels)

    def interpolate(
        self, start_seed, end_seed, num_images=16, num_frames=30, labels=None
    ):
        """Draws the images between two seeds.

        Returns:
            Uint8 array `(num_frames, num_images, height, width, channels)`.
        """
        start, end = (
            sampling.sample_latents(num_images, self.latent_dim, seed)
            for seed in (start_seed, end_seed)
        )
        labels = self.labels(num_images, labels)
        path = sampling.interpolate_latents(start, end, num_frames)
        return np.stack(
            [pictures.to_uint8(self.generate(latents, labels)) for latents in path]
        )


def read_card(directory):
    """Reads an artifact's `card.json`.

    Raises:
        UserError: if there is none, or it is not a card.
    """
    path = Path(directory) / "card.json"
    if not path.is_file():
        raise UserError(
            f"Expected an artifact, a folder with card.json. Received: {directory}; "
            "make one with `ganlab export RUN`"
        )
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"more than {MAX_CARD_BYTES} bytes")
        card = json.loads(path.read_text(encoding="utf-8"))
        names, files = card["class_names"], card["files"]
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise ValueError("class_names is no list of names")
        if not isinstance(files, dict):
            raise ValueError("files is no table of hashes")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected an artifact's card in {path}. Received: {error}; export the run "
            "again"
        ) from error
    return card


def check_files(directory, card, but):
    """Raises `UserError` if a file of the artifact differs from its hash.

    Files that the card lists and that are not there are left to whoever
    needs them: a deployment may carry one format alone. The file `but` is left
    to its reader, who checks the very bytes that it loads.
    """
    directory = Path(directory)
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        listed = path.is_file() and path != but and name in card["files"]
        if listed and sha256(path.read_bytes()) != card["files"][name]:
            raise _changed(path)


def _changed(path):
    return UserError(
        f"Expected the SHA-256 of {path} to be that of the card. Received: a changed "
        "file; copy the artifact again or export the run again"
    )


def sha256(content):
    """Returns the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
