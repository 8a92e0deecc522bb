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

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import onnx
import tensorflow as tf

from ganlab import pictures
from ganlab.artifacts import onnx_convert, quantize
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import (
    FORMATS,
    Card,
    describe_generator,
    hash_files,
    write_card,
)
from ganlab.artifacts.parity import (
    ScoreFunction,
    certified_inputs,
    certify,
    certify_formats,
    training_inference_difference,
)
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.files import atomic_folder, check_new_folder
from ganlab.networks.precision import in_float32


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
        opset=onnx_convert.OPSET,
        training=training or {},
    )
    with atomic_folder(directory) as partial:
        generator.save(partial / "generator.keras")
        write_saved_model(generator, partial / "saved_model", num_classes)
        exported = _generate_function(generator), _input_signature(generator)
        metadata = onnx_convert.properties(card)
        write_onnx(*exported, partial, num_classes=num_classes, metadata=metadata)
        write_card(partial, card | {"files": hash_files(partial)})
        parity = certify(*exported, partial, num_classes) | {
            "training_inference_difference": training_inference_difference(
                generator, certified_inputs(partial, num_classes)
            )
        }
        formats = certify_formats(partial, score)
        _write_samples(Artifact(partial), partial / "samples.png")
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
    signature = _input_signature(generator)
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
            refusing_labels(generate, signature, num_classes), input_signature=signature
        ),
        "sample": tf.function(sample, input_signature=scalars),
    }
    tf.saved_model.save(module, str(path), signatures)


def refusing_labels(
    function: Callable[..., Mapping[str, tf.Tensor]],
    signature: Sequence[tf.TensorSpec],
    num_classes: int,
) -> Callable[..., Mapping[str, tf.Tensor]]:
    """A function that fails on labels below 0 or above `num_classes - 1`."""

    def checked(*inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        for spec, value in zip(signature, inputs, strict=True):
            if spec.name == "labels":
                allowed = tf.reduce_all((value >= 0) & (value < num_classes))
                expected = f"Expected labels from 0 to {num_classes - 1}. Received:"
                tf.debugging.Assert(allowed, [expected, value])
        return function(*inputs)

    return checked


def write_onnx(
    function: Callable[..., Mapping[str, tf.Tensor]],
    signature: Sequence[tf.TensorSpec],
    directory: Path,
    *,
    num_classes: int = 0,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes the ONNX file of every format.

    Args:
        function: From tensors of the signature to a dict of named tensors.
        signature: A `tf.TensorSpec` for each input, with its name: `labels`, integers
            `(batch,)`, or else latents.
        directory: An existing folder.
        num_classes: Integer, 0 without labels.
        metadata: Further properties of the files; `description` is also their text.

    Raises:
        UserError: for a function that ONNX cannot hold.
    """
    converted = onnx_convert.convert(function, signature, num_classes)
    for name, model in quantize.in_every_format(converted, num_classes).items():
        onnx_convert.describe(model, {**(metadata or {}), "format": name})
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
