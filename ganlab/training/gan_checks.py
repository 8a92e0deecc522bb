"""Finds mistakes of a compiled GAN, from its networks and one batch of its data.

A check returns a `Problem` or `None`.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.errors import UserError, one_line
from ganlab.models import forward
from ganlab.models.compatibility import takes_probabilities
from ganlab.models.gan import GAN
from ganlab.models.optimizers import unwrapped
from ganlab.networks.output_range import output_range
from ganlab.objectives.regularizers import WeightClipping
from ganlab.training.batch_checks import (
    Batch,
    check_finite,
    check_labels,
    check_range,
    check_shape,
    read_batch,
)
from ganlab.training.problem import Problem, worst_first

MAX_BETA_1 = 0.9
MAX_RATE_RATIO = 10.0
CONFIDENT_LOGIT = 50.0
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def check_gan(gan: GAN, images: Any, labels: Any = None) -> list[Problem]:
    """Checks a compiled GAN with one batch.

    Args:
        gan: A compiled `ganlab.GAN`; it is not changed. A copy of a subclass is
            trained one step.
        images: What `fit` gets: an array or tensor `(batch, ...)`, floats or uint8, a
            pair of images and labels, or a data set of either, of which the first
            batch is taken.
        labels: Array or tensor `(batch, ...)`, or `None`.

    Returns:
        Problems, critical ones first.

    Raises:
        UserError: if the GAN is not compiled, or there is no batch of numbers.
    """
    if not isinstance(gan, GAN) or not gan.compiled:
        received = f"a {type(gan).__name__}; pass the GAN itself"
        if isinstance(gan, GAN):
            received = "one that is not; call compile first"
        raise UserError(f"Expected a compiled ganlab.GAN. Received: {received}")
    batch = read_batch(gan, images, labels)
    wrong_shape = check_shape(gan, batch.images)
    wrong_labels = check_labels(gan, batch.labels)
    problems = [
        wrong_shape,
        wrong_labels,
        check_finite(batch.images),
        check_range(gan, batch.images),
        _check_frozen("generator", gan.generator),
        _check_frozen("discriminator", gan.discriminator),
        _check_batch_norm_with_penalty(gan),
        _check_loss_scaling(gan),
        _check_kernel_sizes(gan),
        _check_bounded_loss(gan),
        _check_beta_1("generator", gan.generator_optimizer),
        _check_beta_1("discriminator", gan.discriminator_optimizer),
        _check_rates(gan),
    ]
    if wrong_shape is None and wrong_labels is None:
        problems += [
            _check_double_sigmoid(gan, batch),
            _check_mixed_batch_norm(gan, batch),
        ]
    return worst_first(problems)


def _layers_of(network: keras.Model) -> list[keras.Layer]:
    """Every layer of a network: those of networks and wrappers inside it too."""
    return list(network._flatten_layers(include_self=False))


def _check_frozen(role: str, network: keras.Model) -> Problem | None:
    if network.trainable_variables:
        return None
    return Problem(
        "frozen_network",
        "critical",
        f"the {role} has no trainable weights: it would never learn",
        "set its trainable to True, and compile again",
    )


def _check_double_sigmoid(gan: GAN, batch: Batch) -> Problem | None:
    """Probabilities given to losses that take logits."""
    if takes_probabilities(gan.objective.loss):
        return None
    logits = _logits(gan, batch, 1.0)
    bound = output_range(gan.discriminator)
    if bound is None and not getattr(gan.discriminator, "outputs", None):
        # Free-form code shows what it ends on by what it gives for wild inputs.
        wild = [_logits(gan, batch, scale) for scale in (-1.0, 100.0, -100.0)]
        outputs = np.concatenate([logits, *wild])
        if outputs.min() >= 0.0 and 0.0 < outputs.max() <= 1.0:
            bound = (0.0, 1.0)
    if bound != (0.0, 1.0):
        return None
    return Problem(
        "double_sigmoid",
        "critical",
        f"the discriminator ends on a sigmoid and says {logits.min():.3g} to "
        f"{logits.max():.3g}, but "
        f"{type(gan.objective.loss).__name__} takes raw logits, of any "
        "sign and size",
        "end it on Dense(1) without an activation",
    )


def _logits(gan: GAN, batch: Batch, scale: float) -> np.ndarray:
    """The discriminator's logits for a batch of scaled images."""
    count = len(batch.images) - len(batch.images) % gan.packing
    images = np.nan_to_num(batch.images[:count]) * scale
    labels = batch.labels
    if labels is not None and gan.num_classes is not None:
        if labels.ndim == 2 and labels.shape[1] > 1:
            labels = labels.argmax(axis=1)
        labels = tf.constant(labels.reshape(-1)[:count], tf.int32)
    outputs = forward.call(
        gan.discriminator,
        forward.pack(tf.constant(images, images.dtype), gan.packing),
        labels if gan.num_classes is not None else None,
        training=False,
    )
    return np.asarray(forward.logits_of(outputs))


