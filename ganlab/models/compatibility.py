"""Whether a generator and a discriminator can train together."""

import warnings
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.models import directions, signature
from ganlab.networks.output_range import ends_on_softmax, output_range
from ganlab.objectives.adversarial import AdversarialLoss
from ganlab.objectives.keras_losses import FunctionLoss


def check_networks(
    generator: keras.Model,
    discriminator: keras.Model,
    num_classes: int | None,
    packing: int,
) -> None:
    """Raises `UserError` unless both networks can train together.

    A discriminator that has not been built is built for what the generator gives.

    Args:
        generator: A `keras.Model` from latents, or from latents and a class.
        discriminator: A `keras.Model` of images, or of images and a class, or with an
            auxiliary classifier to `[logits, class_logits]`.
        num_classes: Integer, or `None` for noise alone.
        packing: Integer: samples that the discriminator takes at once.
    """
    if num_classes is not None and packing > 1:
        raise UserError(
            "Expected no packing with classes, for the samples of a pack would need "
            f"one class. Received: packing={packing}; train without classes"
        )
    for role, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model):
            raise UserError(
                f"Expected a keras.Model as {role}. Received: {network!r}; wrap layers "
                "in keras.Sequential, and pass models, not classes"
            )
    latents = latent_specs(generator, num_classes)
    if any(size is None for spec in latents for size in spec.shape[1:]):
        raise UserError(
            "Expected a generator of latents of a known shape. Received: "
            f"{[spec.shape[1:] for spec in latents]}; state it in keras.Input"
        )
    generated = _sample_shape(generator)
    _check_discriminator(discriminator, generated, num_classes, packing)
    _build_all(generator)
    _build_all(discriminator)
    directions.check_last(discriminator)
    shared_layers(generator, discriminator)
    check_scope(generator, discriminator)


def _build_all(network: keras.Model) -> None:
    """Calls a network once if some of its layers are built only when called."""
    if all(layer.built for layer in network._flatten_layers()):
        return
    specs = signature.input_specs(network)
    if any(None in spec.shape[1:] for spec in keras.tree.flatten(specs)):
        return
    zeros = keras.tree.map_structure(
        lambda spec: ops.zeros((2, *spec.shape[1:]), spec.dtype), specs
    )
    network(zeros, training=False)


def latent_specs(generator: keras.Model, num_classes: int | None) -> list[Any]:
    """The specs of a generator's latents."""
    specs = signature.input_specs(generator)
    label = signature.class_input(specs, num_classes)
    if num_classes is not None and label is None:
        one = "in one list, [latents, labels]"
        functional = getattr(generator, "inputs", None)
        fix = "add keras.Input((), dtype='int32')" if functional else f"take both {one}"
        raise UserError(
            "Expected a generator of latents and a class for num_classes. Received: "
            f"one with 1 input; {fix}, or leave num_classes out"
        )
    flat = keras.tree.flatten(specs)
    if num_classes is None and len(flat) > 1 and _is_class(flat[label]):
        raise UserError(
            "Expected a generator of latents alone for num_classes=None. Received: an "
            f"input {flat[label].name!r} of shape {flat[label].shape[1:]}; give the "
            "GAN num_classes"
        )
    if num_classes is not None:
        _check_class_input(flat[label], num_classes)
        flat = signature.sample_specs(specs, label)
    for spec in flat:
        if not keras.backend.is_float_dtype(spec.dtype):
            raise UserError(
                "Expected latents that are floats, drawn from a normal distribution. "
                f"Received: an input {spec.name!r} of {spec.dtype}; take floats, or "
                "give the GAN num_classes if it is a class"
            )
    return flat


def _check_class_input(spec: Any, num_classes: int) -> None:
    """Raises `UserError` unless an input takes class numbers, or one-hot classes."""
    if spec.shape[1:] and spec.shape[-1] not in (1, num_classes, None):
        raise UserError(
            f"Expected a class as a number or one-hot, (..., {num_classes}). Received: "
            f"an input {spec.name!r} of shape {tuple(spec.shape[1:])}; name the class "
            "input 'label', and build both networks with the same num_classes"
        )


def _is_class(spec: Any) -> bool:
    return "int" in keras.backend.standardize_dtype(spec.dtype) or bool(
        signature.LABEL_NAMES.search(spec.name)
    )


def _sample_shape(generator: keras.Model) -> tuple[int, ...]:
    """Shape of what a generator gives."""
    outputs = signature.output_specs(generator)
    if len(outputs) != 1 or len(outputs[0].shape) < 2:
        raise UserError(
            "Expected a generator of one output (batch, ...). Received: "
            f"{[tuple(output.shape) for output in outputs]}; return the images alone"
        )
    shape = tuple(outputs[0].shape[1:])
    if None in shape:
        raise UserError(
            "Expected a generator whose output has a known shape. Received: "
            f"{shape}; end it on keras.layers.Reshape"
        )
    return shape


