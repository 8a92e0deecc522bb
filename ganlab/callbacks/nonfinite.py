"""Names the first tensor of a GAN that is not finite."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.probe_network import flat_arguments
from ganlab.models import batches, forward, gradients, optimizers, signature, skipping
from ganlab.models.gan import GAN


def first_nonfinite(
    gan: GAN, latents: np.ndarray, labels: np.ndarray | None = None
) -> str | None:
    """Names the first tensor that is not finite, from the noise to the logit.

    Args:
        gan: A `ganlab.GAN`.
        latents: Float32 array `(n, latent_dim)`.
        labels: Int32 array `(n,)` of a conditional GAN, or `None`.

    Returns:
        A string such as `"generator/project/kernel"` or, of an activation,
        `"discriminator/conv2d output"`; `None` if all are finite.
    """
    inputs: Any = tf.constant(latents)
    for role in ("generator", "discriminator"):
        network = getattr(gan, role)
        arguments = signature.arguments(network, inputs, labels)
        name, output = _in_network(role, network, arguments)
        if name is not None:
            return name
        inputs = forward.pack(tf.cast(output, tf.float32), gan.packing)
    return None


def first_nonfinite_of_step(gan: GAN, data: Any) -> str | None:
    """Goes through a step and names what is not finite first, in the step's order.

    Images, activations of the generator, perturbed images, activations of the
    discriminator, losses, gradients from the last layer to the first, weights after
    their update. The GAN is as it was in the end.

    Args:
        gan: A compiled `ganlab.GAN` as it was before the step.
        data: What `train_step` got.

    Returns:
        A string as `first_nonfinite` gives, or such as `"images"`, `"d_loss"`,
        `"gradient of discriminator/logits/kernel"` and
        `"generator/project/kernel after its update"`; `None` if all are finite.
    """
    state = [(v, v.numpy()) for v in skipping.state_of(gan)]
    try:
        names = (_in_update(gan, batch) for batch in gan.read_batches(data))
        return next((name for name in names if name is not None), None)
    finally:
        for variable, value in state:
            variable.assign(value)


def _in_update(gan: GAN, batch: batches.Batch) -> str | None:
    """The first in one update of the discriminator, or in that of both networks."""
    if not _is_finite(batch.images):
        return "images"
    arguments = signature.arguments(gan.generator, batch.inputs, batch.labels)
    name, _ = _in_network("generator", gan.generator, arguments)
    if name is not None:
        return name
    generated = gan.generate_fakes(batch)
    inputs = gan.show(batch, generated)
    for side, images in enumerate((inputs.real, inputs.fake)):
        seen = gan.perturb(images, batch.substep, side)
        if not _is_finite(seen):
            return f"perturbed {('real', 'fake')[side]} images"
        arguments = signature.arguments(gan.discriminator, seen, batch.labels)
        name, _ = _in_network("discriminator", gan.discriminator, arguments)
        if name is not None:
            return name
    both = batch.substep == gan.substeps - 1
    simultaneous = gan.updates == "simultaneous"
    result = gan.differentiate(gan, inputs, with_generator=both and simultaneous)
    name = _in_logs(result.logs)
    name = name or _in_training(gan, "discriminator", result.discriminator)
    if name is None and both:
        if not simultaneous:
            result = gradients.second_pass(gan, inputs, result)
            name = _in_logs(result.logs)
        gradient = result.generator(gan, generated)
        name = name or _in_training(gan, "generator", gradient)
    gan.objective.after_step(gan.discriminator, *result.outputs(inputs))
    return name


def _in_logs(logs: dict[str, Any]) -> str | None:
    return next((key for key, value in logs.items() if not _is_finite(value)), None)


def _in_training(gan: GAN, role: str, gradient: list[Any]) -> str | None:
    """The first of a network's gradients, or of its weights after their update."""
    network, optimizer = getattr(gan, role), getattr(gan, f"{role}_optimizer")
    variables = network.trainable_variables
    names = [f"{role}/{'/'.join(v.path.split('/')[-2:])}" for v in variables]
    bad = [
        name
        for name, part in zip(names, gradient, strict=True)
        if part is not None and not _is_finite(part)
    ]
    if bad and not optimizers.is_scaled(optimizer):
        return f"gradient of {bad[-1]}"
    optimizers.apply(optimizer, network, gradient)
    for name, variable in zip(names, variables, strict=True):
        if not _is_finite(variable):
            return f"{name} after its update"
    return None


def _in_network(
    role: str, network: keras.Model, arguments: Any
) -> tuple[str | None, Any]:
    """The first weight or activation of a network, and what it puts out."""
    layers, outputs = _layer_outputs(network, arguments)
    for layer, output in zip(layers, outputs, strict=True):
        for weight in layer.weights:
            if not _is_finite(weight):
                return f"{role}/{layer.name}/{weight.name}", outputs[-1]
        first = output[0] if isinstance(output, (list, tuple)) else output
        if not _is_finite(tf.cast(first, tf.float32)):
            return f"{role}/{layer.name} output", outputs[-1]
    return None, outputs[-1]


def _layer_outputs(network: keras.Model, arguments: Any) -> tuple[list[Any], list[Any]]:
    """Layers and what they put out in training, the whole last; no state changes.

    A subclassed network is one layer.
    """
    layers, model = [network], network
    if getattr(network, "outputs", None):
        layers = [*network.layers, network]
        wanted = [layer.output for layer in network.layers]
        model = keras.Model(network.inputs, [*wanted, network.outputs[0]])
        arguments = flat_arguments(arguments)
    with keras.StatelessScope():
        outputs = keras.tree.flatten(model(arguments, training=True))
    return layers, outputs[: len(layers)]


def _is_finite(tensor: Any) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(tensor)).all())
