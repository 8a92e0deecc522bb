"""How the generator and the discriminator are called, and what their layers add."""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from ganlab import networks
from ganlab.errors import UserError
from ganlab.models import signature
from ganlab.networks.precision import as_float32, computing_in_float32


def call(network: keras.Model, inputs: Any, labels: Any, *, training: bool) -> Any:
    """Calls a network on images or flat latents, and on labels if it takes them.

    Its outputs are float32, or float64 if it computes in that.
    """
    inputs = signature.arguments(network, inputs, labels)
    outputs = keras.tree.flatten(network(inputs, training=training))
    outputs = [as_float32(output) for output in outputs]
    return outputs[0] if len(outputs) == 1 else outputs


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
            f"Received: a batch of {count}; pass another batch_size"
        )
    return ops.concatenate(ops.split(images, packing), axis=-1)


def unpack(packs: Any, packing: int) -> Any:
    """The samples that `pack` joined."""
    if packing == 1:
        return packs
    return ops.concatenate(ops.split(packs, packing, axis=-1))


def computes_in(network: keras.Model, *dtypes: str) -> bool:
    """Whether any layer of a network computes in one of some dtypes."""
    layers = network._flatten_layers()
    return any(layer.compute_dtype in dtypes for layer in layers)


def regularizations(network: keras.Model) -> list[Any]:
    """The penalties of the regularizers of a network's weights, as scalars."""
    return [
        variable.regularizer(variable)
        for variable in network.trainable_variables
        if variable.regularizer is not None
    ]


def judges_patches(discriminator: keras.Model) -> bool:
    """Whether a discriminator gives several logits for a sample."""
    shape = signature.output_specs(discriminator)[0].shape[1:]
    return None in shape or math.prod(shape) != 1


def added_losses(network: keras.Model) -> list[Any]:
    """What the layers of a network added by `add_loss` when it was called last.

    That is what activity regularizers add, too.
    """
    losses = network.losses
    return losses[: len(losses) - len(regularizations(network))]


def is_per_sample(discriminator: keras.Model) -> bool:
    """Whether each sample's logit depends on that sample alone.

    Batch statistics couple the samples of a batch, and so does what an activity
    regularizer adds to the loss. A layer that neither Keras nor ganlab defines, or one
    of free-form code, may do so too, and counts as coupling.
    """
    coupling = (
        keras.layers.BatchNormalization,
        keras.layers.Lambda,
        networks.MinibatchStdDev,
    )
    operations = [
        *discriminator._flatten_layers(),
        *getattr(discriminator, "operations", ()),
    ]
    return all(
        isinstance(operation, keras.Layer)
        and not isinstance(operation, coupling)
        and operation.activity_regularizer is None
        and type(operation).__module__.split(".")[0] in ("keras", "ganlab")
        for operation in operations
    )


def total_of(losses: list[Any]) -> Any:
    """The sum of some scalars in float32, or in float64 where one is."""
    return sum(ops.sum(as_float32(loss)) for loss in losses)


class Judged(NamedTuple):
    """What a discriminator says.

    Args:
        real: Its output for real inputs: logits, or logits and class logits.
        fake: Likewise, for fake ones.
        losses: List of scalars that its layers added.
    """

    real: Any
    fake: Any
    losses: list[Any]

    @property
    def outputs(self) -> list[Any]:
        return [self.real, self.fake]


def call_on_both(
    discriminator: keras.Model, real: Any, fake: Any, labels: Any, *, training: bool
) -> Judged:
    """Calls a discriminator once on real and fake inputs."""
    if labels is not None:
        labels = ops.concatenate([labels, labels])
    inputs = ops.concatenate([real, fake])
    outputs = call(discriminator, inputs, labels, training=training)
    if isinstance(outputs, (list, tuple)):
        of_real, of_fake = zip(
            *(ops.split(output, 2) for output in outputs), strict=True
        )
    else:
        of_real, of_fake = ops.split(outputs, 2)
    return Judged(of_real, of_fake, added_losses(discriminator))


def call_on_each(
    discriminator: keras.Model, real: Any, fake: Any, labels: Any, *, training: bool
) -> Judged:
    """Calls a discriminator on real, then on fake inputs."""
    of_real = call(discriminator, real, labels, training=training)
    losses = added_losses(discriminator)
    of_fake = call(discriminator, fake, labels, training=training)
    return Judged(of_real, of_fake, losses + added_losses(discriminator))


def stateless_logits(discriminator: keras.Model, inputs: Any, labels: Any) -> Any:
    """A discriminator's float32 logits, computed in float32; changes no state."""
    with keras.StatelessScope(), computing_in_float32(discriminator):
        return logits_of(call(discriminator, inputs, labels, training=True))
