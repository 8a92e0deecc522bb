"""Writes what servers want to find: a folder for each, made of one artifact.

Dockerfile, compose.yaml, kubernetes.yaml, requirements.txt
artifact/, ganlab/              what the image holds: `ganlab serve`
triton/NAME/1/model.onnx        a model repository of Triton, with config.pbtxt
tensorflow_serving/NAME/1/      a SavedModel under its version
"""

import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from string import Template

from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import CARD, FORMATS
from ganlab.errors import UserError
from ganlab.files import atomic_folder, new_folder, write_text
from ganlab.pages.policy import read
from ganlab.serving.models import MAX_BATCH, NAME, VERSION

PACKAGE = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"
FILES = ("Dockerfile", "compose.yaml", "kubernetes.yaml")
# What sampling and cards need; the rest is `serve`'s.
RUNTIME = ("numpy", "onnxruntime", "pillow", "threadpoolctl")
LEFT_OUT = ("__pycache__", "*.gz")  # of the package: data to train on
SAVED_MODEL = "saved_model"
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
MAX_LABEL = 63  # of DNS
OF_SERVE = re.compile(r"""extra == ['"]serve['"]""")


def check_new_deployment(directory: Path | str) -> Path:
    """Returns the path of a new folder.

    Raises:
        UserError: if something is there.
    """
    return new_folder(directory, "deployment", "--deploy")


def write_deployment(artifact: Artifact, name: str, directory: Path | str) -> None:
    """Writes the folder, whole or not at all.

    Args:
        artifact: The generator, in float32.
        name: What URLs call it.
        directory: A new or empty folder.

    Raises:
        UserError: if `directory` holds anything, or no URL can hold the name.
    """
    directory = check_new_deployment(directory)
    check_model_name(name)
    onnx = FORMATS[artifact.format]
    values = {
        "name": name,
        "label": label(name),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    with atomic_folder(directory) as partial:
        for file in FILES:
            text = Template(read(file, TEMPLATES)).substitute(values)
            write_text(partial / file, text)
        write_text(partial / "requirements.txt", "\n".join(requirements()) + "\n")
        ignored = shutil.ignore_patterns(*LEFT_OUT)
        shutil.copytree(PACKAGE, partial / "ganlab", ignore=ignored)
        (partial / "artifact").mkdir()
        for file in (CARD, onnx):
            shutil.copyfile(artifact.directory / file, partial / "artifact" / file)
        model = partial / "triton" / name
        (model / VERSION).mkdir(parents=True)
        shutil.copyfile(artifact.directory / onnx, model / VERSION / "model.onnx")
        write_text(model / "config.pbtxt", triton_config(artifact, name))
        if (artifact.directory / SAVED_MODEL).is_dir():
            served = partial / "tensorflow_serving" / name / VERSION
            shutil.copytree(artifact.directory / SAVED_MODEL, served)
        Artifact(partial / "artifact")  # its hashes are those of the card


def check_model_name(name: str) -> None:
    """Raises `UserError` for a name that no URL can hold."""
    if not NAME.fullmatch(name):
        raise UserError(
            "Expected the folder of an artifact to be named by letters, digits, '.', "
            f"'_' and '-', 64 at most. Received: {name!r}; rename it"
        )


def label(name: str) -> str:
    """A name as images and Kubernetes take it.

    >>> label("Fashion_2.1"), label("7")
    ('fashion-2-1', 'model-7')
    """
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (text if text[:1].isalpha() else f"model-{text}")[:MAX_LABEL].strip("-")


def requirements() -> list[str]:
    """What the image installs: releases of this machine, or what serving asks for."""
    return [_pinned(stated) for stated in sorted({*RUNTIME, *_of_serve()})]


def _of_serve() -> Iterator[str]:
    for requirement in metadata.requires("ganlab") or ():
        if OF_SERVE.search(requirement):
            yield requirement.partition(";")[0].strip()


def _pinned(stated: str) -> str:
    match = REQUIREMENT.match(stated)
    name = match[0] if match else stated
    try:
        return f"{name}=={metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return stated


def triton_config(artifact: Artifact, name: str) -> str:
    """The text of `config.pbtxt`.

    A label is one number a sample, which Triton states as a dimension of 1 that the
    model does not have.
    """
    latents = zip(artifact.latent_names, artifact.latent_shapes, strict=True)
    inputs = [_tensor(*latent, "TYPE_FP32") for latent in latents]
    if artifact.class_names:
        inputs.append(_tensor("labels", (1,), "TYPE_INT32", " reshape { shape: [] }"))
    images = _tensor("images", artifact.image_shape, "TYPE_FP32")
    return "\n".join(
        [
            f'name: "{name}"',
            'backend: "onnxruntime"',
            f"max_batch_size: {MAX_BATCH}",
            *(f"input {tensor}" for tensor in inputs),
            f"output {images}",
            "dynamic_batching {}",
            "",
        ]
    )


def _tensor(name: str, shape: tuple[int, ...], kind: str, more: str = "") -> str:
    sizes = ", ".join(map(str, shape))
    return f'{{ name: "{name}" data_type: {kind} dims: [{sizes}]{more} }}'
