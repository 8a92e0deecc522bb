"""What can be told before training, from the settings, the players and the data?

Each check gives a `Problem` or nothing. `check_recipe` looks at what a run would
be made of; `check_gan` at any `ganlab.GAN` and one batch of its data, and steps a
copy once.
"""

import dataclasses
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from ganlab.data import kinds
from ganlab.models import forward
from ganlab.models.gan import GAN
from ganlab.objectives import losses
from ganlab.objectives.regularizers import WeightClipping

BETA_1 = 0.9
RATE_RATIO = 10.0
FEW_IMAGES = 2000
RARE_CLASS = 10.0
SMALL_BATCH = 8
SURE = 50.0  # a logit of someone who is sure
DUPLICATES = 0.2


@dataclass(frozen=True)
class Problem:
    """Something to mend before training.

    Args:
        name: In snake case.
        severity: `note`, `warning` or `critical`.
        says: What was found.
        fix: What to do.
        changes: Settings of `ganlab train` that do it.
    """

    name: str
    severity: str
    says: str
    fix: str
    changes: dict = dataclasses.field(default_factory=dict)

    def as_dict(self):
        """Fields as JSON values."""
        return dataclasses.asdict(self)


def check_recipe(recipe, data, gan):
    """Checks a run before it starts.

    Args:
        recipe: A complete `ganlab.Recipe`.
        data: The `ganlab.data.image_data.ImageData` that it would train on.
        gan: The `GAN` that it would train.

    Returns:
        A list of `Problem`s, critical ones first.
    """
    count = recipe.batch_size * recipe.discriminator_steps
    images, labels = data.take(min(max(count, 64), len(data)))
    labels = labels if recipe.conditional else None
    found = [
        *check_gan(gan, images[:count], None if labels is None else labels[:count]),
        *check_data(data),
    ]
    few = len(data) < FEW_IMAGES and data.kind.applies("too_few_images")
    if few and recipe.augmentation == "none":
        found.append(
            Problem(
                "too_few_images",
                "warning",
                f"{len(data):,} images without augmentation: the discriminator will "
                "learn them by heart",
                "augment, or add images",
                {"augmentation": "diffaugment"},
            )
        )
    if recipe.batch_size < SMALL_BATCH and recipe.generator_normalization in (
        None,
        "batch",
    ):
        found.append(
            Problem(
                "small_batch",
                "warning",
                f"batch normalisation over {recipe.batch_size} images: what is trained "
                "is not what is exported",
                f"use batches of {SMALL_BATCH} or more, or normalise by layer",
                {"generator_normalization": "layer"},
            )
        )
    lost = len(data) % count
    if lost > len(data) // 4:
        found.append(
            Problem(
                "last_partial_batch",
                "note",
                f"{lost:,} of {len(data):,} images are left out of each epoch, other "
                "ones each time",
                "use smaller batches",
            )
        )
    return _ordered(found)


def check_data(data):
    """Checks images before training: constant, repeated, unbalanced.

    Args:
        data: A `ganlab.data.image_data.ImageData`.

    Returns:
        A list of `Problem`s.
    """
    found = []
    some, _ = data.take(min(len(data), 2000))
    flat = some.reshape(len(some), -1)
    alike = flat.max(axis=1) == flat.min(axis=1)
    constant = 0.0
    if data.kind.applies("constant_images"):
        constant = float(alike.mean())
    if constant > 0.01:
        found.append(
            Problem(
                "constant_images",
                "critical" if constant > 0.5 else "warning",
                f"{constant:.0%} of the images are one colour all over",
                "look at the data: images may be broken or masked",
            )
        )
    distinct = len(np.unique(flat, axis=0))
    repeated = 1.0 - distinct / len(flat)
    if repeated > DUPLICATES:
        found.append(
            Problem(
                "duplicated_images",
                "warning",
                f"{repeated:.0%} of the images repeat another",
                "leave repeats out: they are learned by heart first",
            )
        )
    counts = data.class_counts()
    if len(counts) > 1 and counts.max() > RARE_CLASS * max(counts.min(), 1):
        rare = data.class_names[int(counts.argmin())]
        found.append(
            Problem(
                "class_imbalance",
                "warning",
                f"{rare} has {counts.min():,} images, the most frequent class "
                f"{counts.max():,}",
                "add images of rare classes, or leave the classes out",
            )
        )
    return found


