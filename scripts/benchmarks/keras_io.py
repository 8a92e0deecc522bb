"""keras.io's DCGAN example, a contender of several benchmarks."""

import keras
import tensorflow as tf
from keras import layers

LATENT_DIM = 128


def networks(
    side: int, channels: int, doublings: int = 3
) -> tuple[keras.Sequential, keras.Sequential]:
    """The example's generator and discriminator, for images of another size as well.

    Args:
        side: Integer: side of the images in pixels, which the doublings divide.
        channels: Integer.
        doublings: Integer: how often the generator enlarges; 3 in the example.
    """
    strided = {"strides": 2, "padding": "same"}
    discriminator = keras.Sequential([keras.Input((side, side, channels))])
    for filters in (64, 128, 128):
        discriminator.add(layers.Conv2D(filters, 4, **strided))
        discriminator.add(layers.LeakyReLU(negative_slope=0.2))
    discriminator.add(layers.Flatten())
    discriminator.add(layers.Dropout(0.2))
    discriminator.add(layers.Dense(1, activation="sigmoid"))
    start = side >> doublings
    generator = keras.Sequential([keras.Input((LATENT_DIM,))])
    generator.add(layers.Dense(start * start * 128))
    generator.add(layers.Reshape((start, start, 128)))
    for doubling in range(doublings):
        generator.add(layers.Conv2DTranspose(128 << doubling, 4, **strided))
        generator.add(layers.LeakyReLU(negative_slope=0.2))
    generator.add(layers.Conv2D(channels, 5, padding="same", activation="sigmoid"))
    return generator, discriminator


def example(
    generator: keras.Model,
    discriminator: keras.Model,
    loss: keras.losses.Loss,
    relativistic: bool = False,
) -> keras.Model:
    """keras.io/examples/generative/dcgan_overriding_train_step, compiled.

    Both networks run twice a step; the discriminator takes real and fake images
    joined, against labels with noise.

    Args:
        generator: `keras.Model` from latents to images.
        discriminator: `keras.Model` from images to what `loss` takes.
        loss: `keras.losses.BinaryCrossentropy`.
        relativistic: Boolean: the relativistic losses in its place, with R1 and R2 at
            every fourth step.
    """

    class Example(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = generator, discriminator
            self.latent_dim = generator.input_shape[-1]
            self.built = True

        def compile(self):
            super().compile()
            self.d_optimizer = keras.optimizers.Adam(1e-4)
            self.g_optimizer = keras.optimizers.Adam(1e-4)
            self.d_mean = keras.metrics.Mean(name="d_loss")
            self.g_mean = keras.metrics.Mean(name="g_loss")

        @property
        def metrics(self):
            return [self.d_mean, self.g_mean]

        def discriminate(self, fake, real):
            """The discriminator's loss; real images are on the lower side."""
            joined = tf.concat([fake, real], axis=0)
            outputs = self.discriminator(joined, training=True)
            count = tf.shape(real)[0]
            if relativistic:
                margin = outputs[count:] - outputs[:count]
                return tf.reduce_mean(tf.nn.softplus(margin)), outputs
            labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            labels += 0.05 * tf.random.uniform(tf.shape(labels))
            return loss(labels, outputs), outputs

        def penalty(self, fake, real):
            """R1 and R2: mean squared gradient norm over fake and real images."""
            joined = tf.concat([fake, real], axis=0)
            with tf.GradientTape() as tape:
                tape.watch(joined)
                total = tf.reduce_sum(self.discriminator(joined, training=True))
            squares = tf.square(tape.gradient(total, joined))
            return tf.reduce_mean(tf.reduce_sum(squares, axis=[1, 2, 3]))

        def d_gradients(self, fake, real, penalized):
            weights = self.discriminator.trainable_weights
            with tf.GradientTape() as tape:
                d_loss, _ = self.discriminate(fake, real)
                if penalized:
                    d_loss += 2.0 * self.penalty(fake, real)
            return d_loss, tape.gradient(d_loss, weights)

        def train_step(self, real):
            count = tf.shape(real)[0]
            fake = self.generator(
                tf.random.normal((count, self.latent_dim)), training=True
            )
            if relativistic:
                d_loss, gradients = tf.cond(
                    self.d_optimizer.iterations % 4 == 0,
                    lambda: self.d_gradients(fake, real, True),
                    lambda: self.d_gradients(fake, real, False),
                )
            else:
                d_loss, gradients = self.d_gradients(fake, real, False)
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            latents = tf.random.normal((count, self.latent_dim))
            with tf.GradientTape() as tape:
                fake = self.generator(latents, training=True)
                if relativistic:
                    _, outputs = self.discriminate(fake, real)
                    margin = outputs[:count] - outputs[count:]
                    g_loss = tf.reduce_mean(tf.nn.softplus(margin))
                else:
                    outputs = self.discriminator(fake, training=True)
                    g_loss = loss(tf.zeros((count, 1)), outputs)
            weights = self.generator.trainable_weights
            gradients = tape.gradient(g_loss, weights)
            self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            self.d_mean.update_state(d_loss)
            self.g_mean.update_state(g_loss)
            return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result()}

    model = Example()
    model.compile()
    return model
