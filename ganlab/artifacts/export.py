"""Exports a generator and verifies that every format produces the same images.

An artifact folder holds the averaged generator:

    saved_model/            for TensorFlow and TensorFlow Serving
    generator.onnx          for onnxruntime; opset 18
    generator.float16.onnx  in half the bytes, for GPUs
    generator.int8.onnx     in a third of the bytes or less, for CPUs
    generator.keras         for Keras
    card.json               inputs, outputs, training, hashes, parity certificate
    samples.png             a grid of its images
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import onnx
import tensorflow as tf
import tf2onnx

from ganlab import pictures
from ganlab.artifacts import onnx_simplify, quantize
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import (
    FORMATS,
    Card,
    describe_generator,
    hash_files,
    write_card,
)
from ganlab.artifacts.parity import ScoreFunction, certify, certify_formats
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.files import atomic_folder, check_new_folder
from ganlab.networks.precision import in_float32

OPSET = 18


class TrainedGAN(Protocol):
    """What an export takes from a `ganlab.GAN`."""

    @property
    def ema_generator(self) -> keras.Model: ...
    @property
    def image_shape(self) -> tuple[int, ...]: ...
    @property
    def latent_dim(self) -> int: ...
    @property
    def num_classes(self) -> int | None: ...


def export_generator(
    gan: TrainedGAN,
    directory: Path | str,
    *,
    class_names: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
    score: ScoreFunction | None = None,
) -> Card:
    """Exports the averaged generator of a GAN with its parity certificate.

    Keras, SavedModel and ONNX generate batches of 1, 2, 7 and 64 for three seeds;
    their images must agree to 1e-4 on the scale of [-1, 1]. float16 and int8 are
    compared with float32 on the same images. The folder appears whole or not at all.

    Args:
        gan: A `ganlab.GAN`.
        directory: A new or empty folder.
        class_names: A name for each class of a conditional GAN.
        training: Dict for the card: what the generator was trained on and how.
        score: Function from the `Artifact` of a format to what the card states of
            the quality of its images, a dict of JSON values, or `None`.

    Returns:
        The card, a dict.

    Raises:
        UserError: if `directory` holds anything, class names are missing, or
            the generator's outputs are no images.
        ParityError: if a format differs; names the format, batch and seed.
    """
    directory = check_new_artifact(directory)
    if not kinds.of_shape(gan.image_shape).pictorial:
        raise UserError(
            "Expected a generator of images. Received: one of shape "
            f"{gan.image_shape}; look at a toy 2-D run with TensorBoard"
        )
    num_classes = gan.num_classes or 0
    if len(class_names) != num_classes:
        raise UserError(
            f"Expected {num_classes} class names, one a class. "
            f"Received: {len(class_names)}"
        )
    generator = in_float32(gan.ema_generator)
    card = describe_generator(
        latent_dim=gan.latent_dim,
        image_shape=gan.image_shape,
        class_names=class_names,
        parameters=generator.count_params(),
        opset=OPSET,
        training=training or {},
    )
    with atomic_folder(directory) as partial:
        generator.save(partial / "generator.keras")
        write_saved_model(generator, partial / "saved_model", num_classes)
        write_onnx(generator, partial, num_classes)
        write_card(partial, card | {"files": hash_files(partial)})
        artifact = Artifact(partial)
        parity, formats = certify(generator, artifact), certify_formats(partial, score)
        _write_samples(artifact, partial / "samples.png")
        card |= {"files": hash_files(partial), "parity": parity, "formats": formats}
        write_card(partial, card)
    return card


def check_new_artifact(directory: Path | str) -> Path:
    """Returns the path of a new artifact.

    Raises:
        UserError: if something is there.
    """
    directory = Path(directory)
    check_new_folder(directory, "artifact", "exists", "name another with --to")
    return directory


def write_saved_model(generator: keras.Model, path: Path, num_classes: int) -> None:
    """Writes a SavedModel with the signatures `serving_default` and `sample`."""
    generate = _generate_function(generator)
    latent_dim = generator.inputs[0].shape[-1]

    def sample(seed: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        latents = tf.random.stateless_normal((count, latent_dim), [seed, 0])
        outputs, inputs = {}, [latents]
        if num_classes:
            outputs["labels"] = tf.random.stateless_uniform(
                [count], [seed, 1], 0, num_classes, tf.int32
            )
            inputs.append(outputs["labels"])
        pixels = tf.round((generate(*inputs)["images"] + 1.0) * 127.5)
        outputs["images"] = tf.saturate_cast(pixels, tf.uint8)
        return outputs

    module = tf.Module()
    module.generator_weights = [weight.value for weight in generator.weights]
    scalars = [tf.TensorSpec((), tf.int32, name=name) for name in ("seed", "count")]
    signatures = {
        "serving_default": tf.function(
            generate, input_signature=_input_signature(generator)
        ),
        "sample": tf.function(sample, input_signature=scalars),
    }
    tf.saved_model.save(module, str(path), signatures)


def write_onnx(generator: keras.Model, directory: Path, num_classes: int) -> None:
    """Writes the ONNX file of every format."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    signature = _input_signature(generator)
    model, _ = tf2onnx.convert.from_function(
        tf.function(_generate_function(generator), input_signature=signature),
        input_signature=signature,
        opset=OPSET,
    )
    model = onnx_simplify.simplify(model)
    models = {
        "float32": model,
        "float16": quantize.to_float16(model),
        "int8": quantize.to_int8(model, num_classes),
    }
    for name, model in models.items():
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, directory / FORMATS[name])


def _input_signature(generator: keras.Model) -> list[tf.TensorSpec]:
    """Latents and, if the generator is conditional, labels."""
    latents = tf.TensorSpec(generator.inputs[0].shape, tf.float32, name="latents")
    labels = tf.TensorSpec((None,), tf.int32, name="labels")
    return [latents, labels][: len(generator.inputs)]


def _generate_function(
    generator: keras.Model,
) -> Callable[..., dict[str, tf.Tensor]]:
    """A function of latents, or of latents and labels, to named images."""

    def generate(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        arguments = inputs[0] if len(inputs) == 1 else list(inputs)
        return {"images": generator(arguments, training=False)}

    return generate


def _write_samples(artifact: Artifact, path: Path, columns: int = 10) -> None:
    count, labels = pictures.grid_contents(len(artifact.class_names), columns)
    images = artifact.sample(count, seed=0, labels=labels)
    pictures.save(images, path, columns=columns)
