"""How the generator and the discriminator are called, and whether they fit together."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks.precision import as_float32, in_float32

HALF_PRECISION = ("float16", "bfloat16")


def call(network: keras.Model, inputs: Any, labels: Any, *, training: bool) -> Any:
    """Calls a network on inputs, and on labels if it takes them."""
    return network(_arguments(network, inputs, labels), training=training)


def _arguments(network: keras.Model, inputs: Any, labels: Any) -> Any:
    return inputs if len(network.inputs) == 1 else [inputs, labels]


def logits_of(outputs: Any) -> Any:
    """A discriminator's logits in float32, with or without class logits."""
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    return as_float32(first)


def pack(images: Any, packing: int) -> Any:
    """Joins `packing` samples of a batch along the last axis."""
    if packing == 1:
        return images
    count = images.shape[0]
    if count is not None and count % packing:
        raise UserError(
            f"Expected batches of a multiple of packing={packing}. "
            f"Received: a batch of {count}"
        )
    return ops.concatenate(ops.split(images, packing), axis=-1)


def computes_in(network: keras.Model, *dtypes: str) -> bool:
    """Whether any layer of a network computes in one of some dtypes."""
    return any(layer.compute_dtype in dtypes for layer in network.layers)


def is_per_sample(discriminator: keras.Model) -> bool:
    """Whether each sample's logit depends on that sample alone.

    Batch statistics couple the samples of a batch. A layer that neither Keras nor
    ganlab defines, or one of free-form code, may do so too, and counts as coupling.
    """
    coupling = (
        keras.layers.BatchNormalization,
        keras.layers.Lambda,
        networks.MinibatchStdDev,
    )
    operations = [
        *discriminator._flatten_layers(include_self=False),
        *getattr(discriminator, "operations", ()),
    ]
    return all(
        isinstance(operation, keras.Layer)
        and not isinstance(operation, coupling)
        and type(operation).__module__.split(".")[0] in ("keras", "ganlab")
        for operation in operations
    )


def call_on_both(
    discriminator: keras.Model, real: Any, fake: Any, labels: Any, *, training: bool
) -> list[Any]:
    """Calls a discriminator once on real and fake inputs; the outputs for each."""
    if labels is not None:
        labels = ops.concatenate([labels, labels])
    inputs = ops.concatenate([real, fake])
    outputs = call(discriminator, inputs, labels, training=training)
    if isinstance(outputs, (list, tuple)):
        return list(zip(*(ops.split(output, 2) for output in outputs), strict=True))
    return ops.split(outputs, 2)


def call_on_each(
    discriminator: keras.Model, real: Any, fake: Any, labels: Any, *, training: bool
) -> list[Any]:
    """Calls a discriminator on real, then on fake inputs; the outputs for each."""
    return [
        call(discriminator, side, labels, training=training) for side in (real, fake)
    ]


def stateless_discriminator(
    discriminator: keras.Model, *, needed: bool = True
) -> Callable[[Any, Any], Any]:
    """A function of `(inputs, labels)` to float32 logits that changes no state.

    It is the discriminator itself or, where that computes in half precision,
    its float32 twin on the same weights. The twin is held by the function
    alone, so that its own idle weights are neither saved nor trained.

    Args:
        discriminator: A functional `keras.Model`.
        needed: Boolean: `False` spares the twin if the function is never called.
    """
    half = computes_in(discriminator, *HALF_PRECISION)
    twin = in_float32(discriminator) if half and needed else discriminator

    def discriminate(inputs: Any, labels: Any) -> Any:
        outputs, _ = twin.stateless_call(
            [tf.convert_to_tensor(v) for v in discriminator.trainable_variables],
            [tf.convert_to_tensor(v) for v in discriminator.non_trainable_variables],
            _arguments(discriminator, inputs, labels),
            training=True,
        )
        return logits_of(outputs)

    return discriminate


def check_networks(
    generator: keras.Model,
    discriminator: keras.Model,
    num_classes: int | None,
    packing: int,
) -> None:
    """Raises `UserError` unless both networks can train together.

    Args:
        generator: A `keras.Model` from latents, or from `[latents, labels]`.
        discriminator: A `keras.Model` of images, or of `[images, labels]`, or
            with an auxiliary classifier of images to `[logits, class_logits]`.
        num_classes: Integer, or `None` for noise alone.
        packing: Integer: samples that the discriminator takes at once.
    """
    for role, network in (("generator", generator), ("discriminator", discriminator)):
        if not getattr(network, "inputs", None):
            raise UserError(
                f"Expected a functional or built Sequential {role}. Received: "
                f"{network.name!r}, a {type(network).__name__} without inputs; wrap it "
                "as keras.Model(inputs, network(inputs))"
            )
        num_inputs = len(network.inputs)
        expected = 1 if num_classes is None else 2
        if role == "discriminator" and len(network.outputs) == 2:
            expected = 1
        if num_inputs != expected:
            raise UserError(
                f"Expected a {role} of {expected} input(s) for "
                f"num_classes={num_classes}. Received: {num_inputs}; build both "
                "networks and the GAN with the same num_classes"
            )
    if num_classes is not None and packing > 1:
        raise UserError(
            "Expected no packing with classes, for the samples of a pack would need "
            f"one class. Received: packing={packing}; train without classes"
        )
    classes = [tensor.shape[-1] for tensor in discriminator.outputs[1:]]
    if classes and classes != [num_classes]:
        raise UserError(
            f"Expected an auxiliary classifier of num_classes={num_classes}. "
            f"Received: one of {classes[0]}; build all with the same num_classes"
        )
    generated = tuple(generator.outputs[0].shape[1:])
    packed = (*generated[:-1], generated[-1] * packing)
    discriminated = tuple(discriminator.inputs[0].shape[1:])
    if packed != discriminated:
        raise UserError(
            "Expected the discriminator to take what the generator generates, "
            f"{packed} for packing={packing}. Received: a discriminator of "
            f"{discriminated}"
        )


def check_labels(labels: Any) -> None:
    """Raises `UserError` if a conditional GAN got no labels."""
    if labels is None:
        raise UserError(
            "Expected batches of (images, labels) for a conditional GAN. "
            "Received: images alone; pass labels as `y` or in the data set"
        )
