"""The GAN: a generator and a discriminator that train against each other in `fit`."""

import inspect
from typing import Any

import keras
from keras import ops

from ganlab.errors import as_count, unknown_name
from ganlab.models import (
    batches,
    compatibility,
    first_batch,
    forward,
    gradients,
    optimizers,
    reading,
    signature,
    skipping,
)
from ganlab.models.base import ADDED, GenerativeModel
from ganlab.models.batches import Batch
from ganlab.objectives.objective import Objective

UPDATES = ("simultaneous", "alternating")
STEP_OPTIONS = (
    *("discriminator_steps", "loss_scaling", "updates", "recompute"),
    "skip_non_finite",
)
KERAS_OPTIONS = ("run_eagerly", "steps_per_execution")


@keras.saving.register_keras_serializable(package="ganlab")
class GAN(GenerativeModel):
    """A generator and a discriminator that train against each other in `fit`.

    Each `train_step` draws latents `z ~ N(0, I)`, one fake image per real one, and
    updates both networks from the same forward pass:

        D descends  loss.discriminator(D(x), D(G(z)))
        G descends  loss.generator(D(x), D(G(z)))

    and then moves the averaged generator a little towards the generator. `call`,
    `predict` and `sample` use the averaged generator.

    The latents are a pure function of `seed` and the step, so a model saved
    and loaded in mid-training goes on exactly where it was.

    Args:
        generator: `keras.Model` from latents, or from latents and a class, to
            images. Latents may have any shape and several inputs; the class is an
            integer or one-hot input, the one that is named so, is of integers, or
            comes last. Subclassed models are called once on a batch before.
        discriminator: `keras.Model` from images, or from images and a class, to raw
            logits of any shape, such as `(batch, 1)` or a patch discriminator's;
            real is the positive side. Or from images to `[logits, class_logits]`,
            which makes it an auxiliary classifier (AC-GAN).
        num_classes: Integer if the networks take labels, otherwise `None`.
        packing: Integer `m`, 1 or more. The discriminator takes `m` samples
            at once, joined along the last axis, so its input has `m` times
            the generator's channels, and what a batch holds beyond a multiple
            of `m` is left out. A collapsed generator gives itself away by
            samples that are alike.
        ema_decay: Float in [0, 1). Weight of the past in the averaged
            generator. Defaults to `0.999`.
        seed: Integer, 0 or more. Seeds the latents of training.
        output_range: `(low, high)`: the values of real and of generated images.
            Defaults to the range of the generator's last activation, or to
            `(-1.0, 1.0)` where it has no bound.
        name: String.

    Raises:
        UserError: for networks that do not fit together or were not built, and for
            numbers out of range.

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
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        num_classes: int | None = None,
        packing: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
        output_range: tuple[float, float] | None = None,
        name: str = "gan",
    ) -> None:
        packing = as_count("packing", packing)
        if num_classes is not None:
            num_classes = as_count("num_classes", num_classes)
        compatibility.check_networks(generator, discriminator, num_classes, packing)
        super().__init__(generator, num_classes, ema_decay, seed, output_range, name)
        self.discriminator = discriminator
        self.packing = packing
        self.built = True

    @property
    def substeps(self) -> int:
        return self.discriminator_steps

    @property
    def auxiliary(self) -> bool:
        """Whether the discriminator classifies too."""
        return len(signature.output_specs(self.discriminator)) == 2

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        loss: Any = "non_saturating",
        discriminator_steps: int = 1,
        *,
        regularizers: Any = None,
        augmentation: Any = None,
        instance_noise: Any = 0.0,
        class_weight: float = 1.0,
        loss_scaling: bool = True,
        updates: str = "simultaneous",
        recompute: bool = False,
        skip_non_finite: bool = False,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        **unknown: Any,
    ) -> None:
        """Configures how both networks are trained.

        If either network computes in float16, both optimizers are wrapped in
        `keras.optimizers.LossScaleOptimizer`. Keras's callbacks, such as
        `LearningRateScheduler`, see both as one, `gan.optimizer`.

        Batches that do not fit into memory are cut up by the optimizers: with
        `gradient_accumulation_steps=n` on both, each updates its network once in `n`
        steps by the mean of their gradients, and the averaged generator follows then.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer` or its name.
            discriminator_optimizer: Likewise, and not the same object.
            loss: A name, an `AdversarialLoss`, a `keras.losses.Loss` or a function of
                `(real_logits, fake_logits)`: see `ganlab.losses.get`.
            discriminator_steps: Integer, the `k` of the paper's algorithm 1.
                Each batch is cut into `k` equal parts, and the discriminator
                takes one step on each; the generator takes one step on the
                last. So pass batches of `k` times the size.
            regularizers: See `ganlab.objectives.objective.Objective`, as for the three
                arguments that follow; by default nothing is added to the loss.
            augmentation: See there.
            instance_noise: See there.
            class_weight: See there.
            loss_scaling: Boolean. `False` leaves losses unscaled in float16, where
                small gradients round to 0.
            updates: `"simultaneous"`: both networks are updated from where they
                stand, and one backward pass through the discriminator serves both if
                each logit depends on one sample. Or `"alternating"`: the generator
                meets the updated discriminator, for one more pass.
            recompute: Boolean. `True` generates the fake images once more when the
                generator's gradient is due, instead of keeping its feature maps while
                the discriminator trains: a third less memory, for a tenth more time.
            skip_non_finite: Boolean. `True` takes a step back whose losses or gradients
                are not finite: weights, optimizers, averages and all else are as
                before it, and `step` alone counts it. It costs a copy of the state a
                step. Logs have the fraction of such steps, `skipped_share`, and are
                means of the others.
            run_eagerly: See `keras.Model.compile`.
            steps_per_execution: See there.
            jit_compile: See there; `"auto"` is never XLA on a CPU, which is slower.

        Raises:
            UserError: for an argument that it does not take, an unknown name, one
                optimizer for both networks, or a network without trainable weights.
        """
        optimizers.check_compile(
            generator_optimizer,
            discriminator_optimizer,
            unknown,
            inspect.signature(self.compile).parameters,
        )
        self.discriminator_steps = as_count("discriminator_steps", discriminator_steps)
        steps_per_execution = as_count("steps_per_execution", steps_per_execution)
        if updates not in UPDATES:
            raise unknown_name("updates", updates, UPDATES)
        self.objective = Objective(
            loss, regularizers, augmentation, instance_noise, class_weight
        )
        self.objective.check_fits(self.image_shape)
        compatibility.warn_of_probabilities(self.discriminator, self.objective.loss)
        self.regularizers = list(self.objective.regularizers)  # whose state is saved
        self.augmentation = self.objective.augmentation  # likewise
        self.generator_optimizer, self.discriminator_optimizer = optimizers.prepare(
            generator_optimizer,
            discriminator_optimizer,
            self.generator,
            self.discriminator,
            loss_scaling=loss_scaling,
        )
        self.loss_scaling = loss_scaling
        self.updates = updates
        self.recompute = recompute
        self.skip_non_finite = skip_non_finite
        if skip_non_finite:
            skipping.check_devices()
        self.is_per_sample = forward.is_per_sample(self.discriminator)
        self.differentiate = gradients.choose(self)
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in (*self.objective.log_keys(self.auxiliary), *ADDED)
        }
        if skip_non_finite:
            self.trackers[skipping.SKIPPED] = keras.metrics.Mean(name=skipping.SKIPPED)
        super().compile(
            optimizer=optimizers.BothOptimizers(
                (self.generator_optimizer, self.discriminator_optimizer),
                (self.generator, self.discriminator),
            ),
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )
        self.given_jit_compile = jit_compile  # Keras keeps what it resolves to here

    def make_train_function(self, force: bool = False) -> None:
        super().make_train_function(force)
        size = self.discriminator_steps * self.packing
        first_batch.check_next(self, "train_function", size)

    def make_test_function(self, force: bool = False) -> None:
        super().make_test_function(force)
        first_batch.check_next(self, "test_function", self.packing)

    def train_step(self, data: Any) -> dict[str, Any]:
        before = skipping.keep(self)
        *critic_batches, batch = batches.split(self, data)
        for critic_batch in critic_batches:
            self._train_discriminator(critic_batch)
        logs = self._train_both(batch)
        self._update_ema()
        self.step.assign_add(1)
        return self.update_metrics(skipping.leave_out(self, before, logs))

    def _train_discriminator(self, batch: Batch) -> None:
        generated = batches.generate(self, batch)
        inputs = batches.discriminator_inputs(self, batch, generated)
        result = self.differentiate(self, inputs, with_generator=False)
        self._apply("d", result.discriminator)
        self.objective.after_step(self.discriminator, *result.outputs(inputs))

    def _train_both(self, batch: Batch) -> dict[str, Any]:
        """One update of each network from the same fake images."""
        state = batches.generator_state(self) if self.recompute else []
        generated = batches.generate(self, batch)
        inputs = batches.discriminator_inputs(self, batch, generated)
        simultaneous = self.updates == "simultaneous"
        result = self.differentiate(self, inputs, with_generator=simultaneous)
        logs = self._apply("d", result.discriminator)
        if not simultaneous:
            result = gradients.second_pass(self, inputs, result)
        if self.recompute:
            generated = batches.generate_again(self, batch, state, result.fake_inputs)
        logs |= self._apply("g", result.generator(self, generated))
        logs |= self.objective.after_step(self.discriminator, *result.outputs(inputs))
        return {**result.logs, **generated.logs, **logs}

    def test_step(self, data: Any) -> dict[str, Any]:
        images, labels = (
            reading.whole_groups(values, self.packing)
            for values in reading.read(self, data)
        )
        latents = self.evaluation_latents(ops.shape(images)[0])
        self.evaluated.assign_add(1)
        fake = forward.call(self.generator, latents, labels, training=False)
        images = forward.pack(ops.cast(images, fake.dtype), self.packing)
        fake = forward.pack(fake, self.packing)
        judged = self.discriminate(images, fake, labels, training=False)
        logs = self.objective.evaluate(judged.outputs, labels)
        return self.update_metrics(logs)

    def discriminate(
        self, real: Any, fake: Any, labels: Any, *, training: bool
    ) -> forward.Judged:
        """Both sides at once only where no logit depends on other samples."""
        call = forward.call_on_both if self.is_per_sample else forward.call_on_each
        return call(self.discriminator, real, fake, labels, training=training)

    def _apply(self, key: str, gradient: list[Any]) -> dict[str, Any]:
        """Updates one network, `d` or `g`; returns its gradient's norm for the log."""
        role = {"d": "discriminator", "g": "generator"}[key]
        network, optimizer = getattr(self, role), getattr(self, f"{role}_optimizer")
        return {f"{key}_gradient_norm": optimizers.apply(optimizer, network, gradient)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "discriminator": compatibility.network_config(self.discriminator),
            "packing": self.packing,
            "shared_layers": compatibility.shared_layers(
                self.generator, self.discriminator
            ),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "GAN":
        config = compatibility.with_shared_layers(config, custom_objects)
        return super().from_config(config, custom_objects)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            **self.objective.get_config(),
            **{name: getattr(self, name) for name in STEP_OPTIONS + KERAS_OPTIONS},
            "jit_compile": self.given_jit_compile,
        }
