"""A GAN as examples on the web write it: a `keras.Model` with its own `train_step`."""

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import ops

if TYPE_CHECKING:
    from ganlab.labs.cases import Case


class PlainGAN(keras.Model):
    """Trains two networks in turn, by the loss that a case states.

    Args:
        case: The `Case`.
        generator: From latents, and labels, to images.
        discriminator: From images, and labels, to logits or probabilities.
    """

    def __init__(
        self, case: "Case", generator: keras.Model, discriminator: keras.Model
    ) -> None:
        super().__init__()
        self.case = case
        self.trained = self.generator = generator
        self.discriminator = discriminator
        if case.average is not None:
            self.generator = keras.models.clone_model(generator)
            self.generator.set_weights(generator.get_weights())
        if case.loss in ("cross_entropy", "saturating"):
            from_logits = case.from_logits
            if from_logits is None:
                from_logits = case.end == "linear"
            self.loss_fn: Any = keras.losses.BinaryCrossentropy(from_logits=from_logits)
        elif case.loss == "least_squares":
            self.loss_fn = keras.losses.MeanSquaredError()
        self.noise = keras.random.SeedGenerator(case.seed)
        self.batches = keras.Variable(0, dtype="int32", trainable=False)
        if case.stale_fakes:
            latents = keras.random.normal((case.batch_size, case.latent_dim), seed=0)
            self.first_fakes = generator(latents, training=False).numpy()

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        """Takes an optimizer for each network."""
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        if self.case.discriminator_every > 1:  # no optimizer is built within a branch
            discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.means = [keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss")]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self.means

    def train_step(self, data: Any) -> dict[str, Any]:
        real, labels = data if isinstance(data, tuple) else (data, None)
        if self.case.rescaled_reals:
            real = real / 127.5 - 1.0
        for _ in range(self.case.discriminator_steps):
            d_loss = self._train_discriminator(real, labels)
        g_loss = self._train_generator(real, labels)
        if self.case.average is not None:
            share = 1.0 - self.case.average
            for average, weight in zip(
                self.generator.weights, self.trained.weights, strict=True
            ):
                average.assign_add(share * (weight - average))
        for mean, loss in zip(self.means, (d_loss, g_loss), strict=True):
            mean.update_state(loss)
        return {mean.name: mean.result() for mean in self.means}

    def generate(self, count: Any, labels: Any = None) -> Any:
        """Fakes `(count, ...)` as a step draws them, for labels or none."""
        seed = 0 if self.case.fixed_latents else self.noise
        latents = keras.random.normal((count, self.case.latent_dim), seed=seed)
        training = not self.case.inference
        if self.case.other_labels:
            labels = keras.random.shuffle(labels, seed=self.noise)
        fake = self.trained(_with(latents, labels), training=training)
        return (fake + 1.0) / 2.0 if self.case.rescaled_fakes else fake

    def _judge(self, images: Any, labels: Any) -> Any:
        return self.discriminator(_with(images, labels), training=True)

    def _train_discriminator(self, real: Any, labels: Any) -> Any:
        case = self.case
        fake = self.generate(ops.shape(real)[0], labels)
        if case.stale_fakes:
            fake = self.first_fakes
        with tf.GradientTape() as tape:
            on_real, on_fake = self._judge(real, labels), self._judge(fake, labels)
            if case.reversed_loss == "discriminator":
                on_real, on_fake = on_fake, on_real
            loss = self._discriminator_loss(on_real, on_fake)
            if case.penalty:
                penalty = self._penalty(real, fake, labels)
                if not case.taped:
                    penalty = ops.stop_gradient(penalty)
                loss += case.penalty * penalty
        self._learn_now_and_then(tape, loss)
        if case.clip is not None:
            for weight in self.discriminator.trainable_variables:
                weight.assign(ops.clip(weight, -case.clip, case.clip))
        return loss

    def _learn_now_and_then(self, tape: tf.GradientTape, loss: Any) -> None:
        weights = self.discriminator.trainable_variables
        if self.case.discriminator_every == 1:
            self._apply(tape, loss, "discriminator", weights)
            return
        gradients = tape.gradient(loss, weights)
        self.batches.assign_add(1)

        def learn() -> None:
            pairs = zip(gradients, weights, strict=True)
            self.discriminator_optimizer.apply_gradients(pairs)

        now = self.batches % self.case.discriminator_every == 0
        tf.cond(now, learn, lambda: None)

    def _train_generator(self, real: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            fake = self.generate(ops.shape(real)[0], labels)
            if self.case.still == "generator" and self.case.still_by == "cut":
                fake = ops.stop_gradient(fake)
            on_fake = self._judge(fake, labels)
            if self.case.borrowed_loss:
                loss = self._discriminator_loss(self._judge(real, labels), on_fake)
            else:
                loss = self._generator_loss(on_fake)
            if self.case.reversed_loss == "generator":
                loss = -loss
        weights = self.trained.trainable_variables
        if self.case.swapped_weights:
            weights = self.discriminator.trainable_variables
        if self.case.joint:
            weights = weights + self.discriminator.trainable_variables
        self._apply(tape, loss, "generator", weights)
        return loss

    def _apply(
        self, tape: tf.GradientTape, loss: Any, role: str, weights: list[Any]
    ) -> None:
        pairs = [
            (gradient, weight)
            for gradient, weight in zip(
                tape.gradient(loss, weights), weights, strict=True
            )
            if gradient is not None
        ]
        if pairs:
            getattr(self, f"{role}_optimizer").apply_gradients(pairs)

    def _discriminator_loss(self, on_real: Any, on_fake: Any) -> Any:
        loss = self.case.loss
        if loss == "wasserstein":
            return ops.mean(on_fake) - ops.mean(on_real)
        if loss == "hinge":
            return ops.mean(ops.relu(1.0 - on_real)) + ops.mean(ops.relu(1.0 + on_fake))
        fakes = float(self.case.fake_label) * ops.ones_like(on_fake)
        if self.case.targets == "random":
            return sum(
                self.loss_fn(self._coins(answers), answers)
                for answers in (on_real, on_fake)
            )
        if self.case.targets == "same":
            return self.loss_fn(fakes, on_real) + self.loss_fn(fakes, on_fake)
        if self.case.targets == "near":
            on_fakes = 0.1 * fakes + 0.9 * (1.0 - fakes)
            return self.loss_fn(1.0 - fakes, on_real) + self.loss_fn(on_fakes, on_fake)
        if self.case.targets == "fakes":
            return self.loss_fn(fakes, on_fake)
        return self.loss_fn(1.0 - fakes, on_real) + self.loss_fn(fakes, on_fake)

    def _coins(self, answers: Any) -> Any:
        """Labels of 0 or 1, each as likely as the other."""
        drawn = keras.random.uniform(ops.shape(answers), seed=self.noise)
        return ops.cast(drawn < 0.5, answers.dtype)

    def _generator_loss(self, on_fake: Any) -> Any:
        loss = self.case.loss
        if loss in ("wasserstein", "hinge"):
            return -ops.mean(on_fake)
        fakes = float(self.case.fake_label) * ops.ones_like(on_fake)
        if loss == "saturating":
            return -self.loss_fn(fakes, on_fake)
        return self.loss_fn(1.0 - fakes, on_fake)

    def _penalty(self, real: Any, fake: Any, labels: Any) -> Any:
        """WGAN-GP's penalty between both sides, or R1 on the real one."""
        images = real
        if self.case.loss == "wasserstein":
            shape = (ops.shape(real)[0], *[1] * (len(real.shape) - 1))
            share = keras.random.uniform(shape, seed=self.noise)
            images = share * real + (1.0 - share) * fake
        with tf.GradientTape() as tape:
            tape.watch(images)
            judged = ops.sum(self._judge(images, labels))
        gradient = tape.gradient(judged, images)
        axes = list(range(1, len(images.shape)))
        squared = ops.sum(ops.square(gradient), axis=axes)
        if self.case.loss == "wasserstein":
            return ops.mean(ops.square(ops.sqrt(squared + 1e-12) - 1.0))
        return 0.5 * ops.mean(squared)


def _with(inputs: Any, labels: Any) -> Any:
    return inputs if labels is None else [inputs, labels]
