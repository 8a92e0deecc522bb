"""How does a generator leave, and how is it known to be the same one?

An artifact folder holds the averaged generator:

    saved_model/            for TensorFlow and TensorFlow Serving
    generator.onnx          for onnxruntime; opset 18
    generator.float16.onnx  in half the bytes, for GPUs
    generator.int8.onnx     in a third of the bytes or less, for CPUs
    generator.keras         for Keras
    card.json               what it takes, gives and was trained on; hashes; parity
    samples.png             what it draws
"""

import dataclasses
import datetime
import json
import logging
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

import ganlab
from ganlab import metrics, pictures, sampling
from ganlab.artifacts import onnx_graph, quantize
from ganlab.artifacts.artifact import FILES, Artifact, sha256
from ganlab.errors import RunError, UserError
from ganlab.files import check_new_folder
from ganlab.networks.precision import in_float32

TOLERANCE = 1e-4
# The most that fewer bits may change an image on average; more is not exported.
MEAN_TOLERANCES = {"float16": 0.005, "int8": 0.05}
BATCHES = (1, 2, 7, 64)
SEEDS = (0, 1, 2)
OPSET = 18


class ParityError(RunError):
    """An exported format draws other images than the Keras generator."""


def export_generator(gan, directory, *, class_names=(), training=None, reference=None):
    """Exports the averaged generator of a GAN, and proves that it is the same.

    Keras, SavedModel and ONNX draw batches of 1, 2, 7 and 64 for three seeds;
    their images must agree to 1e-4 on the scale of [-1, 1]. How far float16 and
    int8 differ is measured on the same images and stands on the card. The folder
    appears whole or not at all.

    Args:
        gan: A `ganlab.GAN`.
        directory: A new or empty folder.
        class_names: A name for each class of a conditional GAN.
        training: Dict for the card: what the generator was trained on and how.
        reference: `ganlab.evaluation.Reference`, real images that each precision's
            are held against for their Fréchet distance, or `None`.

    Returns:
        The card, a dict.

    Raises:
        UserError: if `directory` holds anything, class names are missing, or
            the generator draws points.
        ParityError: if a format differs; names the format, batch and seed.
    """
    directory = check_new(directory)
    if len(gan.image_shape) != 3:
        raise UserError(
            "Expected a generator of images. Received: one of shape "
            f"{gan.image_shape}; look at a run of points with TensorBoard"
        )
    num_classes = gan.num_classes or 0
    if len(class_names) != num_classes:
        raise UserError(
            f"Expected {num_classes} class names, one a class. "
            f"Received: {len(class_names)}"
        )
    generator = in_float32(gan.ema_generator)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}-"))
    try:
        generator.save(partial / "generator.keras")
        _write_saved_model(generator, partial / "saved_model", num_classes)
        _write_onnx(generator, partial, num_classes)
        card = _card(gan, generator, class_names, training or {})
        _write_card(card, partial)
        artifact = Artifact(partial)
        card["parity"] = certify(generator, artifact)
        card["formats"] = _certify_precisions(partial, reference)
        _draw_samples(artifact, partial / "samples.png")
        _write_card(card, partial)
        partial.chmod(0o755)
        if directory.exists():
            directory.rmdir()
        partial.rename(directory)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return card


def check_new(directory):
    """Returns the path, or raises `UserError` if something is there."""
    directory = Path(directory)
    check_new_folder(directory, "artifact", "exists", "name another with --to")
    return directory


def _specs(generator):
    """Input signature of a generator: latents and, if conditional, labels."""
    latents = tf.TensorSpec(generator.inputs[0].shape, tf.float32, name="latents")
    labels = tf.TensorSpec((None,), tf.int32, name="labels")
    return [latents, labels][: len(generator.inputs)]


def _drawing_function(generator):
    """A function of latents, or of latents and labels, to named images."""

    def draw(*inputs):
        inputs = inputs[0] if len(inputs) == 1 else list(inputs)
        return {"images": generator(inputs, training=False)}

    return draw


def _write_saved_model(generator, path, num_classes):
    draw = _drawing_function(generator)
    latent_dim = generator.inputs[0].shape[-1]

    def sample(seed, count):
        latents = tf.random.stateless_normal((count, latent_dim), [seed, 0])
        outputs, inputs = {}, [latents]
        if num_classes:
            outputs["labels"] = tf.random.stateless_uniform(
                [count], [seed, 1], 0, num_classes, tf.int32
            )
            inputs.append(outputs["labels"])
        pixels = tf.round((draw(*inputs)["images"] + 1.0) * 127.5)
        outputs["images"] = tf.saturate_cast(pixels, tf.uint8)
        return outputs

    module = tf.Module()
    module.generator_weights = [weight.value for weight in generator.weights]
    scalars = [tf.TensorSpec((), tf.int32, name=name) for name in ("seed", "count")]
    signatures = {
        "serving_default": tf.function(draw, input_signature=_specs(generator)),
        "sample": tf.function(sample, input_signature=scalars),
    }
    tf.saved_model.save(module, str(path), signatures)


