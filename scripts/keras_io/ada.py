"""keras.io's GAN with adaptive discriminator augmentation, for few images.

    python scripts/keras_io/ada.py
    python scripts/keras_io/ada.py --quick    # a step or two

Networks and rates are those of keras.io/examples/generative/gan_ada, one level
smaller: 1,000 images of Fashion-MNIST, padded to 32 pixels, in place of birds of 64.
The example has 301 lines of code, 29 of them networks; here it is 30, of which 16
are networks. Its augmenter, average, metrics and `train_step`, 150 lines, are ganlab's.

`"ada"` is the pipeline of the paper's code, with colours. Its probability, in the log
as `augment_probability`, follows the discriminator's sign on real images to 0.6: that
is the example's accuracy of 0.8.
"""

import sys

import keras
import numpy as np
from keras import layers

import ganlab

QUICK = "--quick" in sys.argv
STRIDED = {"strides": 2, "padding": "same"}

latents = keras.Input((64,))
x = layers.Dense(4 * 4 * 128, use_bias=False)(latents)
x = layers.ReLU()(layers.BatchNormalization(scale=False)(x))
x = layers.Reshape((4, 4, 128))(x)
for _ in range(2):
    x = layers.Conv2DTranspose(128, 4, use_bias=False, **STRIDED)(x)
    x = layers.ReLU()(layers.BatchNormalization(scale=False)(x))
x = layers.Conv2DTranspose(1, 4, activation="sigmoid", **STRIDED)(x)
generator = keras.Model(latents, x)

image = keras.Input((32, 32, 1))
x = image
for _ in range(3):
    x = layers.Conv2D(128, 4, use_bias=False, **STRIDED)(x)
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization(scale=False)(x))
x = layers.Dropout(0.4)(layers.Flatten()(x))
discriminator = keras.Model(image, layers.Dense(1)(x))

images, _ = ganlab.load_data("fashion_mnist").take(128 if QUICK else 1000)
images = np.pad((images + 1) / 2, ((0, 0), (2, 2), (2, 2), (0, 0)))

gan = ganlab.GAN(generator, discriminator, ema_decay=0.99)
adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
gan.compile(*adams, augmentation="ada")
gan.fit(images, batch_size=64, epochs=1 if QUICK else 200)
ganlab.export_generator(gan, "runs/keras_io/ada")
