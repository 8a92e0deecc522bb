"""What a network takes and gives, whatever its form: its inputs' and outputs' specs.

Functional and Sequential models state their inputs; a subclassed model's are those
that it was built on. Inputs may be a tensor, a list, a tuple or a dict, in any order.
"""

import math
import re
from typing import Any

import keras
from keras import ops, tree

from ganlab.errors import UserError

Spec = Any  # a keras.KerasTensor

LABEL_NAMES = re.compile(
    r"^(?!.*(image|img)).*(label|class|cond|categor|digit|target)", re.IGNORECASE
)


def input_specs(network: keras.Model) -> Any:
    """The nest of specs that a network is called on.

    Raises:
        UserError: for a network that has not been built, or takes several arguments.
    """
    inputs = getattr(network, "inputs", None)
    if inputs and isinstance(network, keras.Sequential):
        return inputs[0]
    if inputs:
        return network.input
    shapes = (network.get_build_config() or {}).get("input_shape")
    if not network.built or shapes is None:
        raise UserError(
            f"Expected a network that has been built. Received: {network.name!r}, a "
            f"{type(network).__name__} that was never called; start it with a "
            "keras.Input, or call it once on a batch before"
        )
    return tree.map_shape_structure(_spec_of_built, shapes)


def _spec_of_built(shape: tuple[int | None, ...]) -> Spec:
    """The spec of an input that a subclassed model was built on."""
    dtype = "int32" if len(shape) == 1 else keras.config.floatx()
    return keras.KerasTensor((None, *shape[1:]), dtype=dtype)


def output_specs(network: keras.Model) -> list[Spec]:
    """The specs of a network's outputs."""
    specs = input_specs(network)
    if getattr(network, "outputs", None):
        return list(network.outputs)
    return list(tree.flatten(network.compute_output_spec(specs)))


def class_input(
    specs: Any,
    num_classes: int | None = None,
    sample_shape: tuple[int | None, ...] | None = None,
) -> int | None:
    """Which of a network's flat inputs is the class; `None` for a single input.

    It is the one that is named so, or else the only one of integers, the one
    beside which a sample fits the others, the only one of shape `(batch,)`, of
    `(batch, 1)`, of as many numbers as classes, or else the last.

    Args:
        specs: The nest of specs that a network is called on.
        num_classes: Integer, or `None` where it is not known.
        sample_shape: Shape of an image, or of flat latents, or `None`.
    """
    flat = tree.flatten_with_path(specs)
    if len(flat) < 2:
        return None
    inputs = [spec for _, spec in flat]
    rest = [inputs[:index] + inputs[index + 1 :] for index in range(len(flat))]
    rules = (
        lambda index, path, spec: LABEL_NAMES.search(f"{path} {spec.name}"),
        lambda index, path, spec: "int" in keras.backend.standardize_dtype(spec.dtype),
        lambda index, path, spec: _take(rest[index], sample_shape),
        lambda index, path, spec: len(spec.shape) == 1,
        lambda index, path, spec: tuple(spec.shape[1:]) == (1,),
        lambda index, path, spec: spec.shape[-1] == num_classes,
    )
    for rule in rules:
        chosen = [index for index, entry in enumerate(flat) if rule(index, *entry)]
        if len(chosen) == 1:
            return chosen[0]
    return len(flat) - 1


def _take(specs: list[Spec], shape: tuple[int | None, ...] | None) -> bool:
    """Whether inputs are those of samples of a shape, or of flat samples."""
    if shape is None:
        return False
    shapes = [tuple(spec.shape[1:]) for spec in specs]
    if len(shapes) == 1 and len(shapes[0]) == len(shape):
        pairs = zip(shapes[0], shape, strict=True)
        return all(None in pair or pair[0] == pair[1] for pair in pairs)
    sizes = [length for one in shapes for length in one]
    if len(shape) != 1 or None in (*sizes, *shape):
        return False
    return sum(map(size, shapes)) == shape[0]


def sample_specs(specs: Any, label: int | None) -> list[Spec]:
    """A network's flat inputs without that of the class: its latents or its images."""
    flat = enumerate(tree.flatten(specs))
    return [spec for index, spec in flat if index != label]


def arguments(network: keras.Model, inputs: Any, labels: Any) -> Any:
    """What a network is called on.

    Args:
        network: A `keras.Model`.
        inputs: Tensor: images, or flat latents `(batch, latent_dim)`, which are cut
            and shaped into what the network takes.
        labels: Int tensor `(batch,)`, or `None`. They become one-hot where the
            network's class input is a vector.
    """
    specs = input_specs(network)
    sample_shape = tuple(inputs.shape[1:])
    label = None if labels is None else class_input(specs, None, sample_shape)
    samples = iter(_shaped(inputs, sample_specs(specs, label)))
    flat = [
        _class_as(spec, labels) if index == label else next(samples)
        for index, spec in enumerate(tree.flatten(specs))
    ]
    return tree.pack_sequence_as(specs, flat)


def _shaped(inputs: Any, specs: list[Spec]) -> list[Any]:
    """One tensor as the samples that a network takes."""
    if len(specs) == 1 and len(inputs.shape) == len(specs[0].shape):
        return [ops.cast(inputs, specs[0].dtype)]
    parts, start = [], 0
    for spec in specs:
        shape = spec.shape[1:]
        stop = start + size(shape)
        part = ops.reshape(inputs[:, start:stop], (-1, *shape))
        parts.append(ops.cast(part, spec.dtype))
        start = stop
    return parts


def size(shape: tuple[int, ...]) -> int:
    """Number of elements of a shape."""
    return math.prod(shape)


def _class_as(spec: Spec, labels: Any) -> Any:
    """Class numbers as a network's class input: numbers, or one-hot."""
    shape = spec.shape[1:]
    if not shape:
        return ops.cast(labels, spec.dtype)
    if shape[-1] == 1:
        value = labels
    else:
        value = ops.one_hot(labels, shape[-1], dtype=spec.dtype)
    broadcast = ops.reshape(value, (-1, *[1] * (len(shape) - 1), shape[-1]))
    whole = ops.ones((1, *shape[:-1], 1), spec.dtype)
    return ops.cast(broadcast, spec.dtype) * whole
