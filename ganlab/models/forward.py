"""How is a player called, and do two of them fit each other?"""

import keras
import tensorflow as tf
from keras import ops

from ganlab import networks
from ganlab.errors import UserError
from ganlab.networks import precision
from ganlab.networks.precision import in_float32


def call(player, inputs, labels, training):
    """Calls a player on inputs, and on labels if it takes them."""
    return player(_arguments(player, inputs, labels), training=training)


def _arguments(player, inputs, labels):
    return inputs if len(player.inputs) == 1 else [inputs, labels]


def logits_of(outputs):
    """A discriminator's logits in float32, with or without class logits."""
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    return precision.as_float32(first)


def pack(images, packing):
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


def computes_in(player, *dtypes):
    """Whether any layer of a player computes in one of some dtypes."""
    return any(layer.compute_dtype in dtypes for layer in player.layers)


def is_per_sample(discriminator):
    """Whether each sample's logit depends on that sample alone.

    Not so with batch statistics. Of a layer that neither Keras nor ganlab has,
    or one of free-form code, it is not known, and the answer is no.
    """
    coupling = (
        keras.layers.BatchNormalization,
        keras.layers.Lambda,
        networks.MinibatchStdDev,
    )
    parts = [
        *discriminator._flatten_layers(include_self=False),
        *getattr(discriminator, "operations", ()),
    ]
    return all(
        isinstance(part, keras.Layer)
        and not isinstance(part, coupling)
        and type(part).__module__.split(".")[0] in ("keras", "ganlab")
        for part in parts
    )


def discriminate_pair(discriminator, real, fake, labels, training):
    """Judges both sides of a batch at once; returns the outputs of each."""
    if labels is not None:
        labels = ops.concatenate([labels, labels])
    outputs = call(discriminator, ops.concatenate([real, fake]), labels, training)
    if isinstance(outputs, (list, tuple)):
        return list(zip(*(ops.split(each, 2) for each in outputs), strict=True))
    return ops.split(outputs, 2)


def shared_direction(of_discriminator, of_generator):
    """How one backward pass carries the gradients of two losses.

    Each logit depends on one sample alone, so below it both players' gradients
    have one direction and differ by a factor a sample: the generator's is

        r = of_generator / of_discriminator

    times the discriminator's. Where the latter is 0 or nearly so, as where an
    image is surely fake, 2^-40 of the generator's takes its place, which rounds
    to nothing beside the other samples.

    Args:
        of_discriminator: Gradient of its loss in fake logits, `(batch, 1)`.
        of_generator: Gradient of its loss in them.

    Returns:
        What to send back from the fake logits, and `r`.

    Reference:
        [Shen et al., 2021](https://arxiv.org/abs/2103.00430), section 3
    """
    least = 2.0**-40 * of_generator
    tiny = ops.abs(of_discriminator) < ops.abs(least)
    sent = ops.where(tiny, least, of_discriminator)
    return sent, tf.math.divide_no_nan(of_generator, sent)


def stateless_discriminator(discriminator, wanted=True):
    """A function of `(images, labels)` to float32 logits that changes no state.

    It is the discriminator itself or, where that computes in half precision,
    its float32 twin on the same weights. The twin is held by the function
    alone, so that its own idle weights are neither saved nor trained.

    Args:
        discriminator: A functional `keras.Model`.
        wanted: Boolean: `False` spares the twin if the function is never called.
    """
    half = computes_in(discriminator, "float16", "bfloat16")
    twin = in_float32(discriminator) if half and wanted else discriminator

    def judge(images, labels):
        outputs, _ = twin.stateless_call(
            [tf.convert_to_tensor(v) for v in discriminator.trainable_variables],
            [tf.convert_to_tensor(v) for v in discriminator.non_trainable_variables],
            _arguments(discriminator, images, labels),
            training=True,
        )
        return logits_of(outputs)

    return judge


def check_networks(generator, discriminator, num_classes, packing):
    """Raises `UserError` unless both players can play together.

    Args:
        generator: A `keras.Model` from latents, or from `[latents, labels]`.
        discriminator: A `keras.Model` of images, or of `[images, labels]`, or
            with an auxiliary classifier of images to `[logits, classes]`.
        num_classes: Integer, or `None` for noise alone.
        packing: Integer: samples that the discriminator judges at once.
    """
    for role, player in (("generator", generator), ("discriminator", discriminator)):
        if not getattr(player, "inputs", None):
            raise UserError(
                f"Expected a functional or built Sequential {role}. Received: "
                f"{player.name!r}, a {type(player).__name__} without inputs; wrap it "
                "as keras.Model(inputs, player(inputs))"
            )
        num_inputs = len(player.inputs)
        expected = 1 if num_classes is None else 2
        if role == "discriminator" and len(player.outputs) == 2:
            expected = 1
        if num_inputs != expected:
            raise UserError(
                f"Expected a {role} of {expected} input(s) for "
                f"num_classes={num_classes}. Received: {num_inputs}; build both "
                "players and the GAN with the same num_classes"
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
    drawn = tuple(generator.outputs[0].shape[1:])
    packed = (*drawn[:-1], drawn[-1] * packing)
    judged = tuple(discriminator.inputs[0].shape[1:])
    if packed != judged:
        raise UserError(
            "Expected the discriminator to take what the generator draws, "
            f"{packed} for packing={packing}. Received: a discriminator of {judged}"
        )


def check_labels(labels):
    """Raises `UserError` if a conditional GAN got no labels."""
    if labels is None:
        raise UserError(
            "Expected batches of (images, labels) for a conditional GAN. "
            "Received: images alone; pass labels as `y` or in the data set"
        )
