"""keras.io's WGAN-GP: a critic, its gradient penalty, and three steps to one.

    python scripts/keras_io/wgan_gp.py
    python scripts/keras_io/wgan_gp.py --quick    # a step or two

Networks, rates and weights are those of keras.io/examples/generative/wgan_gp. The
example has 250 lines of code, 133 of them networks; here it is 35, of which 18 are
networks. Its losses, penalty and `train_step`, 69 lines, are ganlab's.

A batch is cut into one part for each of the critic's steps, where the example takes
three steps on the same images; so batches are three times as large. Points between
real and fake images are drawn uniformly, as in the paper.
"""

import sys

import keras
from keras import layers

import ganlab

QUICK = "--quick" in sys.argv
ADAM = {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.9}

latents = keras.Input((128,))
x = layers.Dense(4 * 4 * 256, use_bias=False)(latents)
x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
x = layers.Reshape((4, 4, 256))(x)
for filters in (128, 64, 1):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(
        layers.UpSampling2D()(x)
    )
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU(0.2)(x) if filters > 1 else layers.Activation("tanh")(x)
generator = keras.Model(latents, layers.Cropping2D(2)(x))

image = keras.Input((28, 28, 1))
x = layers.ZeroPadding2D(2)(image)
for filters, rate in ((64, 0.0), (128, 0.3), (256, 0.3), (512, 0.0)):
    x = layers.Conv2D(filters, 5, 2, padding="same", activation="leaky_relu")(x)
    x = layers.Dropout(rate)(x)
x = layers.Dropout(0.2)(layers.Flatten()(x))
critic = keras.Model(image, layers.Dense(1)(x))

images, _ = ganlab.load_data("fashion_mnist").take(192 if QUICK else 60_000)
gan = ganlab.GAN(generator, critic)
gan.compile(
    keras.optimizers.Adam(**ADAM),
    keras.optimizers.Adam(**ADAM),
    loss="wasserstein",
    regularizers="gradient_penalty",
    discriminator_steps=3,
)
gan.fit(images, batch_size=192, epochs=1 if QUICK else 20)
ganlab.export_generator(gan, "runs/keras_io/wgan_gp")
