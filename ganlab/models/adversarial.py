"""What adversarial training is, whatever the generator is given."""

import inspect
from typing import Any

import keras
from keras import ops

from ganlab.errors import as_count, unknown_name
from ganlab.models import (
    batches,
    calls,
    compatibility,
    first_batch,
    forward,
    gradients,
    optimizers,
    signature,
    skipping,
)
from ganlab.models.averaged import AveragedModel
from ganlab.models.batches import Batch, DiscriminatorInputs, Generated
from ganlab.objectives.objective import Objective

UPDATES = ("simultaneous", "alternating")
STEP_OPTIONS = (
    *("discriminator_steps", "loss_scaling", "updates", "recompute"),
    "skip_non_finite",
)
KERAS_OPTIONS = ("run_eagerly", "steps_per_execution")
ADDED = ("d_regularization", "g_regularization")  # log keys of what layers add


class AdversarialModel(AveragedModel):
    """A Keras model whose generator trains against a discriminator.

    Its subclasses say what a batch is, what the generator makes of it, and what the
    discriminator is shown. The networks are `generator` and `discriminator`, and
    `packing` is the number of samples that the latter takes at once.
    """

    generator: keras.Model
    discriminator: keras.Model
    packing = 1

    @property
    def trained_generator(self) -> keras.layers.Layer:
        """All that the generator's optimizer trains, as one layer."""
        return self.generator

    @property
    def substeps(self) -> int:
        return self.discriminator_steps

    @property
    def auxiliary(self) -> bool:
        """Whether the discriminator classifies too."""
        return len(signature.output_specs(self.discriminator)) == 2

    @property
    def log_keys(self) -> tuple[str, ...]:
        """Log keys of a step."""
        return (*self.objective.log_keys(self.auxiliary), *ADDED)

    def read_batches(self, data: Any) -> list[Batch]:
        """Cuts a step's data into a batch for each discriminator update."""
        raise NotImplementedError

    def generate_fakes(self, batch: Batch) -> Generated:
        """Fake images of a batch, as the discriminator is shown them."""
        raise NotImplementedError

    def show(self, batch: Batch, generated: Generated) -> DiscriminatorInputs:
        """A batch's real images beside generated ones, as the discriminator sees."""
        raise NotImplementedError

    def perturb(self, images: Any, substep: int, side: int) -> Any:
        """What the discriminator is shown, augmented and noisy."""
        return batches.perturbed(self, images, substep, side)

    def evaluate_batch(self, data: Any) -> dict[str, Any]:
        """The numbers of a batch in an evaluation, which trains nothing."""
        raise NotImplementedError

    def check_batch(self, data: Any, unit: int) -> None:
        """Raises `UserError` unless a first batch is what the networks can learn from.

        Args:
            data: A batch of values, as `train_step` gets it.
            unit: Integer: the fewest images that it may hold.
        """
        raise NotImplementedError

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
            inspect.signature(AdversarialModel.compile).parameters,
        )
        calls.check_flags(
            loss_scaling=loss_scaling,
            recompute=recompute,
            skip_non_finite=skip_non_finite,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
        )
        self.discriminator_steps = as_count("discriminator_steps", discriminator_steps)
        steps_per_execution = as_count("steps_per_execution", steps_per_execution)
        if updates not in UPDATES:
            raise unknown_name("updates", updates, UPDATES)
        self.objective = Objective(
            loss, regularizers, augmentation, instance_noise, class_weight
        )
        self.objective.check_fits(self.image_shape, auxiliary=self.auxiliary)
        compatibility.warn_of_probabilities(self.discriminator, self.objective.loss)
        self.regularizers = list(self.objective.regularizers)  # whose state is saved
        self.augmentation = self.objective.augmentation  # likewise
        self.generator_optimizer, self.discriminator_optimizer = optimizers.prepare(
            generator_optimizer,
            discriminator_optimizer,
            self.trained_generator,
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
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.log_keys}
        if skip_non_finite:
            self.trackers[skipping.SKIPPED] = keras.metrics.Mean(name=skipping.SKIPPED)
        super().compile(
            optimizer=optimizers.BothOptimizers(
                (self.generator_optimizer, self.discriminator_optimizer),
                (self.trained_generator, self.discriminator),
            ),
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )
        self.given_jit_compile = jit_compile  # Keras keeps what it resolves to here

    def make_train_function(self, force: bool = False) -> None:
        if self.compiled:
            self.optimizer.check_unchanged()
        super().make_train_function(force)
        size = self.discriminator_steps * self.packing
        first_batch.check_next(self, "train_function", size)

    def make_test_function(self, force: bool = False) -> None:
        super().make_test_function(force)
        first_batch.check_next(self, "test_function", self.packing)

    def train_step(self, data: Any) -> dict[str, Any]:
        before = skipping.keep(self)
        *critic_batches, batch = self.read_batches(data)
        for critic_batch in critic_batches:
            self._train_discriminator(critic_batch)
        logs = self._train_both(batch)
        self._update_ema()
        self.step.assign_add(1)
        return self.update_metrics(skipping.leave_out(self, before, logs))

    def _train_discriminator(self, batch: Batch) -> None:
        generated = self.generate_fakes(batch)
        inputs = self.show(batch, generated)
        result = self.differentiate(self, inputs, with_generator=False)
        self._apply("d", result.discriminator)
        self.objective.after_step(self.discriminator, *result.outputs(inputs))

    def _train_both(self, batch: Batch) -> dict[str, Any]:
        """One update of each network from the same fake images."""
        state = batches.generator_state(self) if self.recompute else []
        generated = self.generate_fakes(batch)
        inputs = self.show(batch, generated)
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
        return self.update_metrics(self.evaluate_batch(data))

    def discriminate(
        self, real: Any, fake: Any, labels: Any, *, training: bool
    ) -> forward.Judged:
        """Both sides at once only where no logit depends on other samples."""
        call = forward.call_on_both if self.is_per_sample else forward.call_on_each
        return call(self.discriminator, real, fake, labels, training=training)

    def _apply(self, key: str, gradient: list[Any]) -> dict[str, Any]:
        """Updates one network, `d` or `g`; returns its gradient's norm for the log."""
        network, optimizer = {
            "d": (self.discriminator, self.discriminator_optimizer),
            "g": (self.trained_generator, self.generator_optimizer),
        }[key]
        return {f"{key}_gradient_norm": optimizers.apply(optimizer, network, gradient)}

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

    def _scaled_norms(self) -> list[str]:
        """Log keys of gradient norms whose overflow loss scaling skips by itself."""
        both = {"d": self.discriminator_optimizer, "g": self.generator_optimizer}
        scaled = [key for key in both if optimizers.is_scaled(both[key])]
        return [f"{key}_gradient_norm" for key in scaled]

    def total(self, logs: dict[str, Any]) -> Any:
        """All that both networks minimise; not finite where a step is not.

        A ReLU hides NaN from the losses, not from the gradients: theirs counts.
        """
        total = self.objective.total("d", logs) + self.objective.total("g", logs)
        for name in ("d_penalty", *ADDED):
            total += logs.get(name, 0.0)
        for name in ("d_gradient_norm", "g_gradient_norm"):
            if name in logs and name not in self._scaled_norms():
                total += 0.0 * ops.cast(logs[name], total.dtype)
        return total

    def update_metrics(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Adds a step's numbers to the running means, and returns those.

        Beside them stands `loss`, the sum of all that both networks minimise. No
        training minimises the sum; by it Keras's callbacks see what is not finite.
        """
        skipped, scaled = logs.get(skipping.SKIPPED), self._scaled_norms()
        logs = {"loss": self.total(logs), **logs}
        for name, value in logs.items():
            weight = ops.isfinite(value) if name in scaled else None
            if skipped is not None and name != skipping.SKIPPED:
                weight = ops.logical_and(skipped == 0.0, ops.isfinite(value))
            if weight is not None:
                value = ops.where(weight, value, 0.0)
            self.trackers[name].update_state(value, sample_weight=weight)
        return {name: self.trackers[name].result() for name in logs}
