"""Finds mistakes of a compiled GAN, from its networks and one batch of its data.

A check returns a `Problem` or `None`.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.data import kinds
from ganlab.models import forward
from ganlab.models.gan import GAN
from ganlab.networks import SpectralNormalization
from ganlab.objectives import losses
from ganlab.objectives.regularizers import WeightClipping

MAX_BETA_1 = 0.9
MAX_RATE_RATIO = 10.0
CONFIDENT_LOGIT = 50.0
RANGE_MARGIN = 0.02  # of the activation's range, by which data may exceed it
SEVERITIES = ("critical", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """Something to mend before training.

    Args:
        name: In snake case.
        severity: `note`, `warning` or `critical`.
        says: What is wrong.
        fix: What to do.
        changes: Settings of `ganlab train` that do it.
    """

    name: str
    severity: str
    says: str
    fix: str
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Fields as JSON values."""
        return dataclasses.asdict(self)


def worst_first(problems: Iterable[Problem | None]) -> list[Problem]:
    """Problems by severity, without those that are `None`."""
    existing = [problem for problem in problems if problem is not None]
    return sorted(existing, key=lambda problem: SEVERITIES.index(problem.severity))


def check_gan(
    gan: GAN, images: np.ndarray, labels: np.ndarray | None = None
) -> list[Problem]:
    """Checks a compiled GAN with one batch.

    Args:
        gan: A compiled `ganlab.GAN`; it is not changed. A copy of a subclass is
            trained one step.
        images: Float array `(batch, height, width, channels)`, as `fit` gets it.
        labels: Int array `(batch,)`, or `None`.

    Returns:
        Problems, critical ones first.
    """
    images = np.asarray(images, np.float32)
    return worst_first(
        [
            _check_data_range(gan, images),
            _check_double_sigmoid(gan, images, labels),
            _check_mixed_batch_norm(gan, images, labels),
            _check_batch_norm_with_penalty(gan),
            _check_loss_scaling(gan),
            _check_kernel_sizes(gan),
            _check_bounded_loss(gan),
            _check_beta_1("generator", gan.generator_optimizer),
            _check_beta_1("discriminator", gan.discriminator_optimizer),
            _check_rates(gan),
        ]
    )


def _check_data_range(gan: GAN, images: np.ndarray) -> Problem | None:
    """Data beyond the range of the output's activation."""
    ranges = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
    name = _last_activation(gan.generator)
    kind = kinds.of_shape(gan.image_shape)
    if name not in ranges or not kind.applies("data_range_mismatch"):
        return None
    low, high = float(images.min()), float(images.max())
    minimum, maximum = ranges[name]
    margin = RANGE_MARGIN * (maximum - minimum)
    beyond = low < minimum - margin or high > maximum + margin
    unused = name == "tanh" and low >= 0.0
    if not beyond and not unused:
        return None
    return Problem(
        "data_range_mismatch",
        "critical",
        f"data in [{low:.3g}, {high:.3g}], but the generator ends on {name}, which "
        f"gives values in [{minimum:g}, {maximum:g}]",
        "scale images to [-1, 1] and end on tanh",
        {"output_activation": "tanh"},
    )


def _last_activation(network: keras.Model) -> str | None:
    for layer in reversed(network.layers):
        name = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if name != "linear":
            return str(name)
        if layer.weights:
            return None
    return None


def _check_double_sigmoid(
    gan: GAN, images: np.ndarray, labels: np.ndarray | None
) -> Problem | None:
    """Probabilities given to losses that take logits."""
    if _last_activation(gan.discriminator) != "sigmoid":
        return None
    whole_packs = images[: len(images) - len(images) % gan.packing]
    outputs = forward.call(
        gan.discriminator,
        forward.pack(tf.constant(whole_packs), gan.packing),
        None if labels is None else tf.constant(labels),
        training=False,
    )
    logits = forward.logits_of(outputs)
    low, high = float(tf.reduce_min(logits)), float(tf.reduce_max(logits))
    return Problem(
        "double_sigmoid",
        "critical",
        f"the discriminator ends on a sigmoid and says {low:.3g} to {high:.3g}, but "
        f"{type(gan.objective.loss).__name__} takes raw logits: D(x) never leaves "
        "[0.5, 0.73]",
        "end it on Dense(1) without an activation",
    )


def _has_batch_norm(network: keras.Model) -> bool:
    return any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers
    )


def _check_mixed_batch_norm(
    gan: GAN, images: np.ndarray, labels: np.ndarray | None
) -> Problem | None:
    """Real and fake images in one batch of a discriminator with batch statistics.

    A copy of a subclass is trained one step, and the size of each batch that its
    discriminator sees is noted. `GAN` itself keeps real and fake images apart.
    """
    compile_config = gan.get_compile_config()
    if type(gan) is GAN or compile_config is None:
        return None
    if not _has_batch_norm(gan.discriminator):
        return None
    copy = type(gan).from_config(gan.get_config())
    copy.compile_from_config(compile_config)
    batch_sizes: list[int] = []
    call = copy.discriminator.call

    def note_batch_size(inputs: Any, *arguments: Any, **options: Any) -> Any:
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        batch_sizes.append(int(first.shape[0]))
        return call(inputs, *arguments, **options)

    copy.discriminator.call = note_batch_size
    copy.train_step(images if labels is None else (images, labels))
    one_side = len(images) // copy.discriminator_steps // copy.packing
    if not batch_sizes or max(batch_sizes) <= one_side:
        return None
    return Problem(
        "mixed_batch_norm",
        "critical",
        f"the discriminator has batch normalisation and gets {max(batch_sizes)} images "
        f"at once, more than the {one_side} of one side: real and fake images share "
        "statistics",
        "call it on real and on fake images apart",
    )


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
    for layer in gan.generator.layers:
        if not isinstance(layer, keras.layers.Conv2DTranspose):
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
        return float(loss.discriminator(real_logits, -real_logits))

    if loss_at(CONFIDENT_LOGIT) >= min(loss_at(CONFIDENT_LOGIT / 2) - 0.5, 0.0):
        return None
    if not isinstance(loss, losses.Wasserstein):
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
        isinstance(layer, (SpectralNormalization, keras.layers.SpectralNormalization))
        for layer in gan.discriminator.layers
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
    beta_1 = getattr(_unwrapped(optimizer), "beta_1", None)
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
        float(keras.ops.convert_to_numpy(_unwrapped(optimizer).learning_rate))
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


def _unwrapped(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)
