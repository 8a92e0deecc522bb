"""How the directions of a slicing adversarial network are trained and checked."""

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.models.optimizers import scaled_loss
from ganlab.networks import ChosenClass, SlicingNormalization

if TYPE_CHECKING:
    from ganlab.models.gan import GAN

PASSING = (
    *("Activation", "Add", "ChosenClass", "Concatenate", "Flatten", "Reshape"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
)


def kernels(discriminator: keras.Model) -> list[keras.Variable]:
    """The kernels of a discriminator that are trained as directions."""
    return [
        layer.kernel
        for layer in discriminator._flatten_layers()
        if isinstance(layer, SlicingNormalization)
    ]


def with_directions(
    gan: "GAN", tape: tf.GradientTape, logits: list[Any], gradients: list[Any]
) -> list[Any]:
    """A discriminator's gradients, those of directions by the Wasserstein loss.

        L = E[D(G(z))] - E[D(x)]

    of which a direction gets the gradient, and nothing else: the features below it
    and its scale are constant to it. No other gradient of a direction is kept.

    Args:
        gan: A compiled `ganlab.GAN`.
        tape: The persistent tape of the logits.
        logits: Those of real and of fake inputs.
        gradients: Of the discriminator's loss, in each of its trainable variables.

    Reference:
        [Takida et al., 2024 (SAN)](https://arxiv.org/abs/2301.12811), section 5
    """
    directions = kernels(gan.discriminator)
    if not directions:
        return gradients
    unit = scaled_loss(1.0, gan.discriminator_optimizer)
    at_logits = [
        ops.full_like(side, 1.0) * ops.cast(sign * unit, side.dtype) / _count(side)
        for sign, side in zip((-1.0, 1.0), logits, strict=True)
    ]
    own = tape.gradient(logits, directions, at_logits)
    by_kernel = dict(zip(map(id, directions), own, strict=True))
    variables = gan.discriminator.trainable_variables
    return [
        by_kernel.get(id(variable), gradient)
        for variable, gradient in zip(variables, gradients, strict=True)
    ]


def _count(logits: Any) -> Any:
    return ops.cast(ops.size(logits), logits.dtype)


def check_last(discriminator: keras.Model) -> None:
    """Raises `UserError` for a direction that is not the discriminator's last layer.

    Every logit must be linear in the directions, and come from one. Free-form code is
    not looked into.
    """
    graph = getattr(discriminator, "_functional", discriminator)
    outputs = getattr(graph, "outputs", None)
    if not kernels(discriminator) or not outputs:
        return
    ends = _ends(outputs[0])
    others = [end for end in ends if not isinstance(end, SlicingNormalization)]
    inside = {id(kernel) for kernel in kernels(discriminator)}
    last = {id(end.kernel) for end in ends if isinstance(end, SlicingNormalization)}
    if others or inside - last:
        received = f"{others[0].name!r}" if others else "one further inside"
        raise UserError(
            "Expected SlicingNormalization as the last layer of every logit. Received: "
            f"{received}; wrap the last Dense in it, with classes one of num_classes "
            "outputs and ChosenClass after it, and nothing else"
        )


def _ends(tensor: Any) -> list[Any]:
    """The operations that a tensor is a sum, a choice or a joint of."""
    operation, node_index, index = tensor._keras_history
    if isinstance(operation, keras.Model):
        graph = getattr(operation, "_functional", operation)
        outputs = getattr(graph, "outputs", None)
        return _ends(outputs[index]) if outputs else [operation]
    linear = getattr(operation, "activation", None) in (None, keras.activations.linear)
    if type(operation).__name__ not in PASSING or not linear:
        return [operation]
    tensors = operation._inbound_nodes[node_index].input_tensors
    if isinstance(operation, ChosenClass):
        tensors = tensors[:1]
    return [end for part in tensors for end in _ends(part)]