def check_gan(gan, images, labels=None):
    """Checks a compiled GAN with one batch.

    Args:
        gan: A compiled `ganlab.GAN`; it is not changed.
        images: Float array `(batch, height, width, channels)`, as `fit` gets it.
        labels: Int array `(batch,)`, or `None`.

    Returns:
        A list of `Problem`s, critical ones first.
    """
    images = np.asarray(images, np.float32)
    found = [
        _data_range(gan, images),
        _double_sigmoid(gan, images, labels),
        _mixed_batch_norm(gan, images, labels),
        _batch_norm_with_penalty(gan),
        _unscaled(gan),
        *_uneven_kernels(gan),
        _unbounded(gan),
        *_optimizers(gan),
    ]
    return _ordered([each for each in found if each is not None])


def _ordered(found):
    order = ("critical", "warning", "note")
    return sorted(found, key=lambda each: order.index(each.severity))


def _data_range(gan, images):
    """Does the output's activation reach what the data holds?"""
    ends = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
    name = _last_activation(gan.generator)
    kind = kinds.of_shape(gan.image_shape)
    if name not in ends or not kind.applies("data_range_mismatch"):
        return None
    low, high = float(images.min()), float(images.max())
    least, most = ends[name]
    span = most - least
    beyond = low < least - 0.02 * span or high > most + 0.02 * span
    unused = name == "tanh" and low >= 0.0
    if not beyond and not unused:
        return None
    return Problem(
        "data_range_mismatch",
        "critical",
        f"data in [{low:.3g}, {high:.3g}], but the generator ends on {name}, which "
        f"draws in [{least:g}, {most:g}]",
        "scale images to [-1, 1] and end on tanh",
        {"output_activation": "tanh"},
    )


def _last_activation(player):
    for layer in reversed(player.layers):
        name = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if name != "linear":
            return name
        if layer.weights:
            return None
    return None


def _double_sigmoid(gan, images, labels):
    """Do the losses, which want logits, get probabilities?"""
    if _last_activation(gan.discriminator) != "sigmoid":
        return None
    said = forward.logits_of(_judged(gan, images, labels))
    low, high = float(tf.reduce_min(said)), float(tf.reduce_max(said))
    return Problem(
        "double_sigmoid",
        "critical",
        f"the discriminator ends on a sigmoid and says {low:.3g} to {high:.3g}, but "
        f"{type(gan.adversarial_loss).__name__} takes raw logits: D(x) never leaves "
        "[0.5, 0.73]",
        "end it on Dense(1) without an activation",
    )


def _judged(gan, images, labels):
    some = images[: len(images) - len(images) % gan.packing]
    classes = None if labels is None else tf.constant(labels)
    packed = forward.pack(tf.constant(some), gan.packing)
    return forward.call(gan.discriminator, packed, classes, False)


def _has_batch_norm(player):
    return any(isinstance(x, keras.layers.BatchNormalization) for x in player.layers)


def _mixed_batch_norm(gan, images, labels):
    """Does a step show the discriminator real and fake in one batch?

    A copy of a subclass is stepped once, and the size of what its discriminator
    sees is noted. `GAN` itself shows them apart.
    """
    if type(gan).train_step is GAN.train_step and type(gan)._judge is GAN._judge:
        return None
    if not _has_batch_norm(gan.discriminator):
        return None
    copy = type(gan).from_config(gan.get_config())
    copy.compile_from_config(gan.get_compile_config())
    seen, call = [], copy.discriminator.call

    def noting(inputs, *arguments, **options):
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        seen.append(int(first.shape[0]))
        return call(inputs, *arguments, **options)

    copy.discriminator.call = noting
    copy.train_step(images if labels is None else (images, labels))
    expected = len(images) // copy.discriminator_steps // copy.packing
    if not seen or max(seen) <= expected:
        return None
    return Problem(
        "mixed_batch_norm",
        "critical",
        f"the discriminator has batch normalisation and judges {max(seen)} images at "
        f"once, more than the {expected} of one side: real and fake share statistics",
        "judge real and fake in two calls",
    )


