"""How are the two players trained against each other?"""

import dataclasses
import functools

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab import pictures, sampling
from ganlab.errors import UserError, unknown_name
from ganlab.models import ema, forward
from ganlab.networks import precision
from ganlab.objectives import augmentation as augmentations
from ganlab.objectives import losses
from ganlab.objectives import regularizers as kit

NUMBERS = (
    "d_loss",
    "g_loss",
    "d_real",
    "d_fake",
    "d_accuracy_real",
    "d_accuracy_fake",
    "d_gradient_norm",
    "g_gradient_norm",
)
UPDATES = ("simultaneous", "alternating")
LATENTS, AUGMENTATION, NOISE, PENALTY = range(4)  # what a step draws


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
            from `[images, labels]`, to raw logits `(batch, 1)`; real is the
            positive side. Or from images to `[logits, class_logits]`, which
            makes it an auxiliary classifier (AC-GAN).
        num_classes: Integer if the players take labels, otherwise `None`.
        packing: Integer `m`, 1 or more. The discriminator judges `m` samples
            at once, joined along the last axis, so its input has `m` times
            the generator's channels and a batch holds a multiple of `m`. A
            collapsed generator gives itself away by samples that are alike.
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
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661);
        [Lin et al., 2017 (PacGAN)](https://arxiv.org/abs/1712.04086);
        [Odena et al., 2016 (AC-GAN)](https://arxiv.org/abs/1610.09585)
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        num_classes=None,
        packing=1,
        ema_decay=0.999,
        seed=0,
        name="gan",
    ):
        super().__init__(name=name)
        if packing < 1:
            raise UserError(f"Expected packing of 1 or more. Received: {packing}")
        forward.check_networks(generator, discriminator, num_classes, packing)
        if not 0.0 <= ema_decay < 1.0:
            raise UserError(
                "Expected an EMA decay of 0 or more and under 1. "
                f"Received: ema_decay={ema_decay}"
            )
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = ema.averaged_copy(generator)
        self.num_classes = num_classes
        self.packing = packing
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
        self.trackers = {}
        self.built = True

    @property
    def latent_dim(self):
        """Size of the noise vector."""
        return self.generator.inputs[0].shape[-1]

    @property
    def image_shape(self):
        """Shape `(height, width, channels)` of one image, or `(2,)` of a point."""
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
        regularizers=None,
        augmentation=None,
        instance_noise=0.0,
        class_weight=1.0,
        loss_scaling=True,
        updates="simultaneous",
        recompute=False,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Says how both players are trained.

        If either player computes in float16, both optimizers are wrapped in
        `keras.optimizers.LossScaleOptimizer`. Keras callbacks that know one
        optimizer, such as `LearningRateScheduler`, see the generator's.

        Batches that do not fit into memory are cut up by the optimizers: with
        `gradient_accumulation_steps=n` on both, each moves its player once in `n`
        steps by the mean of their gradients, and the averaged generator follows then.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer` or its name.
            discriminator_optimizer: Likewise, and not the same object.
            loss: A name of `ganlab.losses.LOSSES` or an `AdversarialLoss`.
            discriminator_steps: Integer, the `k` of the paper's algorithm 1.
                Each batch is cut into `k` equal parts, and the discriminator
                takes one step on each; the generator takes one step on the
                last. So pass batches of `k` times the size.
            regularizers: Names of `ganlab.regularizers.REGULARIZERS` joined by
                `+`, such as `"r1+r2"`, a `Regularizer`, or a list of either.
            augmentation: A name of `ganlab.augmentation.AUGMENTATIONS` or an
                `Augmentation`, applied to all that the discriminator sees.
            instance_noise: Float, or a function of the step from
                `keras.optimizers.schedules`: standard deviation of Gaussian
                noise on all that the discriminator sees, on the scale of
                images in [-1, 1].
            class_weight: Float. Weight of the auxiliary classifier's
                cross-entropy, where there is one: on real images in the
                discriminator's loss, on fake ones in the generator's.
            loss_scaling: Boolean. `False` leaves losses unscaled in float16, where
                small gradients round to 0.
            updates: `"simultaneous"`: both players move from where they stand, and
                one backward pass through the discriminator serves both if each
                sample is judged alone. Or `"alternating"`: the generator meets
                the discriminator that has just moved, for one more pass.
            recompute: Boolean. `True` draws the fake images once more when the
                generator's gradient is due, instead of keeping its maps while the
                discriminator trains: a third less memory, for a tenth more time.
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
        self.loss_scaling = loss_scaling
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
        replicas = self.distribute_strategy.num_replicas_in_sync
        accumulated = max(
            _accumulated(self.generator_optimizer),
            _accumulated(self.discriminator_optimizer),
        )
        if replicas > 1 and accumulated > 1:
            raise UserError(
                "Expected gradient accumulation on one device, for Keras's optimizers "
                f"cannot on several. Received: gradient_accumulation_steps="
                f"{accumulated} on {replicas} devices; leave it out"
            )
        self.adversarial_loss = losses.get(loss)
        self.regularizers = kit.get(regularizers)
        self.augmentation = augmentations.get(augmentation)
        if self.augmentation is not None and len(self.image_shape) != 3:
            raise UserError(
                "Expected augmentation of images alone. Received: a generator of "
                f"{self.image_shape}; leave augmentation out"
            )
        self.instance_noise = instance_noise
        self.class_weight = class_weight
        self.discriminator_steps = discriminator_steps
        if updates not in UPDATES:
            raise unknown_name("updates", updates, UPDATES)
        self.updates = updates
        self.recompute = recompute
        self._critic = forward.stateless_discriminator(
            self.discriminator,
            any(each.needs_input_gradients for each in self.regularizers),
        )
        computes_in = functools.partial(forward.computes_in, self.discriminator)
        self._alone = forward.is_per_sample(self.discriminator)
        self._one_stage = (
            self._alone and not self.auxiliary and not computes_in("float16")
        )
        self._shares_slopes = (
            self._alone
            and not computes_in("float16", "bfloat16")
            and any(each.at_batch_inputs for each in self.regularizers)
        )
        names = [*NUMBERS]
        if self._penalties():
            names.append("d_penalty")
        if self.auxiliary:
            names += ["d_class_loss", "g_class_loss"]
        if self.augmentation is not None and self.augmentation.adapts:
            names.append("augment_probability")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
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
        wanted = self.loss_scaling and not scaled
        if wanted and any(layer.compute_dtype == "float16" for layer in layers):
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
            truncation: See `ganlab.sampling.sample_latents`.

        Returns:
            Uint8 array `(num_images, height, width, channels)`, or float32
            `(num_images, 2)` where the generator draws points.
        """
        inputs = [
            sampling.sample_latents(num_images, self.latent_dim, seed, truncation)
        ]
        if self.num_classes is not None:
            inputs.append(sampling.class_labels(num_images, self.num_classes, labels))
        points = len(self.image_shape) == 1
        size = 1024 if points else 64

        def batch(first):
            some = [each[first : first + size] for each in inputs]
            return self.predict_on_batch(some if len(some) > 1 else some[0])

        drawn = np.concatenate([batch(k) for k in range(0, num_images, size)])
        return drawn if points else pictures.to_uint8(drawn)

    def train_step(self, data):
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        image_parts = ops.split(images, self.discriminator_steps)
        label_parts = image_parts
        if self.num_classes is not None:
            forward.check_labels(labels)
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
        fake_images = forward.call(self.generator, latents, labels, training=False)
        sides = [forward.pack(each, self.packing) for each in (images, fake_images)]
        logs, _, _ = self._judge(*sides, labels, training=False)
        return self._track(logs)

    def _play(self, real_images, labels, part, train_generator):
        """One discriminator step and, from the same fake images, one generator step."""
        latents = self._draw_latents(ops.shape(real_images)[0], part)
        state = self.generator.non_trainable_variables if self.recompute else []
        state = [(variable, tf.identity(variable)) for variable in state]
        fake_images, drawing = self._draw(latents, labels, part)
        shown = (self._shown(real_images, part, side=0), fake_images)
        together = train_generator and self.updates == "simultaneous"
        logs, gradients, at_fake, logits = self._discriminate(
            shown, labels, part, together
        )
        real, fake = (
            kit.DiscriminatorOutput(tf.stop_gradient(images), said)
            for images, said in zip(shown, logits, strict=True)
        )
        self._update("d", gradients, logs)
        if train_generator:
            if not together:
                at_fake = self._judge_again(shown, labels, logs)
            if self.recompute:
                with tf.control_dependencies([at_fake]):
                    for variable, value in state:
                        variable.assign(value)  # the second pass moves it likewise
                    latents = tf.identity(latents)
                fake_images, drawing = self._draw(latents, labels, part)
            gradients = drawing.gradient(
                fake_images, self.generator.trainable_variables, at_fake
            )
            self._update("g", gradients, logs)
        for regularizer in self.regularizers:
            regularizer.after_step(self.discriminator, real, fake)
        if self.augmentation is not None:
            margin, _ = self.adversarial_loss.margins(real.logits, fake.logits)
            self.augmentation.after_step(margin)
            if self.augmentation.adapts:
                logs["augment_probability"] = self.augmentation.probability
        return logs

    def _draw(self, latents, labels, part):
        """Fake images as the discriminator sees them, and the tape of their drawing."""
        with tf.GradientTape() as tape:
            images = forward.call(self.generator, latents, labels, training=True)
            return self._shown(images, part, side=1), tape

    def _side(self, key):
        """Player and optimizer for `d` or `g`."""
        if key == "d":
            return self.discriminator, self.discriminator_optimizer
        return self.generator, self.generator_optimizer

    def _update(self, key, gradients, logs):
        player, optimizer = self._side(key)
        norm = ops.cast(tf.linalg.global_norm(gradients), "float32")
        logs[f"{key}_gradient_norm"] = norm / self._scaled(1.0, optimizer)
        optimizer.apply(gradients, player.trainable_variables)

    def _total(self, key, logs):
        """A player's loss, with its part of the auxiliary classifier's."""
        total = logs[f"{key}_loss"]
        if self.auxiliary:
            total += self.class_weight * logs[f"{key}_class_loss"]
        return total

    def _judge_again(self, shown, labels, logs):
        """The generator's gradient at its images under the present discriminator."""
        with tf.GradientTape() as tape:
            tape.watch(shown[1])
            again, _, _ = self._judge(*shown, labels, training=True)
            total = self._scaled(self._total("g", again), self.generator_optimizer)
        logs |= {key: again[key] for key in again if key.startswith("g_")}
        return tape.gradient(total, shown[1])

    def _discriminate(self, shown, labels, part, with_generator):
        """Judges both sides; differentiates in the discriminator's weights.

        Returns:
            Logs; gradients of the discriminator's loss in its weights; gradient of the
            generator's loss at the fake images, `None` without it; the logits.
        """
        every = {each.every for each in self._penalties() if each.needs_input_gradients}
        branch = functools.partial(
            self._differentiate, shown, labels, part, with_generator
        )
        if not every or 1 in every:
            return branch(penalized=bool(every))
        replicas = self.distribute_strategy.num_replicas_in_sync
        if replicas > 1 and self.discriminator.non_trainable_variables:
            # Replicas cannot agree on new state inside a branch: the penalty is
            # computed at every step, and weighs nothing where it is not due.
            return branch(penalized=True)

        def tensors(penalized):
            logs, gradients, at_fake, logits = branch(penalized=penalized)
            variables = self.discriminator.trainable_variables
            gradients = [
                tf.zeros(variable.shape, variable.dtype)
                if gradient is None
                else tf.convert_to_tensor(gradient)
                for gradient, variable in zip(gradients, variables, strict=True)
            ]
            return logs, gradients, () if at_fake is None else at_fake, logits

        step = self._discriminator_step(part)
        due = tf.reduce_any([step % each == 0 for each in every])
        logs, gradients, at_fake, logits = tf.cond(
            due, lambda: tensors(True), lambda: tensors(False)
        )
        return logs, gradients, at_fake if with_generator else None, logits

    def _differentiate(self, shown, labels, part, with_generator, *, penalized):
        variables = self.discriminator.trainable_variables
        optimizer = self.discriminator_optimizer
        shares_slopes = penalized and self._shares_slopes
        penalty, gradients = None, [None, None]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(shown[1])
            with tf.GradientTape() as slopes:
                slopes.watch(shown)
                logs, *sides = self._judge(*shown, labels, training=True)
                logits = [side.logits for side in sides]
            if shares_slopes:
                gradients = slopes.gradient(logits, shown)
            total = self._total("d", logs)
            if self._penalties():
                logs["d_penalty"] = self._penalty(sides, labels, part, False)
                total += logs["d_penalty"]
            total = self._scaled(total, optimizer)
            if penalized:
                known = [
                    dataclasses.replace(side, gradient=gradient)
                    for side, gradient in zip(sides, gradients, strict=True)
                ]
                penalty = self._penalty(known, labels, part, True)
                logs["d_penalty"] += penalty
                penalty = self._scaled(penalty, optimizer)
            if with_generator:
                for_generator = self._scaled(
                    self._total("g", logs), self.generator_optimizer
                )
        if not (with_generator and self._one_stage):
            targets = [total] if penalty is None else [total, penalty]
            found, at_fake = tape.gradient(targets, variables), None
            if with_generator:
                at_fake = tape.gradient(for_generator, shown[1])
            return logs, found, at_fake, logits
        sent = tape.gradient(total, logits)
        factor = tape.gradient(for_generator, logits[1])
        targets, wanted = [*logits], [*variables]
        if penalty is not None:
            targets.append(penalty)
            sent.append(ops.ones_like(penalty))
        if shares_slopes:
            found, at_fake = tape.gradient(targets, wanted, sent), gradients[1]
        else:
            sent[1], factor = forward.shared_direction(sent[1], factor)
            wanted.append(shown[1])
            *found, at_fake = tape.gradient(targets, wanted, sent)
        at_fake *= ops.reshape(factor, kit.per_sample_shape(at_fake))
        return logs, found, at_fake, logits

    def _shown(self, images, part, side):
        """What the discriminator sees of images: augmented, noisy, packed."""
        if self.augmentation is not None:
            stream = self._stream(part, AUGMENTATION, side)
            images = self.augmentation.augment(images, stream)
        if callable(self.instance_noise) or self.instance_noise:
            noise = self.instance_noise
            deviation = noise(self.step) if callable(noise) else noise
            stream = self._stream(part, NOISE, side)
            drawn = tf.random.stateless_normal(ops.shape(images), stream)
            images += ops.cast(deviation * drawn, images.dtype)
        return forward.pack(images, self.packing)

    def _judge(self, real_images, fake_images, labels, training):
        """Both losses, how well real is told from fake, and both sides."""
        if self._alone:
            judged = forward.discriminate_pair(
                self.discriminator, real_images, fake_images, labels, training
            )
        else:
            judged = [
                forward.call(self.discriminator, images, labels, training)
                for images in (real_images, fake_images)
            ]
        logits = [forward.logits_of(outputs) for outputs in judged]
        margins = self.adversarial_loss.margins(*logits)
        logs = {
            "d_loss": self.adversarial_loss.discriminator(*logits),
            "g_loss": self.adversarial_loss.generator(*logits),
            "d_real": ops.mean(ops.sigmoid(margins[0])),
            "d_fake": ops.mean(ops.sigmoid(margins[1])),
            "d_accuracy_real": ops.mean(ops.cast(margins[0] > 0, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(margins[1] < 0, "float32")),
        }
        if self.auxiliary:
            for key, outputs in zip(("d", "g"), judged, strict=True):
                logs[f"{key}_class_loss"] = ops.mean(
                    keras.losses.sparse_categorical_crossentropy(
                        labels, precision.as_float32(outputs[1]), from_logits=True
                    )
                )
        sides = [
            kit.DiscriminatorOutput(tf.stop_gradient(images), said)
            for images, said in zip((real_images, fake_images), logits, strict=True)
        ]
        return logs, *sides

    @property
    def auxiliary(self):
        """Whether the discriminator classifies too."""
        return len(self.discriminator.outputs) == 2

    def _penalties(self):
        """Regularizers that add to the loss."""
        return [each for each in self.regularizers if each.weight]

    def _penalty(self, sides, labels, part, needs_input_gradients):
        """Sum of the weighted penalties of one kind that are due at this step."""
        step = self._discriminator_step(part)

        def critic(images):
            return self._critic(images, labels)

        total = 0.0
        for index, each in enumerate(self._penalties()):
            if each.needs_input_gradients == needs_input_gradients:
                stream = self._stream(part, PENALTY, index)
                penalty = each.penalty(critic, *sides, stream)
                weight = each.weight_at(self.step) * each.every
                for factor in (weight, step % each.every == 0):
                    penalty *= ops.cast(factor, penalty.dtype)
                total += penalty
        return total

    def _discriminator_step(self, part):
        return self.step * self.discriminator_steps + part

    def _draw_latents(self, num_images, part):
        """Noise that is a function of seed, step, part and replica alone."""
        stream = self._stream(part, LATENTS)
        return tf.random.stateless_normal((num_images, self.latent_dim), stream)

    def _stream(self, part, purpose, index=0):
        """Seed of what one part of this step draws for one purpose."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        fold_in = tf.random.experimental.stateless_fold_in
        stream = fold_in(
            ops.stack([ops.cast(self.seed, "int64"), ops.cast(self.step, "int64")]),
            tf.cast(replica * self.discriminator_steps + part, "int64"),
        )
        if purpose == LATENTS:
            return stream
        return fold_in(fold_in(stream, purpose), index)

    def _scaled(self, loss, optimizer):
        """Loss times loss scale, over the replicas whose gradients are summed."""
        replicas = self.distribute_strategy.num_replicas_in_sync
        return optimizer.scale_loss(ops.convert_to_tensor(loss)) / replicas

    def _average_generator(self):
        every = _accumulated(self.generator_optimizer)
        decay = ema.decay_at(self.step // every, self.ema_decay)
        if every > 1:
            decay = ops.where((self.step + 1) % every == 0, decay, 1.0)
        averages, weights = self.ema_generator.weights, self.generator.weights
        for average, weight in zip(averages, weights, strict=True):
            average.assign(ema.averaged_value(average, weight, decay))

    def _track(self, logs):
        for name, value in logs.items():
            weight = None
            key = name.removesuffix("_gradient_norm")
            if key in "dg" and isinstance(
                self._side(key)[1], keras.optimizers.LossScaleOptimizer
            ):
                # It skips a step whose gradient overflows.
                finite = ops.isfinite(value)
                value, weight = ops.where(finite, value, 0.0), finite
            self.trackers[name].update_state(value, sample_weight=weight)
        return {name: self.trackers[name].result() for name in logs}

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "num_classes": self.num_classes,
            "packing": self.packing,
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
        return {
            **{
                key: keras.saving.serialize_keras_object(value)
                for key, value in {
                    "generator_optimizer": self.generator_optimizer,
                    "discriminator_optimizer": self.discriminator_optimizer,
                    "loss": self.adversarial_loss,
                    "regularizers": list(self.regularizers),
                    "augmentation": self.augmentation,
                    "instance_noise": self.instance_noise,
                }.items()
            },
            "discriminator_steps": self.discriminator_steps,
            "class_weight": self.class_weight,
            "loss_scaling": self.loss_scaling,
            "updates": self.updates,
            "recompute": self.recompute,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))


def _accumulated(optimizer):
    """Steps whose gradients make one update."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return optimizer.gradient_accumulation_steps or 1
