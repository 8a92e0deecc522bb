"""Inputs and outputs of networks: how many, of what shapes, in which order."""

import keras
import numpy as np
from keras import layers, ops

from citizen_cases import parts
from citizen_cases.networks import LEARNS, OwnGenerator, group
from citizen_cases.parts import (
    FIT,
    IMAGES,
    LABELS,
    compiled,
    discriminator,
    generator,
    losses_by_hand,
    softplus_losses,
    trains,
)
from ganlab import GAN, check_gan


@group.works("latents are cut between the inputs, in their order")
def two_latents():
    """A generator of two latent inputs, of 4 and of (2, 2)."""
    first, second = keras.Input((4,)), keras.Input((2, 2))
    joined = layers.Concatenate()([first, layers.Flatten()(second)])
    images = layers.Reshape((8, 8, 1))(layers.Dense(64)(joined))
    gan = compiled(keras.Model([first, second], images))
    latents = gan.training_latents(16)
    fake = gan.generator([latents[:, :4], ops.reshape(latents[:, 4:], (-1, 2, 2))])
    logits = gan.discriminator(IMAGES), gan.discriminator(fake)
    return trains(gan, expected=[float(loss) for loss in softplus_losses(*logits)])


@group.works(LEARNS)
def named_inputs():
    """A generator of a dictionary of latents and a class."""
    inputs = {
        "noise": keras.Input((4,), name="noise"),
        "digit": keras.Input((), dtype="int32", name="digit"),
    }
    embedded = layers.Embedding(4, 4)(inputs["digit"])
    joined = layers.Concatenate()([inputs["noise"], embedded])
    images = layers.Reshape((8, 8, 1))(layers.Dense(64)(joined))
    networks = keras.Model(inputs, images), parts.conditional_discriminator()
    gan = compiled(*networks, model={"num_classes": 4})
    digits = ops.convert_to_tensor(LABELS)
    fake = gan.generator({"noise": gan.training_latents(16), "digit": digits})
    logits = [gan.discriminator([ops.array(side), digits]) for side in (IMAGES, fake)]
    expected = [float(loss) for loss in softplus_losses(*logits)]
    return trains(gan, IMAGES, LABELS, expected=expected)


@group.works(LEARNS)
def labels_first_and_one_hot():
    """A generator of [one-hot class, latents] and a discriminator of one-hot."""
    label, latents = keras.Input((4,), name="label"), keras.Input((6,))
    images = layers.Dense(64)(layers.Concatenate()([label, latents]))
    generating = keras.Model([label, latents], layers.Reshape((8, 8, 1))(images))
    pixels, of_pixels = keras.Input((8, 8, 1)), keras.Input((4,), name="label")
    joined = layers.Concatenate()([layers.Flatten()(pixels), of_pixels])
    discriminating = keras.Model([pixels, of_pixels], layers.Dense(1)(joined))
    gan = compiled(generating, discriminating, model={"num_classes": 4})
    rows = ops.one_hot(LABELS, 4)
    fake = gan.generator([rows, gan.training_latents(16)])
    logits = [gan.discriminator([ops.array(side), rows]) for side in (IMAGES, fake)]
    expected = [float(loss) for loss in softplus_losses(*logits)]
    return trains(gan, IMAGES, LABELS, expected=expected)


@group.works("its class losses are added to both losses, of both sides")
def auxiliary_classifier():
    """A discriminator to [logits, class_logits], as AC-GAN's."""
    pixels = keras.Input((8, 8, 1))
    flat = layers.Flatten()(pixels)
    network = keras.Model(pixels, [layers.Dense(1)(flat), layers.Dense(4)(flat)])
    generating = parts.conditional_generator()
    gan = compiled(generating, network, model={"num_classes": 4})
    fake = gan.generator([gan.training_latents(16), ops.convert_to_tensor(LABELS)])
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = sum(float(entropy(LABELS, network(side)[1])) for side in (IMAGES, fake))
    logs = gan.fit(IMAGES, LABELS, **FIT).history
    return np.isclose(logs["d_class_loss"][0], expected, rtol=1e-4)


@group.works(LEARNS)
def any_size():
    """A discriminator of images of any size."""
    ends = [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    network = keras.Sequential([keras.Input((None, None, 1)), *ends])
    return trains(compiled(discriminating=network))


@group.works(LEARNS)
def volumes():
    """A GAN of volumes, by 3-D convolutions."""
    shape = (4, 4, 4, 1)
    volumes = np.random.default_rng(0).normal(size=(16, *shape)).astype("float32")
    start = layers.Conv3D(2, 3)
    gan = compiled(generator(shape=shape), discriminator(start, shape=shape))
    return trains(gan, volumes, expected=losses_by_hand(gan, volumes))


@group.works(LEARNS)
def attention():
    """Self-attention over a series in the discriminator."""
    series = keras.Input((16, 2))
    attended = layers.MultiHeadAttention(1, 4)(series, series)
    network = keras.Model(series, layers.Dense(1)(layers.Flatten()(attended)))
    values = np.random.default_rng(0).normal(size=(16, 16, 2)).astype("float32")
    gan = compiled(generator(shape=(16, 2)), network)
    return trains(gan, values, expected=losses_by_hand(gan, values))


@group.works("`check_gan` names it")
def nested_sigmoid():
    """A discriminator that ends on a sigmoid, inside another model."""
    inside = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1, "sigmoid")]
    )
    pixels = keras.Input((8, 8, 1))
    gan = compiled(discriminating=keras.Model(pixels, inside(pixels)))
    return "double_sigmoid" in [problem.name for problem in check_gan(gan, IMAGES)]


@group.refused("pass models, not classes")
def class_as_network():
    """A class of a model in place of a model."""
    GAN(OwnGenerator, discriminator())


@group.refused("wrap layers in keras.Sequential")
def function_as_network():
    """A plain function in place of a model."""
    GAN(lambda latents: latents, discriminator())


@group.refused("build both networks and the GAN with the same num_classes")
def classes_of_one_network():
    """A conditional discriminator, and a GAN without num_classes."""
    GAN(generator(), parts.conditional_discriminator())


@group.refused("give the GAN num_classes")
def classes_unstated():
    """Conditional networks, and a GAN without num_classes."""
    GAN(parts.conditional_generator(), parts.conditional_discriminator())


@group.refused("leave num_classes out")
def classes_unused():
    """Networks of noise alone, and a GAN with num_classes."""
    GAN(generator(), discriminator(), num_classes=4)


@group.refused("Received: a discriminator of (28, 28, 1)")
def sizes_apart():
    """A discriminator of images of another size than the generator's."""
    GAN(generator(), discriminator(shape=(28, 28, 1)))


@group.refused("return the images alone")
def two_outputs():
    """A generator that returns images and masks."""
    latents = keras.Input((4,))
    images = layers.Reshape((8, 8, 1))(layers.Dense(64)(latents))
    GAN(keras.Model(latents, [images, images]), discriminator())


@group.refused("with packing=2")
def packing_apart():
    """PacGAN's packing with a discriminator of single images."""
    GAN(generator(), discriminator(), packing=2)
