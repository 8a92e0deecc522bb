"""Networks: of any layers, inputs and forms."""

import functools
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from citizen_cases.case import Group
from citizen_cases.parts import (
    FIT,
    IMAGES,
    compiled,
    discriminator,
    generator,
    trains,
)

group = Group("networks")
LEARNS = "a step's losses are those of the plain networks, and both learn"


class Times(layers.Layer):
    """A layer whose configuration is not known."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def call(self, values: Any) -> Any:
        return values * self.scale


class OwnGenerator(keras.Model):
    """A subclass that makes its layers in `__init__`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dense, self.shape = layers.Dense(64), layers.Reshape((8, 8, 1))

    def call(self, latents: Any) -> Any:
        return self.shape(self.dense(latents))


class OwnDiscriminator(keras.Model):
    """A subclass that takes `training`."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.dense = layers.Flatten(), layers.Dense(1)

    def call(self, images: Any, training: bool = False) -> Any:
        return self.dense(self.flat(images))


class Adding(layers.Layer):
    """A layer that adds 3 to the loss for every call."""

    def call(self, values: Any) -> Any:
        self.add_loss(3.0 + 0.0 * ops.mean(values))
        return values

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def normalization(scale: float, shift: float, **options: Any) -> layers.Normalization:
    """A layer adapted to scaled and shifted images."""
    layer = layers.Normalization(axis=None, **options)
    layer.adapt(IMAGES.reshape(16, 64) * scale + shift)
    return layer


GENERATOR_LAYERS = {
    "lambda": lambda: layers.Lambda(lambda values: values * 2.0),
    "without-config": lambda: Times(2.0),
    "normalization": lambda: normalization(1.0, 0.0, invert=True),
    "layer-normalization": layers.LayerNormalization,
    "gru": lambda: keras.Sequential(
        [layers.Reshape((8, 8)), layers.GRU(8, return_sequences=True)]
    ),
    "bidirectional-lstm": lambda: keras.Sequential(
        [layers.Reshape((8, 8)), layers.Bidirectional(layers.LSTM(32))]
    ),
    "time-distributed": lambda: keras.Sequential(
        [layers.Reshape((8, 8)), layers.TimeDistributed(layers.Dense(8))]
    ),
    "dense-tanh": lambda: layers.Dense(64, "tanh"),
    "prelu": layers.PReLU,
    "nested-twice": lambda: keras.Sequential(
        [keras.Sequential([layers.Dense(8)]), layers.Dense(64)]
    ),
}
DISCRIMINATOR_LAYERS = {
    "lambda": lambda: layers.Lambda(lambda images: images * 2.0),
    "rescaling": lambda: layers.Rescaling(0.5),
    "normalization": lambda: layers.Normalization(mean=0.1, variance=4.0),
    "group-normalization": lambda: layers.GroupNormalization(1),
    "depthwise": lambda: layers.DepthwiseConv2D(3),
    "separable": lambda: layers.SeparableConv2D(4, 3),
    "max-pooling": layers.MaxPooling2D,
    "unit-normalization": layers.UnitNormalization,
    "permute": lambda: layers.Permute((2, 1, 3)),
}


def generator_layer(make: Any) -> bool:
    return trains(compiled(generator(make())))


def discriminator_layer(make: Any) -> bool:
    return trains(compiled(discriminating=discriminator(make())))


for title, maker in GENERATOR_LAYERS.items():
    group.works(LEARNS, f"generator-{title}", f"A generator with {title}.")(
        functools.partial(generator_layer, maker)
    )
for title, maker in DISCRIMINATOR_LAYERS.items():
    group.works(LEARNS, f"discriminator-{title}", f"A discriminator with {title}.")(
        functools.partial(discriminator_layer, maker)
    )


@group.works(LEARNS)
def subclassed_generator():
    """A subclassed generator that has been called once."""
    network = OwnGenerator()
    network(np.zeros((1, 4), "float32"))
    return trains(compiled(network))


@group.works(LEARNS)
def subclassed_discriminator():
    """A subclassed discriminator that was never called."""
    return trains(compiled(discriminating=OwnDiscriminator()))


@group.refused("call it once on a batch before")
def unbuilt_generator():
    """A subclassed generator that was never called."""
    compiled(OwnGenerator())


@group.works(LEARNS)
def unbuilt_sequential_discriminator():
    """A Sequential discriminator without an Input."""
    return trains(
        compiled(
            discriminating=keras.Sequential([layers.Flatten(), layers.Dense(1)]),
        )
    )


@group.works("its sampled average draws what its generator draws at inference")
def batch_normalization_average():
    """Batch normalisation in both networks, and no average over steps."""
    end = [layers.BatchNormalization(), layers.Activation("tanh")]
    networks = generator(*end), discriminator(layers.BatchNormalization())
    gan = compiled(*networks, model={"ema_decay": 0.0})
    learns = trains(gan, expected=None)
    latents = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")
    drawn = gan.predict(latents, verbose=0)
    return learns and np.allclose(drawn, gan.generator(latents), atol=1e-5)


@group.works("both learn")
def spectral_normalization():
    """Keras's spectral normalisation, which changes the kernel as it is called."""
    normalized = layers.SpectralNormalization(layers.Dense(64))
    return trains(compiled(generator(normalized)), expected=None)


