"""Exports a generator and verifies that every format produces the same images.

An artifact folder holds the averaged generator:

    saved_model/            for TensorFlow and TensorFlow Serving
    generator.onnx          for onnxruntime; opset 18
    generator.float16.onnx  in half the bytes, for GPUs
    generator.int8.onnx     in a third of the bytes or less, for CPUs; opset 21
    generator.keras         for Keras, where its layers can be built again
    generator.safetensors   its weights alone, by the paths of Keras's variables
    card.json               inputs, outputs, training, hashes, parity certificate
    README.md               a model card, as Hugging Face reads it
    samples.png             a grid of its images; samples.npy of what is no image
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import tensorflow as tf

from ganlab import pictures
from ganlab.artifacts import model_card, onnx_convert, quantize
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import (
    FORMATS,
    Card,
    describe_generator,
    hash_files,
    read_output,
    write_card,
)
from ganlab.artifacts.exportable import (
    Exportable,
    TrainedGAN,
    exportable,
    write_keras,
)
from ganlab.artifacts.parity import (
    ScoreFunction,
    certified_inputs,
    certify,
    certify_formats,
    training_inference_difference,
)
from ganlab.data import kinds
from ganlab.errors import UserError, brief, one_line
from ganlab.files import atomic_folder, new_folder, write_text

SAMPLE_COLUMNS = 10


def export_generator(
    gan: TrainedGAN,
    directory: Path | str,
    *,
    class_names: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
    score: ScoreFunction | None = None,
    license: str | None = None,
    attribution: str = "",
) -> Card:
    """Exports the averaged generator of a GAN with its parity certificate.

    Keras, SavedModel and ONNX generate batches of 1, 2, 7 and 64 (fewer of large
    images) for three seeds;
    their images must agree to 1e-4 on the scale of [-1, 1]. float16 and int8 are
    compared with float32 on the same images. The folder appears whole or not at all.

    A generator whose layers cannot be built again from their configuration has no
    `generator.keras` and no `generator.safetensors`; the card says so under `keras`.

    Args:
        gan: A `ganlab.GAN`; of images, or of samples of any other shape.
        directory: A new or empty folder.
        class_names: A name for each class of a conditional GAN.
        training: Dict for the card: what the generator was trained on and how.
        score: Function from the `Artifact` of a format to what the card states of
            the quality of its images, a dict of JSON values, or `None`.
        license: Licence of the weights for the card, such as `"apache-2.0"`.
        attribution: Who made the training images, and their licence, for the card and
            the pictures.

    Returns:
        The card, a dict.

    Raises:
        UserError: if `directory` holds anything, class names are missing, or ONNX
            cannot hold the generator.
        ParityError: if a format differs; names the format, batch and seed.
    """
    if not hasattr(gan, "ema_generator"):
        raise UserError(
            f"Expected a ganlab.GAN to export. Received: {brief(gan)}; make one of "
            "both networks, or export a plain network with keras.Model.export"
        )
    directory = check_new_artifact(directory)
    model_card.check_license(license)
    if score is not None and not callable(score):
        raise UserError(
            f"Expected score as a function of an Artifact. Received: {brief(score)}; "
            "leave it out, or pass a function that returns a dict"
        )
    num_classes = gan.num_classes or 0
    class_names = _check_described(num_classes, class_names, training)
    gan.follow_untrained()
    exported = exportable(gan)
    card = describe_generator(
        latent_shapes=gan.latent_shapes,
        image_shape=gan.image_shape,
        output_range=output_range(gan),
        class_names=class_names,
        parameters=exported.num_weights,
        opset=onnx_convert.OPSET,
        training=training or {},
        license=license,
        attribution=attribution,
    )
    function = exported.generate, exported.signature
    with atomic_folder(directory) as partial:
        card["keras"] = write_keras(gan, exported, partial / "generator.keras")
        write_saved_model(exported, partial / "saved_model", card)
        metadata = onnx_convert.properties(card)
        write_onnx(*function, partial, num_classes=num_classes, metadata=metadata)
        write_card(partial, card | {"files": hash_files(partial)})
        parity = certify(*function, partial, num_classes)
        if exported.network is not None:
            inputs = certified_inputs(partial, num_classes)
            values = [inputs[spec.name] for spec in exported.signature]
            parity["training_inference_difference"] = training_inference_difference(
                exported.network, exported.arguments(*values)
            )
        card |= {"parity": parity, "formats": certify_formats(partial, score)}
        _write_samples(Artifact(partial), partial)
        name = directory.resolve().name
        write_text(partial / "README.md", model_card.model_card(card, name))
        card["files"] = hash_files(partial)
        write_card(partial, card)
    return card


def _check_described(
    num_classes: int, class_names: Sequence[str], training: Mapping[str, Any] | None
) -> list[str]:
    """The names of the classes.

    Raises:
        UserError: unless a card can state the classes and the training.
    """
    if isinstance(class_names, (set, frozenset)):
        raise UserError(
            "Expected class names in the order of the classes. Received: a set, which "
            "has none; pass a list"
        )
    class_names = [] if class_names is None else list(class_names)
    if len(class_names) != num_classes:
        expected, fix = f"{num_classes} class names", "pass class_names"
        if not num_classes:
            expected, fix = "no class names without classes", "leave them out"
        raise UserError(f"Expected {expected}. Received: {len(class_names)}; {fix}")
    if not all(isinstance(name, str) and name.strip() for name in class_names):
        raise UserError(
            "Expected class names that are strings, none empty. "
            f"Received: {list(class_names)}; convert them"
        )
    if len({*class_names}) < len(class_names):
        raise UserError(
            "Expected a name of its own for each class. "
            f"Received: {list(class_names)}; rename those that are alike"
        )
    try:
        json.dumps(dict(training or {}), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(
            "Expected a dict of JSON values as training. "
            f"Received: {one_line(error)}; convert them"
        ) from error
    return class_names


def output_range(gan: TrainedGAN) -> tuple[float, float] | None:
    """The range that a card states: [-1, 1] of images where none is known."""
    pictorial = kinds.of_shape(gan.image_shape).pictorial
    return gan.known_range or ((-1.0, 1.0) if pictorial else None)


def check_new_artifact(directory: Path | str) -> Path:
    """Returns the path of a new artifact.

    Raises:
        UserError: if something is there.
    """
    return new_folder(directory, "artifact", "--to")


def write_saved_model(exported: Exportable, path: Path, card: Card) -> None:
    """Writes a SavedModel with the signatures `serving_default` and `sample`.

    Args:
        exported: The generator.
        path: A new folder.
        card: Its card, with the range of its images.
    """
    num_classes = len(card["class_names"])
    shapes = [
        tuple(spec.shape[1:]) for spec in exported.signature if spec.name != "labels"
    ]
    sizes = [math.prod(shape) for shape in shapes]

    def sample(seed: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        latents = tf.random.stateless_normal((count, sum(sizes)), [seed, 0])
        inputs = [
            tf.reshape(part, (count, *shape))
            for part, shape in zip(tf.split(latents, sizes, 1), shapes, strict=True)
        ]
        outputs = {}
        if num_classes:
            outputs["labels"] = tf.random.stateless_uniform(
                [count], [seed, 1], 0, num_classes, tf.int32
            )
            inputs.append(outputs["labels"])
        outputs["images"] = _as_stored(exported.generate(*inputs)["images"], card)
        return outputs

    signature = exported.signature
    serve = tf.function(
        refusing_labels(exported.generate, signature, num_classes),
        input_signature=signature,
    )
    module = tf.Module()
    module.generator_weights = serve.get_concrete_function().graph.variables
    scalars = [tf.TensorSpec((), tf.int32, name=name) for name in ("seed", "count")]
    signatures = {
        "serving_default": serve,
        "sample": tf.function(sample, input_signature=scalars),
    }
    tf.saved_model.save(module, str(path), signatures)


def _as_stored(samples: tf.Tensor, card: Card) -> tf.Tensor:
    """Uint8 images, from black to white over their range; other samples as they are."""
    shape, (low, high) = read_output(card)
    if not kinds.of_shape(shape).pictorial:
        return samples
    return tf.saturate_cast(
        tf.round((samples - low) * (255.0 / (high - low))), tf.uint8
    )


def refusing_labels(
    function: Callable[..., Mapping[str, tf.Tensor]],
    signature: Sequence[tf.TensorSpec],
    num_classes: int,
) -> Callable[..., Mapping[str, tf.Tensor]]:
    """A function that fails on labels below 0 or above `num_classes - 1`.

    It does so before the labels are used, so that no other operator fails first.
    """

    def checked(*inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        return function(
            *(
                _checked_labels(value, num_classes) if spec.name == "labels" else value
                for spec, value in zip(signature, inputs, strict=True)
            )
        )

    return checked


def _checked_labels(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    allowed = tf.reduce_all((labels >= 0) & (labels < num_classes))
    expected = f"Expected labels from 0 to {num_classes - 1}. Received:"
    with tf.control_dependencies([tf.debugging.Assert(allowed, [expected, labels])]):
        return tf.identity(labels)


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


def _write_samples(artifact: Artifact, directory: Path) -> None:
    count, labels = pictures.grid_contents(len(artifact.class_names), SAMPLE_COLUMNS)
    samples = artifact.sample(count, seed=0, labels=labels)
    mark = artifact.mark(0)
    if artifact.kind.pictorial:
        pictures.save(samples, directory / "samples.png", None, SAMPLE_COLUMNS, mark)
    else:
        pictures.save_arrays(samples, directory / "samples.npy", mark=mark)