def _batch_norm_with_penalty(gan):
    if not _has_batch_norm(gan.discriminator):
        return None
    for each in gan.regularizers:
        if each.needs_input_gradients and each.weight:
            return Problem(
                "batch_norm_with_penalty",
                "critical",
                f"{type(each).__name__} holds the slope at each image, but batch "
                "normalisation makes it depend on the others",
                "normalise by layer, or not at all",
                {"discriminator_normalization": "none"},
            )
    return None


def _unscaled(gan):
    layers = gan.generator.layers + gan.discriminator.layers
    if not any(layer.compute_dtype == "float16" for layer in layers):
        return None
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    scaled = (isinstance(x, keras.optimizers.LossScaleOptimizer) for x in optimizers)
    if all(scaled):
        return None
    return Problem(
        "unscaled_float16",
        "critical",
        "a player computes in float16 and its loss is not scaled: gradients under "
        "6e-8 become 0",
        "leave loss_scaling on, or train in bfloat16",
        {"loss_scaling": True},
    )


def _uneven_kernels(gan):
    for layer in gan.generator.layers:
        if not isinstance(layer, keras.layers.Conv2DTranspose):
            continue
        pairs = zip(layer.kernel_size, layer.strides, strict=True)
        if any(kernel % stride for kernel, stride in pairs):
            yield Problem(
                "uneven_kernel",
                "warning",
                f"{layer.name} has a kernel of {layer.kernel_size[0]} and a stride of "
                f"{layer.strides[0]}: it covers pixels unequally, as a checkerboard",
                "use a kernel of 4 with a stride of 2, or resize and convolve",
                {"kernel_size": 4},
            )
            return


def _unbounded(gan):
    """Does the discriminator's loss fall for ever as it grows surer?"""
    loss = gan.adversarial_loss

    def value(logit):
        real = tf.fill((4, 1), logit)
        return float(loss.discriminator(real, -real))

    if not value(SURE) < min(value(SURE / 2) - 0.5, 0.0):
        return None
    if isinstance(loss, losses.Wasserstein):
        held = any(
            isinstance(each, WeightClipping) or each.weight for each in gan.regularizers
        )
        normalized = any(
            type(layer).__name__ == "SpectralNormalization"
            for layer in gan.discriminator.layers
        )
        if held or normalized:
            return None
        return Problem(
            "unbounded_critic",
            "critical",
            "a Wasserstein critic without a bound on its slope: its loss has no "
            "minimum",
            "add gradient_penalty or spectral normalisation",
            {
                "regularizer": "gradient_penalty",
                "discriminator_normalization": "none",
            },
        )
    return Problem(
        "label_noise_past_1",
        "critical",
        f"{type(loss).__name__} falls below 0 for a discriminator that is sure: a "
        "target lies past 1 or under 0, and logits grow without end",
        "keep targets in [0, 1], noise included",
    )


def _optimizers(gan):
    both = (
        ("generator", gan.generator_optimizer),
        ("discriminator", gan.discriminator_optimizer),
    )
    rates = []
    for role, optimizer in both:
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        beta = getattr(optimizer, "beta_1", None)
        if isinstance(beta, float) and beta >= BETA_1:
            yield Problem(
                "high_beta_1",
                "warning",
                f"the {role}'s beta_1 is {beta:g}: it goes on where the game was ten "
                "steps ago, and the game turns",
                "use 0 to 0.5",
                {"beta_1": 0.5},
            )
    if min(rates) > 0 and max(rates) / min(rates) > RATE_RATIO:
        yield Problem(
            "rates_far_apart",
            "warning",
            f"learning rates of {rates[0]:g} (generator) and {rates[1]:g} "
            f"(discriminator) differ {max(rates) / min(rates):.0f} times",
            "keep them within a factor of 4 or so",
            {"discriminator_learning_rate": rates[0]},
        )
