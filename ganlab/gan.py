"""How are the two players trained against each other?"""

import keras
import tensorflow as tf
from keras import ops

from ganlab import ema, losses, samples
from ganlab.errors import UserError


@keras.saving.register_keras_serializable(package="ganlab")
class GAN(keras.Model):
    """A generator and a discriminator that train against each other in `fit`.

    Each `train_step` draws latents `z ~ N(0, I)`, one fake image per real one,
    and updates both players from the same forward pass:

        D descends  loss.discriminator(D(x), D(G(z)))
        G descends  loss.generator(D(x), D(G(z)))

    and then moves the averaged generator a little towards the generator. The
    averaged generator is what `call`, `predict` and `sample` draw from.

    The latents are a pure function of `seed` and the step, so a model saved
    and loaded in mid-training goes on exactly where it was.

    Args:
        generator: Functional or Sequential `keras.Model` from latents `(batch,
            latent_dim)`, or from `[latents, labels]`, to images.
        discriminator: Functional or Sequential `keras.Model` from images, or
            from `[images, labels]`, to raw logits `(batch, 1)`. Real is the
            positive side.
        num_classes: Integer if the players take labels, otherwise `None`.
        ema_decay: Float in [0, 1). Weight of the past in the averaged
            generator. Defaults to `0.999`.
        seed: Integer, 0 or more. Seeds the latents of training.
        name: String.

    Example:

    >>> from ganlab import networks
    >>> gan = GAN(networks.dcgan_generator(base_filters=8),
    ...           networks.dcgan_discriminator(base_filters=8))
    >>> gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...             keras.optimizers.Adam(2e-4, beta_1=0.5))
    >>> gan.sample(4, seed=0).shape
    (4, 28, 28, 1)

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661)
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        num_classes=None,
        ema_decay=0.999,
        seed=0,
        name="gan",
    ):
        super().__init__(name=name)
        _check_players(generator, discriminator, num_classes)
        if not 0.0 <= ema_decay < 1.0:
            raise UserError(
                "Expected an EMA decay of 0 or more and under 1. "
                f"Received: ema_decay={ema_decay}"
            )
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = ema.averaged_copy(generator)
        self.num_classes = num_classes
        self.ema_decay = ema_decay
        self.seed = seed
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="step",
        )
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in (
                "d_loss",
                "g_loss",
                "d_real",
                "d_fake",
                "d_accuracy_real",
                "d_accuracy_fake",
                "d_gradient_norm",
                "g_gradient_norm",
            )
        }
        self.built = True

    @property
    def latent_dim(self):
        """Size of the noise vector."""
        return self.generator.inputs[0].shape[-1]

    @property
    def image_shape(self):
        """Shape `(height, width, channels)` of one image."""
        return tuple(self.generator.output_shape[1:])

    @property
    def metrics(self):
        return list(self.trackers.values())

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        loss="non_saturating",
        discriminator_steps=1,
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Says how both players are trained.

        If either player computes in float16, both optimizers are wrapped in
        `keras.optimizers.LossScaleOptimizer`. Keras callbacks that know one
        optimizer, such as `LearningRateScheduler`, see the generator's.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer` or its name.
            discriminator_optimizer: Likewise, and not the same object.
            loss: A name of `ganlab.losses.LOSSES` or an `AdversarialLoss`.
            discriminator_steps: Integer, the `k` of the paper's algorithm 1.
                Each batch is cut into `k` equal parts, and the discriminator
                takes one step on each; the generator takes one step on the
                last. So pass batches of `k` times the size.
            run_eagerly: See `keras.Model.compile`.
            steps_per_execution: See `keras.Model.compile`.
            jit_compile: See `keras.Model.compile`; `"auto"` is never XLA on a
                CPU, where the convolutions' gradients run far slower in it.
        """
        if discriminator_steps < 1:
            raise UserError(
                "Expected 1 discriminator step or more. "
                f"Received: discriminator_steps={discriminator_steps}"
            )
        self.generator_optimizer = self._prepared(
            generator_optimizer, self.generator.trainable_variables
        )
        self.discriminator_optimizer = self._prepared(
            discriminator_optimizer, self.discriminator.trainable_variables
        )
        if self.generator_optimizer is self.discriminator_optimizer:
            raise UserError(
                "Expected two optimizers. Received the same object twice; an "
                "optimizer keeps state for one player"
            )
        self.adversarial_loss = losses.get(loss)
        self.discriminator_steps = discriminator_steps
        super().compile(
            optimizer=self.generator_optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )

    def _prepared(self, optimizer, variables):
        optimizer = keras.optimizers.get(optimizer)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        layers = self.generator.layers + self.discriminator.layers
        if not scaled and any(layer.compute_dtype == "float16" for layer in layers):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(variables)
        return optimizer

    def call(self, inputs, training=False):
        """Draws from the averaged generator.

        Args:
            inputs: Latents `(batch, latent_dim)`, or `[latents, labels]`.
            training: Boolean. Batch statistics are never used here.

        Returns:
            Images `(batch, height, width, channels)` in float32.
        """
        return self.ema_generator(inputs, training=False)

    def sample(self, num_images=64, seed=0, labels=None, truncation=None):
        """Draws images from the averaged generator for a seed.

        Args:
            num_images: Integer, 1 or more.
            seed: Integer, 0 or more. The same seed draws the same images as
                `ganlab sample` does from the exported generator.
            labels: Integers `(num_images,)`; by default each class in turn.
            truncation: See `ganlab.samples.draw_latents`.

        Returns:
            Uint8 array `(num_images, height, width, channels)`.
        """
        latents = samples.draw_latents(num_images, self.latent_dim, seed, truncation)
        inputs = latents
        if self.num_classes is not None:
            labels = samples.class_labels(num_images, self.num_classes, labels)
            inputs = [latents, labels]
        return samples.to_uint8(self.predict(inputs, batch_size=64, verbose=0))

    def train_step(self, data):
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        image_parts = ops.split(images, self.discriminator_steps)
        label_parts = image_parts
        if self.num_classes is not None:
            _check_labels(labels)
            label_parts = ops.split(labels, self.discriminator_steps)
        for part, (real, classes) in enumerate(
            zip(image_parts, label_parts, strict=True)
        ):
            last = part == self.discriminator_steps - 1
            logs = self._play(real, classes, part, train_generator=last)
        self._average_generator()
        self.step.assign_add(1)
        return self._track(logs)

    def test_step(self, data):
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        latents = self._draw_latents(ops.shape(images)[0], part=0)
        fake_images = self._forward(self.generator, latents, labels, training=False)
        return self._track(self._judge(images, fake_images, labels, training=False))

    def _play(self, real_images, labels, part, train_generator):
        """One discriminator step and, from the same pass, one generator step."""
        latents = self._draw_latents(ops.shape(real_images)[0], part)
        sides = [("d", self.discriminator, self.discriminator_optimizer)]
        if train_generator:
            sides.append(("g", self.generator, self.generator_optimizer))
        with tf.GradientTape(persistent=True) as tape:
            fake_images = self._forward(self.generator, latents, labels, training=True)
            logs = self._judge(real_images, fake_images, labels, training=True)
            scaled = {
                key: self._scaled(logs[f"{key}_loss"], optimizer)
                for key, _, optimizer in sides
            }
        gradients = {
            key: tape.gradient(scaled[key], player.trainable_variables)
            for key, player, _ in sides
        }
        for key, player, optimizer in sides:
            norm = tf.linalg.global_norm(gradients[key])
            logs[f"{key}_gradient_norm"] = norm / self._scaled(1.0, optimizer)
            optimizer.apply(gradients[key], player.trainable_variables)
        return logs

    def _judge(self, real_images, fake_images, labels, training):
        """Both losses, and how well the discriminator tells real from fake."""
        real = self._forward(self.discriminator, real_images, labels, training)
        fake = self._forward(self.discriminator, fake_images, labels, training)
        real, fake = losses.as_float32(real), losses.as_float32(fake)
        return {
            "d_loss": self.adversarial_loss.discriminator(real, fake),
            "g_loss": self.adversarial_loss.generator(real, fake),
            "d_real": ops.mean(ops.sigmoid(real)),
            "d_fake": ops.mean(ops.sigmoid(fake)),
            "d_accuracy_real": ops.mean(ops.cast(real > 0, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(fake < 0, "float32")),
        }

    def _forward(self, player, inputs, labels, training):
        if self.num_classes is None:
            return player(inputs, training=training)
        return player([inputs, labels], training=training)

    def _draw_latents(self, num_images, part):
        """Noise that is a function of seed, step, part and replica alone."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        stream = tf.random.experimental.stateless_fold_in(
            ops.stack([ops.cast(self.seed, "int64"), ops.cast(self.step, "int64")]),
            tf.cast(replica * self.discriminator_steps + part, "int64"),
        )
        return tf.random.stateless_normal((num_images, self.latent_dim), stream)

    def _scaled(self, loss, optimizer):
        """Loss times loss scale, over the replicas whose gradients are summed."""
        replicas = self.distribute_strategy.num_replicas_in_sync
        return optimizer.scale_loss(ops.convert_to_tensor(loss)) / replicas

    def _average_generator(self):
        decay = ema.decay_at(self.step, self.ema_decay)
        averages, weights = self.ema_generator.weights, self.generator.weights
        for average, weight in zip(averages, weights, strict=True):
            average.assign(ema.averaged_value(average, weight, decay))

    def _track(self, logs):
        for name, value in logs.items():
            weight = None
            if name.endswith("gradient_norm"):
                # Loss scaling skips a step whose gradient overflows.
                finite = ops.isfinite(value)
                value, weight = ops.where(finite, value, 0.0), finite
            self.trackers[name].update_state(value, sample_weight=weight)
        return {name: self.trackers[name].result() for name in logs}

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "num_classes": self.num_classes,
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for player in ("generator", "discriminator"):
            config[player] = keras.saving.deserialize_keras_object(
                config[player], custom_objects=custom_objects
            )
        return cls(**config)

    def get_compile_config(self):
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            "loss": serialize(self.adversarial_loss),
            "discriminator_steps": self.discriminator_steps,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        config = dict(config)
        for key in ("generator_optimizer", "discriminator_optimizer", "loss"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        self.compile(**config)


def _check_players(generator, discriminator, num_classes):
    for role, player in (("generator", generator), ("discriminator", discriminator)):
        if not getattr(player, "inputs", None):
            raise UserError(
                f"Expected a functional or built Sequential {role}. Received: "
                f"{player.name!r}, a {type(player).__name__} without inputs; wrap it "
                "as keras.Model(inputs, player(inputs))"
            )
        num_inputs = len(player.inputs)
        expected = 1 if num_classes is None else 2
        if num_inputs != expected:
            raise UserError(
                f"Expected a {role} of {expected} input(s) for "
                f"num_classes={num_classes}. Received: {num_inputs}; build both "
                "players and the GAN with the same num_classes"
            )
    drawn = tuple(generator.output_shape[1:])
    judged = tuple(discriminator.inputs[0].shape[1:])
    if drawn != judged:
        raise UserError(
            "Expected the discriminator to take what the generator draws, "
            f"{drawn}. Received: a discriminator of {judged}"
        )


def _check_labels(labels):
    if labels is None:
        raise UserError(
            "Expected batches of (images, labels) for a conditional GAN. "
            "Received: images alone; pass labels as `y` or in the data set"
        )