def _write_onnx(generator, directory, num_classes):
    """Writes a file for each precision."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    model, _ = tf2onnx.convert.from_function(
        tf.function(_drawing_function(generator), input_signature=_specs(generator)),
        input_signature=_specs(generator),
        opset=OPSET,
    )
    model = onnx_graph.simplify(model)
    made = {
        "float32": model,
        "float16": quantize.to_float16(model),
        "int8": quantize.to_int8(model, num_classes),
    }
    for precision, each in made.items():
        onnx.checker.check_model(each, full_check=True)
        onnx.save(each, directory / FILES[precision])


def certify(generator, artifact):
    """Compares Keras with SavedModel and ONNX, and with its own training mode.

    Args:
        generator: The float32 `keras.Model` that was exported.
        artifact: The `Artifact` that it became.

    Returns:
        A dict with the largest absolute difference of each format over all
        batches and seeds, on the scale of [-1, 1], and `batch_norm_gap`: the
        mean absolute difference between the images of one batch drawn with
        batch statistics, as in training, and with the moving ones.

    Raises:
        ParityError: if a format differs by more than 1e-4.
    """
    served = tf.saved_model.load(artifact.directory / "saved_model")
    served = served.signatures["serving_default"]
    largest = {"saved_model": 0.0, "onnx": 0.0}
    for batch in BATCHES:
        for seed in SEEDS:
            latents = sampling.sample_latents(batch, artifact.latent_dim, seed)
            labels = artifact.labels(batch)
            inputs = {"latents": latents}
            if labels is not None:
                inputs["labels"] = labels
            expected = keras.ops.convert_to_numpy(generator(_positional(inputs)))
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            drawn = {
                "saved_model": served(**tensors)["images"].numpy(),
                "onnx": artifact.generate(latents, labels),
            }
            for name, images in drawn.items():
                difference = np.abs(images - expected)
                worst = float(difference.max())
                if not worst <= TOLERANCE:
                    where = np.unravel_index(difference.argmax(), difference.shape)
                    raise ParityError(
                        f"Expected {name} to draw Keras's images to {TOLERANCE}. "
                        f"Received: a difference of {worst:.3g} in batch {batch}, "
                        f"seed {seed}, at image, row, column, channel "
                        f"{tuple(map(int, where))}; nothing was exported"
                    )
                largest[name] = max(largest[name], worst)
    return {
        "tolerance": TOLERANCE,
        "batches": list(BATCHES),
        "seeds": list(SEEDS),
        "max_difference": largest,
        "batch_norm_gap": _batch_norm_gap(generator, inputs),
    }


def _certify_precisions(directory, reference):
    """What each precision's file is worth; removes those that are worth nothing.

    Args:
        directory: The artifact's folder.
        reference: See `export_generator`.

    Returns:
        A dict from each precision to its bytes, the largest and the mean absolute
        difference of its images from float32's, and with a reference its
        `fid` and the `fingerprint` of the protocol.
    """
    found, expected = {}, None
    for precision, name in FILES.items():
        artifact = Artifact(directory, precision)
        drawn = np.concatenate(
            [
                artifact.generate(
                    sampling.sample_latents(BATCHES[-1], artifact.latent_dim, seed),
                    artifact.labels(BATCHES[-1]),
                )
                for seed in SEEDS
            ]
        )
        expected = drawn if expected is None else expected
        gap = np.abs(drawn - expected)
        mean = float(gap.mean())
        limit = MEAN_TOLERANCES.get(precision)
        if limit is not None and not mean <= limit:
            logging.getLogger("ganlab").warning(
                "Expected images of %s to differ by %g of 2 at most, on average. "
                "Received: %.3g; %s is left out",
                *(precision, limit, mean, name),
            )
            (directory / name).unlink()
            continue
        found[precision] = {
            "bytes": (directory / name).stat().st_size,
            "max_difference": float(gap.max()),
            "mean_difference": mean,
        }
        if reference is not None:
            found[precision] |= _distance(artifact, reference)
    return found


def _distance(artifact, reference):
    """Fréchet distance of an artifact's images, as `ganlab evaluate` takes it."""
    count, seed = reference.protocol.num_images, reference.protocol.seed
    labels = reference.labels if artifact.conditional else None
    images = artifact.sample(count, seed, labels)
    features, _ = reference.extractor.extract(images)
    score = metrics.frechet_score(reference.features, features, seed)
    return {
        "fid": dataclasses.asdict(score),
        "fingerprint": reference.protocol.fingerprint,
    }


def _positional(inputs):
    values = list(inputs.values())
    return values[0] if len(values) == 1 else values


def _batch_norm_gap(generator, inputs):
    trained = in_float32(generator)
    inputs = _positional(inputs)
    at_inference = generator(inputs, training=False)
    in_training = trained(inputs, training=True)
    return float(keras.ops.mean(keras.ops.abs(in_training - at_inference)))


def _card(gan, generator, class_names, training):
    height, width, channels = gan.image_shape
    inputs = {
        "latents": {
            "shape": [None, gan.latent_dim],
            "dtype": "float32",
            "distribution": "standard normal",
        }
    }
    if class_names:
        inputs["labels"] = {
            "shape": [None],
            "dtype": "int32",
            "range": [0, len(class_names) - 1],
        }
    return {
        "ganlab": ganlab.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "inputs": inputs,
        "outputs": {
            "images": {
                "shape": [None, height, width, channels],
                "dtype": "float32",
                "range": [-1.0, 1.0],
            }
        },
        "class_names": list(class_names),
        "parameters": generator.count_params(),
        "opset": OPSET,
        "training": training,
    }


def _write_card(card, directory):
    """Writes `card.json` with the hash of every other file in the folder."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    card["files"] = {
        path.relative_to(directory).as_posix(): sha256(path.read_bytes())
        for path in files
        if path.name != "card.json"
    }
    text = json.dumps(card, indent=2) + "\n"
    (directory / "card.json").write_text(text, encoding="utf-8")


def _draw_samples(artifact, path, columns=10):
    count, labels = pictures.grid_contents(len(artifact.class_names), columns)
    images = artifact.sample(count, seed=0, labels=labels)
    pictures.save(images, path, columns=columns)
