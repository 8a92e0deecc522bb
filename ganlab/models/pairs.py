"""How a translator's networks fit together, and play as one."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ganlab.errors import UserError
from ganlab.models import compatibility, signature
from ganlab.networks.translation import FEATURE

Shape = tuple[Any, ...]  # `None` where a size is free


class Together(layers.Layer):
    """Layers that one optimizer trains.

    Args:
        parts: The layers.
    """

    def __init__(self, parts: Sequence[layers.Layer]) -> None:
        super().__init__(name="_and_".join(part.name for part in parts))
        self.parts = list(parts)
        self.built = True


def check_networks(
    training: str,
    generator: keras.Model,
    discriminator: keras.Model,
    inverse_generator: keras.Model | None,
    inverse_discriminator: keras.Model | None,
) -> None:
    """Raises `UserError` unless networks fit a training and each other."""
    networks = {"generator": generator, "discriminator": discriminator}
    inverse = {
        "inverse_generator": inverse_generator,
        "inverse_discriminator": inverse_discriminator,
    }
    given = [name for name, network in inverse.items() if network is not None]
    if training == "cycle":
        networks |= inverse
    elif given:
        raise UserError(
            f"Expected {given[0]} with training='cycle' alone. Received: "
            f"training={training!r}; leave it out"
        )
    for role, network in networks.items():
        if not isinstance(network, keras.Model):
            raise UserError(
                f"Expected a keras.Model as {role} for training={training!r}. "
                f"Received: {network!r}; build one, such as "
                "ganlab.networks.unet_generator or patch_discriminator"
            )
    source, image = input_shape(generator), _output_shape(generator)
    if training == "contrastive" and source[-1] != image[-1]:
        raise UserError(
            "Expected sources with as many channels as images, for the generator's "
            f"patches of both are compared. Received: {source[-1]} and {image[-1]}; "
            "choose training='cycle'"
        )
    _check_judges(training, discriminator, source, image)
    if training == "cycle":
        _check_inverse(networks["inverse_generator"], source, image)
        _check_takes("inverse_discriminator", networks["inverse_discriminator"], source)
    names = [network.name for network in networks.values()]
    if len({*map(id, networks.values())}) < len(networks):
        raise UserError(
            "Expected each network to be one of its own. Received: the same one twice "
            f"among {', '.join(names)}"
        )
    if compatibility.shared_layers(generator, discriminator):
        raise UserError(
            "Expected networks that share no layers. Received: a layer of both "
            f"{generator.name!r} and {discriminator.name!r}; give each its own"
        )
    compatibility.check_scope(*networks.values())


def input_shape(network: keras.Model) -> Shape:
    """Shape of the one image that a network takes."""
    specs = keras.tree.flatten(signature.input_specs(network))
    if len(specs) != 1 or len(specs[0].shape) != 4 or specs[0].shape[-1] is None:
        raise UserError(
            "Expected a network of one image, (batch, height, width, channels). "
            f"Received: {network.name!r} of {[tuple(spec.shape) for spec in specs]}"
        )
    return tuple(specs[0].shape[1:])


def _output_shape(generator: keras.Model) -> Shape:
    outputs = signature.output_specs(generator)
    if len(outputs) != 1 or len(outputs[0].shape) != 4:
        raise UserError(
            "Expected a generator of one image, (batch, height, width, channels). "
            f"Received: {[tuple(output.shape) for output in outputs]}"
        )
    return tuple(outputs[0].shape[1:])


def _check_judges(
    training: str,
    discriminator: keras.Model,
    source: Shape,
    image: Shape,
) -> None:
    judged = image
    if training == "paired":
        if not all(_agree(*sides) for sides in zip(source[:2], image[:2], strict=True)):
            raise UserError(
                "Expected a generator of images as large as their sources, which the "
                f"discriminator sees beside them. Received: {source} to {image}; "
                "enlarge the sources before"
            )
        judged = (*image[:2], source[-1] + image[-1])
    _check_takes("discriminator", discriminator, judged)


def _check_takes(role: str, network: keras.Model, expected: Shape) -> None:
    taken = input_shape(network)
    if not all(_agree(*sizes) for sizes in zip(taken, expected, strict=True)):
        raise UserError(
            f"Expected a {role} of {expected}: with training='paired' it takes sources "
            "and images, one after the other on the last axis, otherwise images alone. "
            f"Received: {network.name!r} of {taken}"
        )
    if len(signature.output_specs(network)) != 1:
        raise UserError(
            f"Expected a {role} of one output, its logits. Received: "
            f"{network.name!r} of {len(signature.output_specs(network))}"
        )


def _check_inverse(network: keras.Model, source: Shape, image: Shape) -> None:
    sizes = (*input_shape(network), *_output_shape(network))
    if not all(_agree(*both) for both in zip(sizes, (*image, *source), strict=True)):
        raise UserError(
            f"Expected an inverse generator from {image} to {source}. Received: "
            f"{network.name!r} from {sizes[:3]} to {sizes[3:]}"
        )


def _agree(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def side_by_side(first: keras.Model, second: keras.Model) -> keras.Model:
    """Two discriminators as one, of two images that stand side by side.

    Its logits are those of both, `(batch, n)`.
    """
    one, other = input_shape(first), input_shape(second)
    both = keras.Input((*one[:2], one[-1] + other[-1]), name="images")
    logits = [
        layers.Reshape((-1,), dtype="float32")(network(part))
        for network, part in (
            (first, both[..., : one[-1]]),
            (second, both[..., one[-1] :]),
        )
    ]
    joined = layers.Concatenate(dtype="float32", name="logits")(logits)
    return keras.Model(both, joined, name=f"{first.name}_and_{second.name}")


def encoder(generator: keras.Model, names: Sequence[str] | None) -> keras.Model:
    """The part of a generator whose outputs stand for patches of its input.

    Raises:
        UserError: for a generator without such layers.
    """
    known = [layer.name for layer in generator.layers]
    wanted = [name for name in known if name.startswith(FEATURE)]
    if names is not None:
        wanted = list(names)
    missing = [name for name in wanted if name not in known]
    if missing or not wanted or not generator.inputs:
        raise UserError(
            "Expected feature_layers as names of layers of a functional generator, for "
            f"training='contrastive'. Received: {missing or wanted}; choose some of "
            f"{', '.join(known[:8])}…"
        )
    outputs = [generator.get_layer(name).output for name in wanted]
    return keras.Model(generator.inputs[0], outputs, name="encoder")