def _has_batch_norm(network: keras.Model) -> bool:
    return any(
        isinstance(layer, keras.layers.BatchNormalization)
        for layer in _layers_of(network)
    )


def _check_mixed_batch_norm(gan: GAN, batch: Batch) -> Problem | None:
    """Real and fake images in one batch of a discriminator with batch statistics.

    A copy of a subclass is trained one step, and the size of each batch that its
    discriminator sees is noted. `GAN` itself keeps real and fake images apart.
    """
    if type(gan) is GAN or not _has_batch_norm(gan.discriminator):
        return None
    try:
        largest, one_side = _batch_sizes(gan, batch)
    except Exception as error:
        return Problem(
            "untested_step",
            "note",
            f"a copy of {type(gan).__name__} does not train one step "
            f"({type(error).__name__}: {one_line(error)}), so that its batches of "
            "batch normalisation are not known",
            "write get_config for its arguments, and try one batch",
        )
    if largest <= one_side:
        return None
    return Problem(
        "mixed_batch_norm",
        "critical",
        f"the discriminator has batch normalisation and gets {largest} images "
        f"at once, more than the {one_side} of one side: real and fake images share "
        "statistics",
        "call it on real and on fake images apart",
    )


def _batch_sizes(gan: GAN, batch: Batch) -> tuple[int, int]:
    """The largest batch that the discriminator sees in a step, and one side's."""
    copy = type(gan).from_config(gan.get_config())
    copy.compile_from_config(gan.get_compile_config() or {})
    batch_sizes = [0]
    call = copy.discriminator.call

    def note_batch_size(inputs: Any, *arguments: Any, **options: Any) -> Any:
        first = keras.tree.flatten(inputs)[0]
        batch_sizes.append(int(first.shape[0]))
        return call(inputs, *arguments, **options)

    copy.discriminator.call = note_batch_size
    parts = copy.discriminator_steps * copy.packing
    count = len(batch.images) - len(batch.images) % parts
    images = np.nan_to_num(batch.images[:count])
    labels = batch.labels
    copy.train_step(images if labels is None else (images, labels[:count]))
    return max(batch_sizes), count // parts


def _check_batch_norm_with_penalty(gan: GAN) -> Problem | None:
    if not _has_batch_norm(gan.discriminator):
        return None
    for regularizer in gan.regularizers:
        if regularizer.needs_input_gradients and regularizer.weight:
            return Problem(
                "batch_norm_with_penalty",
                "critical",
                f"{type(regularizer).__name__} bounds the gradient at each image, but "
                "batch normalisation makes it depend on the others",
                "normalise by layer, or not at all",
                {"discriminator_normalization": "none"},
            )
    return None


