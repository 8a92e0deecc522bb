"""Small networks and data for the cases, and losses and updates computed by hand."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ganlab import GAN

IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
LABELS = np.arange(16) % 4
FIT = {"batch_size": 16, "shuffle": False, "verbose": 0}


def generator(*end: Any, shape: tuple[int, ...] = (8, 8, 1)) -> keras.Model:
    """A generator from 4 latents by one matrix, and what comes after it."""
    start = [keras.Input((4,)), layers.Dense(math.prod(shape))]
    return keras.Sequential([*start, *end, layers.Reshape(shape)])


def discriminator(*start: Any, shape: tuple[int, ...] = (8, 8, 1)) -> keras.Model:
    """Some layers, and a matrix to one logit."""
    end = [layers.Flatten(), layers.Dense(1)]
    return keras.Sequential([keras.Input(shape), *start, *end])


def patches(shape: tuple[int, ...] = (8, 8, 1)) -> keras.Model:
    """A discriminator of 3 by 3 patches."""
    return keras.Sequential([keras.Input(shape), layers.Conv2D(1, 4, strides=2)])


def conditional_generator() -> keras.Model:
    """A generator of latents and a class number."""
    latents, label = keras.Input((4,)), keras.Input((), dtype="int32")
    joined = layers.Concatenate()([latents, layers.Embedding(4, 4)(label)])
    return keras.Model(
        [latents, label], layers.Reshape((8, 8, 1))(layers.Dense(64)(joined))
    )


def conditional_discriminator() -> keras.Model:
    """A discriminator of images and a class number."""
    images, label = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    joined = [layers.Flatten()(images), layers.Embedding(4, 4)(label)]
    return keras.Model([images, label], layers.Dense(1)(layers.Concatenate()(joined)))


def compiled(
    generating: keras.Model | None = None,
    discriminating: keras.Model | None = None,
    optimizers: tuple[Any, ...] = ("adam", "adam"),
    *,
    model: dict[str, Any] | None = None,
    **options: Any,
) -> GAN:
    """A compiled GAN of these networks, or of small ones.

    Args:
        generating: The generator.
        discriminating: The discriminator.
        optimizers: Both optimizers.
        model: Arguments of `GAN`.
        **options: Arguments of `compile`.
    """
    generating = generating or generator()
    discriminating = discriminating or discriminator()
    gan = GAN(generating, discriminating, **(model or {}))
    gan.compile(*optimizers, **options)
    return gan


def conditional(**options: Any) -> GAN:
    """A compiled GAN of 4 classes."""
    networks = conditional_generator(), conditional_discriminator()
    return compiled(*networks, model={"num_classes": 4}, **options)


def softplus_losses(real: Any, fake: Any) -> tuple[Any, Any]:
    """Goodfellow's discriminator loss, and the generator's non-saturating one."""
    real, fake = (ops.cast(logits, "float32") for logits in (real, fake))
    d_loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
    return d_loss, ops.mean(ops.softplus(-fake))


def losses_by_hand(
    gan: GAN, images: Any, labels: Any = None, *, losses: Any = softplus_losses
) -> tuple[float, float]:
    """Both losses of the next step, from the networks called as plain Keras models."""
    latents = gan.training_latents(len(images))
    classes = [] if labels is None else [ops.convert_to_tensor(labels)]
    fake = gan.generator([latents, *classes] if classes else latents)
    sides = ops.convert_to_tensor(images), fake
    inputs = [[side, *classes] for side in sides] if classes else sides
    logits = [gan.discriminator(side) for side in inputs]
    return tuple(float(loss) for loss in losses(*logits))


def trains(
    gan: GAN,
    data: Any = IMAGES,
    labels: Any = None,
    *,
    expected: Any = "by hand",
    tolerance: float = 1e-4,
    **options: Any,
) -> bool:
    """Whether one step has the losses computed by hand, and both networks learn.

    Args:
        gan: A compiled GAN.
        data: What `fit` gets.
        labels: Likewise.
        expected: Both losses, `"by hand"` for those of `IMAGES`, or `None`: finite.
        tolerance: Relative, of the losses.
        **options: For `fit`, beside one batch of 16.
    """
    if expected == "by hand":
        expected = losses_by_hand(gan, IMAGES, labels)
    before = weights(gan)
    history = gan.fit(data, labels, **{**FIT, **options}).history
    values = history["d_loss"][0], history["g_loss"][0]
    after = weights(gan)
    learns = all(
        any(not np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(before, after, strict=True)
    )
    finite = all(np.isfinite(value).all() for value in history.values())
    right = expected is None or np.allclose(values, expected, rtol=tolerance, atol=1e-6)
    return bool(learns and finite and right)


def weights(gan: GAN) -> list[list[np.ndarray]]:
    """Copies of what each network trains."""
    return [
        [variable.numpy() for variable in network.trainable_variables]
        for network in (gan.generator, gan.discriminator)
    ]


def steps_by_hand(gan: GAN, images: Any, optimizers: Any) -> list[list[np.ndarray]]:
    """Both networks' weights after one step on each batch, the GAN left as it is.

    Args:
        gan: A compiled GAN that has not been trained.
        images: A list of batches.
        optimizers: Two new optimizers.
    """
    networks = [
        keras.models.clone_model(network)
        for network in (gan.generator, gan.discriminator)
    ]
    for network, source in zip(
        networks, (gan.generator, gan.discriminator), strict=True
    ):
        network.set_weights(source.get_weights())
    for step, batch in enumerate(images):
        gan.step.assign(step)
        latents = gan.training_latents(len(batch))
        with tf.GradientTape(persistent=True) as tape:
            logits = networks[1](batch), networks[1](networks[0](latents))
            losses = softplus_losses(*logits)
        pairs = zip(networks, optimizers, reversed(losses), strict=True)
        gradients = [
            tape.gradient(loss, network.trainable_variables)
            for network, _, loss in pairs
        ]
        for network, optimizer, gradient in zip(
            networks, optimizers, gradients, strict=True
        ):
            optimizer.apply(gradient, network.trainable_variables)
    gan.step.assign(0)
    for network, optimizer in zip(networks, optimizers, strict=True):
        optimizer.finalize_variable_values(network.trainable_variables)
    return [
        [variable.numpy() for variable in network.trainable_variables]
        for network in networks
    ]


def same(first: Any, second: Any, tolerance: float = 1e-5) -> bool:
    """Whether two lists of lists of arrays agree."""
    return all(
        np.allclose(a, b, rtol=1e-4, atol=tolerance)
        for one, other in zip(first, second, strict=True)
        for a, b in zip(one, other, strict=True)
    )
