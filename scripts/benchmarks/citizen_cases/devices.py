"""`MirroredStrategy` on two logical CPUs."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from citizen_cases.case import Group, new_path
from citizen_cases.parts import (
    FIT,
    IMAGES,
    LABELS,
    compiled,
    conditional,
    discriminator,
    generator,
    same,
    trains,
    weights,
)
from ganlab import GAN

group = Group("devices", slow=True)


def two_devices() -> None:
    """Splits the CPU in two, once a process, before TensorFlow starts."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )


@functools.cache
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def mirrored(make: Any = compiled, *arguments: Any, **options: Any) -> GAN:
    with strategy().scope():
        return make(*arguments, **options)


@group.works("as many images as asked for, those of one device")
def mirrored_sample():
    """`sample` of 65 images on two devices."""
    gan, single = mirrored(), compiled()
    single.set_weights(gan.get_weights())
    return np.abs(gan.sample(65).astype(int) - single.sample(65)).max() <= 1


@group.works("as many images as latents")
def mirrored_predict():
    """`predict` on 5 latents in batches of 2."""
    gan = mirrored()
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    drawn = gan.predict(latents, batch_size=2, verbose=0)
    return np.allclose(drawn, gan.generator(latents), atol=1e-5)


@group.works("every step is made, and both learn")
def mirrored_partial_batch():
    """15 images in batches of 7, so that the last batch has one."""
    gan = mirrored()
    learns = trains(gan, IMAGES[:15], expected=None, batch_size=7)
    return learns and gan.step.numpy() == 3


@group.works("every step is made, and both learn")
def mirrored_partial_steps():
    """Two discriminator steps and a last batch of three images."""
    gan = mirrored(discriminator_steps=2)
    learns = trains(gan, IMAGES[:11], expected=None, batch_size=8)
    return learns and gan.step.numpy() == 2


@group.works("its d_real is that of one device")
def mirrored_validation():
    """`evaluate` of 15 images in batches of 6."""
    gan = mirrored()
    options = {"batch_size": 6, "verbose": 0, "return_dict": True}
    value = gan.evaluate(IMAGES[:15], **options)["d_real"]
    logits = gan.discriminator(IMAGES[:15]).numpy()
    return abs(value - (1 / (1 + np.exp(-logits))).mean()) < 0.02


@group.works("the loss of the real side is one device's")
def mirrored_loss():
    """One step of a critic whose `d_loss` is read on the real side alone."""

    def real_side(real: Any, fake: Any) -> Any:
        return tf.reduce_mean(real) + 0.0 * tf.reduce_mean(fake), tf.reduce_mean(fake)

    gan = mirrored(loss=real_side)
    expected = float(tf.reduce_mean(gan.discriminator(IMAGES)))
    return np.isclose(gan.fit(IMAGES, **FIT).history["d_loss"][0], expected, atol=1e-5)


@group.works("both replicas' labels are read")
def mirrored_classes():
    """A conditional GAN on two devices."""
    return trains(mirrored(conditional), IMAGES, LABELS, expected=None)


@group.works("both learn")
def mirrored_synchronised():
    """Synchronised batch normalisation."""

    def make() -> GAN:
        norm = functools.partial(layers.BatchNormalization, synchronized=True)
        return compiled(generator(norm()), discriminator(norm()))

    return trains(mirrored(make), expected=None)


@group.works("both learn")
def mirrored_own_loop():
    """A distributed data set that the user made."""
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(8).repeat()
    options = {"steps_per_epoch": 2, "batch_size": None}
    return trains(mirrored(), data, expected=None, **options)


@group.works("it draws the same, on one device")
def mirrored_saved():
    """A GAN saved on two devices and loaded on one."""
    gan, path = mirrored(), new_path("gan.keras")
    gan.fit(IMAGES, **FIT)
    gan.save(path)
    loaded = keras.saving.load_model(path)
    return np.array_equal(loaded.sample(3), gan.sample(3))


@group.works("both learn")
def mirrored_penalties():
    """Augmentation, R1 and float16 on two devices."""
    keras.config.set_dtype_policy("mixed_float16")
    gan = mirrored(regularizers="r1", augmentation="ada")
    return trains(gan, expected=None)


@group.refused("subtract 1")
def mirrored_labels_from_1():
    """Labels from 1 to 4 on two devices."""
    mirrored(conditional).fit(IMAGES, LABELS + 1, **FIT)


@group.refused("Resizing(8, 8)")
def mirrored_other_size():
    """Images of another size on two devices."""
    mirrored().fit(np.zeros((16, 28, 28, 1), "float32"), **FIT)


@group.works("they stay equal")
def mirrored_replicas():
    """The weights of both replicas after training."""
    gan = mirrored()
    gan.fit(IMAGES, **FIT)
    copies = [
        [
            replica.numpy()
            for variable in gan.discriminator.trainable_variables
            for replica in [strategy().experimental_local_results(variable.value)[side]]
        ]
        for side in range(2)
    ]
    return same([copies[0]], [copies[1]], 0.0) and weights(gan) is not None