@group.works("as many logits as images, of both sides")
def dropout_and_noise():
    """Dropout and Gaussian noise in both networks; samples of one seed are equal."""
    networks = generator(layers.Dropout(0.5)), discriminator(layers.GaussianNoise(1.0))
    gan = compiled(*networks)
    learns = trains(gan, expected=None)
    return learns and np.array_equal(gan.sample(3, seed=1), gan.sample(3, seed=1))


@group.works("an untrained average draws what its generator draws")
def normalization_invert():
    """A generator that ends on an adapted, inverted Normalization."""
    gan = compiled(generator(normalization(9.0, 300.0, invert=True)))
    latents = np.ones((2, 4), "float32")
    return np.allclose(gan.predict(latents, verbose=0), gan.generator(latents))


@group.works("the penalty of the discriminator's weights is logged and descended")
def kernel_regularizer():
    """A discriminator whose kernel has an L2 regularizer."""
    kernel = layers.Dense(1, kernel_regularizer=keras.regularizers.L2(10.0))
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), kernel])
    gan = compiled(discriminating=network, optimizers=(*_rates(0.0, 1e-3),))
    before = kernel.kernel.numpy()
    logs = gan.fit(IMAGES, **FIT).history
    shrunk = np.abs(kernel.kernel.numpy()).sum() < np.abs(before).sum()
    return shrunk and np.isclose(logs["d_regularization"][0], 10 * (before**2).sum())


@group.works("the penalty of what the generator gives is logged")
def activity_regularizer():
    """A generator whose layer has an activity regularizer."""
    gan = compiled(generator(layers.ActivityRegularization(l2=10.0)))
    values = gan.generator(gan.training_latents(16))
    expected = 10.0 * float(ops.sum(values**2)) / 16
    logs = gan.fit(IMAGES, **FIT).history
    return np.isclose(logs["g_regularization"][0], expected, rtol=1e-4)


@group.works("it is logged for each network that holds it")
def add_loss():
    """Own layers that call `add_loss`, in both networks."""
    logs = compiled(generator(Adding()), discriminator(Adding())).fit(IMAGES, **FIT)
    generating, discriminating = (
        logs.history[f"{key}_regularization"][0] for key in "gd"
    )
    return generating == 3.0 and discriminating in (3.0, 6.0)


@group.refused("set its `trainable` to True")
def frozen_discriminator():
    """A discriminator with `trainable = False`, as older GAN code has it."""
    network = discriminator()
    network.trainable = False
    compiled(discriminating=network)


@group.refused("set its `trainable` to True")
def frozen_generator():
    """A generator all of whose layers are frozen."""
    network = generator()
    for layer in network.layers:
        layer.trainable = False
    compiled(network)


@group.works("the frozen layer stays as it is, the rest learns")
def partly_frozen():
    """A discriminator whose first layer is frozen, as in transfer learning."""
    first = layers.Conv2D(2, 3)
    network = discriminator(first)
    first.trainable = False
    before = first.kernel.numpy()
    learns = trains(compiled(discriminating=network))
    return learns and np.array_equal(first.kernel.numpy(), before)


@group.refused("call compile again")
def frozen_after_compile():
    """A layer that is frozen after `compile`."""
    gan = compiled(discriminating=discriminator(layers.Conv2D(2, 3)))
    gan.discriminator.layers[0].trainable = False
    gan.fit(IMAGES, **FIT)


@group.works("it is trained by both, and a loaded GAN shares it still")
def layer_in_both():
    """One layer in both networks."""
    from citizen_cases.case import new_path

    shared = layers.Dense(4)
    latents, values = keras.Input((8,)), keras.Input((8,))
    gan = compiled(
        keras.Model(latents, layers.Dense(8)(shared(latents))),
        keras.Model(values, layers.Dense(1)(shared(values))),
    )
    path = new_path("gan.keras")
    gan.save(path)
    loaded = keras.saving.load_model(path)
    return loaded.generator.get_layer(shared.name) is loaded.discriminator.get_layer(
        shared.name
    )


def _rates(*rates: float) -> list[keras.optimizers.Optimizer]:
    return [keras.optimizers.SGD(rate) for rate in rates]
