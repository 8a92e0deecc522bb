"""The artifact's card, `card.json`: contents, reading, writing, hashes of the files."""

import datetime
import hashlib
import json
import math
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab import __version__
from ganlab.errors import UserError, one_line
from ganlab.files import write_text
from ganlab.safety import bounded
from ganlab.text import printable

CARD = "card.json"
FORMATS = {
    "float32": "generator.onnx",
    "float16": "generator.float16.onnx",
    "int8": "generator.int8.onnx",
}
SOURCES = "sources"  # the input of a translator's ONNX file
OF_FILES = ("files", "formats", "metrics", "parity")  # the rest is hashed in them
MAX_CARD_BYTES = 1 << 20
MAX_ATTRIBUTION = 500  # characters
MAX_ARTIFACT_BYTES = 1 << 31  # of all its files
MAX_LATENTS = 1 << 18  # components of one sample's latents
MAX_SAMPLE_SIZE = 1 << 22  # numbers of one sample
DATA_LICENSES = {
    "fashion_mnist": "mit",
    "mnist": "cc-by-sa-3.0",
    "emoji:google": "apache-2.0",
    "emoji:twitter": "cc-by-4.0",
}

Card = dict[str, Any]


def describe_generator(
    *,
    latent_shapes: Sequence[Sequence[int]],
    image_shape: Sequence[int],
    output_range: tuple[float, float] | None = None,
    class_names: Sequence[str],
    parameters: int,
    opset: int,
    training: Mapping[str, Any],
    license: str | None = None,
    attribution: str = "",
) -> Card:
    """Returns a card with inputs, outputs, classes and training of a generator.

    Args:
        latent_shapes: Shape of each latent input, without the batch.
        image_shape: Height, width and channels; or the shape of another sample.
        output_range: The lowest and the highest value of a sample, or `None` where
            there is no bound.
        class_names: A name for each class; empty if the generator is unconditional.
        parameters: Integer: number of weights.
        opset: Integer: ONNX operator set of the ONNX files.
        training: What the generator was trained on, and how.
        license: Licence of the weights, or `None`.
        attribution: Who made the training images, and their licence; may be empty.
    """
    names = latent_names(len(latent_shapes))
    inputs: dict[str, Any] = {
        name: {
            "shape": [None, *shape],
            "dtype": "float32",
            "distribution": "standard normal",
        }
        for name, shape in zip(names, latent_shapes, strict=True)
    }
    if class_names:
        inputs["labels"] = {
            "shape": [None],
            "dtype": "int32",
            "range": [0, len(class_names) - 1],
            "out_of_range": "an error on CPUs; class 0 on CUDA devices",
        }
    return {
        "ganlab": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "inputs": inputs,
        "outputs": {
            "images": {
                "shape": [None, *image_shape],
                "dtype": "float32",
                "range": None if output_range is None else list(output_range),
            }
        },
        "class_names": list(class_names),
        "parameters": parameters,
        "opset": opset,
        "training": dict(training),
        "license": license,
        "data_license": data_license(training.get("data")),
        "attribution": attribution or None,
    }


def latent_names(count: int) -> list[str]:
    """Names of latent inputs in every exported file.

    >>> latent_names(1), latent_names(3)
    (['latents'], ['latents', 'latents_1', 'latents_2'])
    """
    return ["latents", *(f"latents_{index}" for index in range(1, count))]


def data_license(spec: object) -> str | None:
    """Licence of the data that a SPEC names, or `None` where it is not known here.

    >>> data_license("tfds:fashion_mnist:train"), data_license("folder:photos")
    ('mit', None)
    """
    source, *parts = str(spec).split(":")
    name = str(spec)
    if parts and source in ("tfds", "emoji"):
        name = parts[0] if source == "tfds" else f"{source}:{parts[0]}"
    return DATA_LICENSES.get(name)


def read_inputs(card: Card) -> tuple[dict[str, tuple[int, ...]], bool]:
    """Shape of each latent input without the batch, and whether there are labels.

    Raises:
        UserError: if the card does not state them, or states other numbers of classes.
    """
    try:
        inputs = dict(card["inputs"])
        labels = inputs.pop("labels", None)
        shapes = {name: _sizes(value["shape"]) for name, value in inputs.items()}
        if not shapes or sum(map(math.prod, shapes.values())) > MAX_LATENTS:
            raise ValueError(f"latents {shapes}, of 1 to {MAX_LATENTS:,} components")
        classes = 0 if labels is None else int(labels["range"][1]) + 1
        if classes != len(card["class_names"]):
            raise ValueError(f"{len(card['class_names'])} names of {classes} classes")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UserError(
            "Expected a card with the shapes of the latents and a name for each class. "
            f"Received: {one_line(error)}; export the run again"
        ) from error
    return shapes, bool(classes)