def _check_discriminator(
    discriminator: keras.Model,
    generated: tuple[int, ...],
    num_classes: int | None,
    packing: int,
) -> None:
    packed = (*generated[:-1], generated[-1] * packing)
    if not discriminator.built and num_classes is None:
        discriminator(ops.zeros((1, *packed)), training=False)
    specs = signature.input_specs(discriminator)
    flat = keras.tree.flatten(specs)
    label = None
    if num_classes is not None:
        label = signature.class_input(specs, num_classes, packed)
        if label is not None:
            _check_class_input(flat[label], num_classes)
    images = signature.sample_specs(specs, label)
    _, *classes = signature.output_specs(discriminator)
    if len(classes) > 1:
        raise UserError(
            "Expected a discriminator of logits, or of [logits, class_logits]. "
            f"Received: one of {1 + len(classes)} outputs; return those alone"
        )
    if num_classes is None and len(flat) > 1 and not any(map(_is_class, flat)):
        raise UserError(
            "Expected a discriminator of images alone. Received: one of "
            f"{len(flat)} inputs, {[spec.name for spec in flat]}; leave the others "
            "out, or give the GAN num_classes if one is the class"
        )
    takes_class = label is not None
    if len(images) != 1 or (num_classes is not None and not takes_class | len(classes)):
        expected = "images" if num_classes is None else "images and a class"
        raise UserError(
            f"Expected a discriminator of {expected} for num_classes={num_classes}. "
            f"Received: one of {len(flat)} input(s) and "
            f"{1 + len(classes)} output(s); build both networks and the GAN with the "
            "same num_classes"
        )
    if classes and num_classes is None:
        raise UserError(
            "Expected a discriminator of one output, its logits, for num_classes=None. "
            f"Received: one of {1 + len(classes)} outputs; flatten logits of several "
            "scales and join them by keras.layers.Concatenate, or give the GAN "
            "num_classes"
        )
    sizes = [spec.shape[-1] for spec in classes]
    if sizes and sizes != [num_classes]:
        raise UserError(
            f"Expected an auxiliary classifier of num_classes={num_classes}. "
            f"Received: one of {sizes[0]}; build all with the same num_classes"
        )
    discriminated = tuple(images[0].shape[1:])
    fits = len(packed) == len(discriminated) and all(
        taken in (None, size) for size, taken in zip(packed, discriminated, strict=True)
    )
    if not fits:
        raise UserError(
            "Expected the discriminator to take what the generator generates, "
            f"{packed} with packing={packing}. Received: a discriminator of "
            f"{discriminated}; build both for one shape"
        )


def shared_layers(generator: keras.Model, discriminator: keras.Model) -> list[str]:
    """Names of the layers with weights that are part of both networks.

    Raises:
        UserError: if one lies in a network inside, where a file cannot tell.
    """
    own, other = (
        {id(layer): layer.name for layer in network._flatten_layers() if layer.weights}
        for network in (generator, discriminator)
    )
    shared = [name for key, name in own.items() if key in other]
    top = [
        {
            layer.name
            for layer in network.layers
            if id(layer) in own and id(layer) in other
        }
        for network in (generator, discriminator)
    ]
    if shared and (top[0] != top[1] or not {*shared} <= {*_parts(generator, top[0])}):
        raise UserError(
            "Expected a layer of both networks to lie directly in each. Received: "
            f"{shared[0]!r}, in a network inside one; use it in both directly"
        )
    return sorted(top[0])


def _parts(network: keras.Model, names: set[str]) -> list[str]:
    """Names of some layers of a network, and of what is inside them."""
    layers = [layer for layer in network.layers if layer.name in names]
    return [part.name for layer in layers for part in layer._flatten_layers()]


def check_scope(*networks: keras.Model) -> None:
    """Raises `UserError` for weights made outside the strategy that trains them."""
    strategy = tf.distribute.get_strategy()
    for network in networks:
        for variable in network.variables:
            if not strategy.extended.variable_created_in_scope(variable.value):
                raise UserError(
                    f"Expected {network.name!r} in the strategy that trains it. "
                    "Received: weights made outside; build both networks, the GAN and "
                    "its optimizers under `with strategy.scope():`"
                )


def takes_probabilities(loss: AdversarialLoss) -> bool:
    """Whether a loss may take what a sigmoid gives: one undecided at ½, or an own."""
    if isinstance(loss, FunctionLoss):
        return True
    margin, _ = loss.margins(ops.full((1, 1), 0.5), ops.zeros((1, 1)))
    return float(margin[0, 0]) == 0.0


def warn_of_probabilities(discriminator: keras.Model, loss: AdversarialLoss) -> None:
    """Warns of a discriminator that ends on a sigmoid or softmax instead of logits."""
    softmax = ends_on_softmax(discriminator)
    ends = [(0, "raw logits", "softmax" if softmax else "sigmoid", "Dense(1)")]
    if takes_probabilities(loss) and not softmax:
        ends = []
    if len(signature.output_specs(discriminator)) == 2:
        ends.append((1, "raw class logits", "softmax", "Dense(num_classes)"))
    for index, expected, activation, layer in ends:
        if output_range(discriminator, index) == (0.0, 1.0):
            warnings.warn(
                f"Expected {expected} of the discriminator, which the loss takes. "
                f"Received: {discriminator.name!r}, which ends on a {activation}; end "
                f"it on {layer} without an activation",
                UserWarning,
                stacklevel=3,
            )


def network_config(network: keras.Model) -> dict[str, Any]:
    """A network's config without how it was compiled by itself, which a GAN is not."""
    config = keras.saving.serialize_keras_object(network)
    config.pop("compile_config", None)
    return config


def with_shared_layers(
    config: dict[str, Any], custom_objects: dict[str, Any] | None
) -> dict[str, Any]:
    """A GAN's config whose networks share the layers that it names.

    Raises:
        UserError: for a GAN that an earlier clone saved.
    """
    if "shared_layers" not in config:
        raise UserError(
            "Expected a GAN that this version of ganlab can load. Received: one that "
            "an earlier clone saved; train it again"
        )
    config = {**config}
    shared = config.pop("shared_layers")
    if shared:
        generator, discriminator = (
            keras.saving.deserialize_keras_object(config[role], custom_objects)
            for role in ("generator", "discriminator")
        )
        config["generator"] = generator
        config["discriminator"] = keras.models.clone_model(
            discriminator,
            clone_function=lambda layer: (
                generator.get_layer(layer.name) if layer.name in shared else layer
            ),
        )
    return config
