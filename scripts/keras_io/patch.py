"""keras.io's patch discriminator, of its CycleGAN, with a generator from noise.

    python scripts/keras_io/patch.py
    python scripts/keras_io/patch.py --quick    # a step or two

Discriminator, loss and rates are those of keras.io/examples/generative/cyclegan, with
a quarter of its filters; the generator has its last blocks, after latents in place of
a picture. The example has about 380 lines of code, for two pairs of networks and their
cycle; here it is 26.

The discriminator gives one logit for each of 8 by 8 patches. All losses take logits of
any shape: a mean over patches, and over images.
"""

import sys

import keras
from keras import layers

import ganlab

QUICK = "--quick" in sys.argv


def block(kind: type, filters: int, size: int, strides: int, x: keras.KerasTensor):
    """A convolution, instance normalisation and its activation."""
    x = kind(filters, size, strides, padding="same", use_bias=False)(x)
    return layers.LeakyReLU(0.2)(layers.GroupNormalization(-1)(x))


latents = keras.Input((64,))
x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64)(latents))
for filters in (32, 16):
    x = block(layers.Conv2DTranspose, filters, 3, 2, x)
x = layers.Conv2D(1, 7, padding="same", activation="tanh")(x)
generator = keras.Model(latents, x)

image = keras.Input((28, 28, 1))
x = layers.Conv2D(16, 4, 2, padding="same", activation="leaky_relu")(image)
for filters, strides in ((32, 2), (64, 1), (128, 1)):
    x = block(layers.Conv2D, filters, 4, strides, x)
discriminator = keras.Model(image, layers.Conv2D(1, 4, padding="same")(x))

images, _ = ganlab.load_data("fashion_mnist").take(128 if QUICK else 60_000)
gan = ganlab.GAN(generator, discriminator)
adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
gan.compile(*adams, loss="least_squares")
gan.fit(images, batch_size=64, epochs=1 if QUICK else 20)
ganlab.export_generator(gan, "runs/keras_io/patch")