def _sizes(shape: Any) -> tuple[int, ...]:
    """A shape without its batch.

    Raises:
        ValueError, TypeError: for sizes that are no integers of 1 or more.
    """
    sizes = tuple(map(operator.index, shape[1:]))
    if min(sizes, default=1) < 1:
        raise ValueError(f"a shape of {sizes}")
    return sizes


def read_attribution(card: Card) -> str:
    """Who made the training images, and their licence; empty if it is not said."""
    return printable(str(card.get("attribution") or ""))[:MAX_ATTRIBUTION]


def read_output(card: Card) -> tuple[tuple[int, ...], tuple[float, float]]:
    """Shape of one sample, and its range: [-1, 1] where the card states no bound.

    Raises:
        UserError: if the card does not state them.
    """
    try:
        images = card["outputs"]["images"]
        shape = _sizes(images["shape"])
        low, high = (float(end) for end in images.get("range") or (-1.0, 1.0))
        if not shape or not -math.inf < low < high < math.inf:
            raise ValueError(f"samples of shape {shape} in [{low:g}, {high:g}]")
        if math.prod(shape) > MAX_SAMPLE_SIZE:
            raise ValueError(f"samples of more than {MAX_SAMPLE_SIZE:,} numbers")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            "Expected a card with the shape and the range of the images. "
            f"Received: {one_line(error)}; export the run again"
        ) from error
    return shape, (low, high)


def read_card(directory: Path | str) -> Card:
    """Reads an artifact's card.

    Raises:
        UserError: if there is none, or it is not a card.
    """
    path = Path(directory) / CARD
    if not path.is_file():
        raise UserError(
            f"Expected an artifact, a folder with {CARD}. Received: {directory}; "
            "make one with `ganlab export RUN`"
        )
    try:
        content = bounded.read_bytes(path, MAX_CARD_BYTES)
        card: Card = bounded.parse_json(content.decode("utf-8"))
        names, files = card["class_names"], card["files"]
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise ValueError("class_names is no list of names")
        if not isinstance(files, dict):
            raise ValueError("files is no table of hashes")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected an artifact's card in {path}. Received: {one_line(error)}; "
            "export the run again"
        ) from error
    return card


def write_card(directory: Path | str, card: Card) -> None:
    """Writes an artifact's card."""
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    write_text(Path(directory) / CARD, text)


def sha256(content: bytes) -> str:
    """Returns the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def hash_description(card: Card) -> str:
    """Returns the SHA-256 of what a card states of the generator itself.

    What it states of the files is left out, for the files hold this hash.
    """
    description = {key: card[key] for key in card if key not in OF_FILES}
    return sha256(json.dumps(description, sort_keys=True).encode())


def hash_files(directory: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file of an artifact but its card."""
    return {name: _sha256_of(path) for name, path in _files(directory).items()}


def _files(directory: Path) -> dict[str, Path]:
    """Every file of an artifact but its card, by its name."""
    paths = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    return {
        path.relative_to(directory).as_posix(): path
        for path in paths
        if path.name != CARD
    }


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hash(card: Card, name: str, path: Path, content: bytes) -> None:
    """Checks the bytes of an artifact's file against the card.

    Raises:
        UserError: if the hash differs from the card's.
    """
    _check_equal(card, name, path, sha256(content))


def _check_equal(card: Card, name: str, path: Path, digest: str) -> None:
    if digest != card["files"].get(name):
        raise UserError(
            f"Expected the SHA-256 of {path} to be that of the card. Received: a "
            "changed file; copy the artifact again or export the run again"
        )


def check_files(directory: Path | str, card: Card, except_for: Path) -> None:
    """Checks every file that is there and on the card.

    A deployment may carry one format alone, so files of the card may be missing.

    Args:
        directory: The artifact.
        card: Its card.
        except_for: The file whose reader checks the very bytes that it loads.

    Raises:
        UserError: if a file's hash differs from the card's.
    """
    left = MAX_ARTIFACT_BYTES
    for name, path in _files(Path(directory)).items():
        if path != except_for and name in card["files"]:
            left -= path.stat().st_size
            if left < 0:
                raise UserError(
                    f"Expected an artifact of at most {MAX_ARTIFACT_BYTES:,} bytes in "
                    f"{directory}. Received: more, at {name}; remove what is not needed"
                )
            _check_equal(card, name, path, _sha256_of(path))
