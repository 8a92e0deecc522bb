"""keras.io's DCGAN: two networks in plain Keras, trained by `fit`, and exported.

    python scripts/keras_io/dcgan.py
    python scripts/keras_io/dcgan.py --quick    # a step or two

Networks and rates are those of keras.io/examples/generative
/dcgan_overriding_train_step. The example has 100 lines of code, 26 of them networks;
here it is 30, of which 17 are networks. Its `train_step`, 37 lines, and its callback
are ganlab's. Other than there, both networks learn from the same fake images.

The generator ends on a sigmoid, so real images are scaled to [0, 1]: ganlab reads the
generator's range, and refuses images of another.
"""

import sys

import keras
from keras import layers

import ganlab

QUICK = "--quick" in sys.argv
STRIDED = {"strides": 2, "padding": "same", "activation": "leaky_relu"}

generator = keras.Sequential(
    [
        keras.Input((128,)),
        layers.Dense(7 * 7 * 128, "leaky_relu"),
        layers.Reshape((7, 7, 128)),
        layers.Conv2DTranspose(128, 4, **STRIDED),
        layers.Conv2DTranspose(128, 4, **STRIDED),
        layers.Conv2D(1, 7, padding="same", activation="sigmoid"),
    ]
)
discriminator = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(64, 3, **STRIDED),
        layers.Conv2D(128, 3, **STRIDED),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1),
    ]
)
images, _ = ganlab.load_data("fashion_mnist").take(128 if QUICK else 60_000)

gan = ganlab.GAN(generator, discriminator)
gan.compile(keras.optimizers.Adam(3e-4), keras.optimizers.Adam(3e-4))
gan.fit((images + 1) / 2, batch_size=64, epochs=1 if QUICK else 30)
ganlab.export_generator(gan, "runs/keras_io/dcgan")