def _check_loss_scaling(gan: GAN) -> Problem | None:
    """Losses in float16 without loss scaling."""
    networks = (gan.generator, gan.discriminator)
    if not any(forward.computes_in(network, "float16") for network in networks):
        return None
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    if all(
        isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        for optimizer in optimizers
    ):
        return None
    return Problem(
        "unscaled_float16",
        "critical",
        "a network computes in float16 and its loss is not scaled: gradients under "
        "6e-8 become 0",
        "leave loss_scaling on, or train in bfloat16",
        {"loss_scaling": True},
    )


def _check_kernel_sizes(gan: GAN) -> Problem | None:
    """Transposed convolutions whose kernels cover pixels unequally."""
    for layer in _layers_of(gan.generator):
        if not isinstance(layer, TRANSPOSED):
            continue
        pairs = zip(layer.kernel_size, layer.strides, strict=True)
        if any(kernel % stride for kernel, stride in pairs):
            return Problem(
                "uneven_kernel",
                "warning",
                f"{layer.name} has a kernel of {layer.kernel_size[0]} and a stride of "
                f"{layer.strides[0]}: it covers pixels unequally, as a checkerboard",
                "use a kernel of 4 with a stride of 2, or resize and convolve",
                {"kernel_size": 4},
            )
    return None


def _check_bounded_loss(gan: GAN) -> Problem | None:
    """A discriminator's loss that falls without end as its logits grow."""
    loss = gan.objective.loss

    def loss_at(logit: float) -> float:
        real_logits = tf.fill((4, 1), logit)
        return float(np.mean(loss.discriminator(real_logits, -real_logits)))

    if loss_at(CONFIDENT_LOGIT) >= min(loss_at(CONFIDENT_LOGIT / 2) - 0.5, 0.0):
        return None
    curvature = loss_at(CONFIDENT_LOGIT) + loss_at(-CONFIDENT_LOGIT) - 2 * loss_at(0.0)
    if abs(curvature) > 1e-3 * CONFIDENT_LOGIT:  # a Wasserstein loss is linear
        return Problem(
            "label_noise_past_1",
            "critical",
            f"{type(loss).__name__} falls below 0 for a discriminator that is sure: a "
            "target lies past 1 or under 0, and logits grow without end",
            "keep targets in [0, 1], noise included",
        )
    regularized = any(
        isinstance(regularizer, WeightClipping) or regularizer.weight
        for regularizer in gan.regularizers
    )
    normalized = any(
        "SpectralNorm" in type(layer).__name__
        or getattr(layer, "kernel_constraint", None) is not None
        for layer in _layers_of(gan.discriminator)
    )
    if regularized or normalized:
        return None
    return Problem(
        "unbounded_critic",
        "critical",
        "a Wasserstein critic without a bound on its gradient: its loss has no minimum",
        "add gradient_penalty or spectral normalisation",
        {"regularizer": "gradient_penalty", "discriminator_normalization": "none"},
    )


def _check_beta_1(role: str, optimizer: keras.optimizers.Optimizer) -> Problem | None:
    beta_1 = getattr(unwrapped(optimizer), "beta_1", None)
    if not isinstance(beta_1, float) or beta_1 < MAX_BETA_1:
        return None
    return Problem(
        "high_beta_1",
        "warning",
        f"the {role}'s beta_1 is {beta_1:g}: updates follow gradients of ten "
        "steps ago, and the other network has changed since",
        "use 0 to 0.5",
        {"beta_1": 0.5},
    )


def _check_rates(gan: GAN) -> Problem | None:
    generator_rate, discriminator_rate = (
        float(keras.ops.convert_to_numpy(unwrapped(optimizer).learning_rate))
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer)
    )
    low, high = sorted((generator_rate, discriminator_rate))
    if low <= 0 or high / low <= MAX_RATE_RATIO:
        return None
    return Problem(
        "rates_far_apart",
        "warning",
        f"learning rates of {generator_rate:g} (generator) and {discriminator_rate:g} "
        f"(discriminator) differ {high / low:.0f} times",
        "keep them within a factor of 4 or so",
        {"discriminator_learning_rate": generator_rate},
    )
