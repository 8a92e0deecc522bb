"""keras.io's conditional GAN: classes as inputs, in any form that a network takes.

    python scripts/keras_io/conditional.py
    python scripts/keras_io/conditional.py --quick    # a step or two

Networks and rates are those of keras.io/examples/generative/conditional_gan. The
example has 152 lines of code, 26 of them networks; here it is 27, of which 14 are
networks. Its `train_step`, 50 lines, is ganlab's.

The generator takes the class as a one-hot row beside the latents, the discriminator as
ten more channels: ganlab makes both from the class number. The exported generator is
asked for classes by name, as `ganlab sample ARTIFACT --label Bag`.
"""

import sys

import keras
from keras import layers

import ganlab

QUICK = "--quick" in sys.argv
STRIDED = {"strides": 2, "padding": "same", "activation": "leaky_relu"}

latents, row = keras.Input((128,)), keras.Input((10,), name="class_row")
x = layers.Concatenate()([latents, row])
x = layers.Dense(7 * 7 * 138, "leaky_relu")(x)
x = layers.Reshape((7, 7, 138))(x)
x = layers.Conv2DTranspose(128, 4, **STRIDED)(x)
x = layers.Conv2DTranspose(128, 4, **STRIDED)(x)
x = layers.Conv2D(1, 7, padding="same", activation="sigmoid")(x)
generator = keras.Model([latents, row], x)

image, channels = keras.Input((28, 28, 1)), keras.Input((28, 28, 10), name="class_map")
x = layers.Concatenate()([image, channels])
x = layers.Conv2D(64, 3, **STRIDED)(x)
x = layers.Conv2D(128, 3, **STRIDED)(x)
x = layers.GlobalMaxPooling2D()(x)
discriminator = keras.Model([image, channels], layers.Dense(1)(x))

data = ganlab.load_data("fashion_mnist")
images, labels = data.take(128 if QUICK else 60_000)

gan = ganlab.GAN(generator, discriminator, num_classes=10)
gan.compile(keras.optimizers.Adam(3e-4), keras.optimizers.Adam(3e-4))
gan.fit((images + 1) / 2, labels, batch_size=64, epochs=1 if QUICK else 20)
names = list(data.class_names)
ganlab.export_generator(gan, "runs/keras_io/conditional", class_names=names)
