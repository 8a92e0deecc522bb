"""What models with a generator share: its average, its samples, their metrics."""

import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab import sampling
from ganlab.data import kinds
from ganlab.errors import UserError, as_count
from ganlab.models import (
    compatibility,
    ema,
    given,
    optimizers,
    seeds,
    signature,
    skipping,
)
from ganlab.networks.output_range import output_range as range_of
from ganlab.networks.output_range import stated
from ganlab.objectives.arguments import is_number

LOAD_AFTER = "import ganlab"
RANDOM_STATE = "random_state_"  # and a number, in a file of weights
ADDED = ("d_regularization", "g_regularization")  # log keys of what layers add


class GenerativeModel(keras.Model):
    """A Keras model of a generator and its average, which is what is sampled.

    Args:
        generator: Built `keras.Model` from latents, or from latents and a class, to
            images.
        num_classes: Integer if the generator takes labels, otherwise `None`.
        ema_decay: Float in [0, 1). Weight of the past in the averaged generator.
        seed: Integer, 0 or more. Seeds the random numbers of training.
        output_range: `(low, high)` of images, or `None` to read it from the generator.
        name: String.
    """

    def __init__(
        self,
        generator: keras.Model,
        num_classes: int | None,
        ema_decay: float,
        seed: int,
        output_range: tuple[float, float] | None,
        name: str,
    ) -> None:
        super().__init__(name=name)
        if not is_number(ema_decay) or not 0.0 <= ema_decay < 1.0:
            raise UserError(
                "Expected an EMA decay of 0 or more and under 1. "
                f"Received: ema_decay={ema_decay!r}"
            )
        self.stated_range = None if output_range is None else stated(output_range)
        self.generator = generator
        self.ema_generator = ema.AveragedGenerator(generator)
        self.num_classes = num_classes
        self.ema_decay = ema_decay
        self.seed = as_count("seed", seed, 0)
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="step",
        )
        with self.distribute_strategy.scope():
            self.evaluated = tf.Variable(  # batches, in one evaluation
                np.int64(0),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._draw_in_graph = tf.function(
            self._draw_traced, reduce_retracing=True, autograph=False
        )
        self.trackers: dict[str, keras.metrics.Mean] = {}

    @property
    def latent_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each latent input of the generator."""
        specs = compatibility.latent_specs(self.generator, self.num_classes)
        return [tuple(spec.shape[1:]) for spec in specs]

    @property
    def latent_dim(self) -> int:
        """Size of the noise vector, over all latent inputs."""
        return sum(math.prod(shape) for shape in self.latent_shapes)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape `(height, width, channels)` of an image, or that of other data."""
        return tuple(signature.output_specs(self.generator)[0].shape[1:])

    @property
    def known_range(self) -> tuple[float, float] | None:
        """`(low, high)` of images: as stated, or read from the generator, or `None`."""
        return self.stated_range or range_of(self.generator)

    @property
    def output_range(self) -> tuple[float, float]:
        """`(low, high)` of images; `(-1.0, 1.0)` where it is not known."""
        return self.known_range or (-1.0, 1.0)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    @property
    def substeps(self) -> int:
        """How many parts a step cuts its batch into, each with seeds of its own."""
        return 1

    @functools.wraps(keras.Model.fit)
    def fit(self, x: Any = None, *arguments: Any, **options: Any) -> Any:
        x = given.checked(self, x, *arguments, **options)
        return super().fit(x, *arguments, **options)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, x: Any = None, *arguments: Any, **options: Any) -> Any:
        if not options.get("_use_cached_eval_dataset"):
            x = given.checked(self, x, *arguments, **options)
        return super().evaluate(x, *arguments, **options)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(self, x: Any, *arguments: Any, **options: Any) -> Any:
        x = given.checked(self, x, *arguments, **options)
        return super().train_on_batch(x, *arguments, **options)

    @functools.wraps(keras.Model.test_on_batch)
    def test_on_batch(self, x: Any, *arguments: Any, **options: Any) -> Any:
        x = given.checked(self, x, *arguments, **options)
        return super().test_on_batch(x, *arguments, **options)

    @functools.wraps(keras.Model.predict)
    def predict(self, x: Any, *arguments: Any, **options: Any) -> Any:
        given.check_latents(self.generator, x)
        return super().predict(x, *arguments, **options)

    def save(self, filepath: Any, overwrite: bool = True, **options: Any) -> None:
        """Saves the GAN to a `.keras` file: see `keras.Model.save`."""
        given.check_path(filepath)
        super().save(filepath, overwrite=overwrite, **options)

    def random_states(self) -> list[keras.Variable]:
        """The states of all seed generators, such as a dropout's."""
        return seeds.random_states(self)

    def save_own_variables(self, store: Any) -> None:
        """Adds to the step the random states, which Keras's layers do not save."""
        super().save_own_variables(store)
        for index, state in enumerate(self.random_states()):
            store[f"{RANDOM_STATE}{index}"] = state

    def load_own_variables(self, store: Any) -> None:
        """Loads the step and, of files that hold them, the random states."""
        states = self.random_states()
        kept = {name: store[name] for name in list(store.keys())}
        random = [name for name in kept if name.startswith(RANDOM_STATE)]
        values = {name: kept.pop(name) for name in random}
        super().load_own_variables(kept)
        if len(values) == len(states):
            for index, state in enumerate(states):
                state.assign(values[f"{RANDOM_STATE}{index}"])

    def _maybe_symbolic_build(
        self, iterator: Any = None, data_batch: Any = None
    ) -> None:
        """Builds nothing: all is built, and Keras would add replicas' batches up."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Generates images from the averaged generator.

        Args:
            inputs: What the generator takes: latents, or `[latents, labels]`.
            training: Boolean. Batch statistics are never used here.

        Returns:
            Images `(batch, height, width, channels)` in float32, or in float64 if the
            generator computes in that.
        """
        return self.ema_generator(inputs)

    def draw(self, latents: Any, labels: Any = None, seed: Any = None) -> Any:
        """Generates images from the averaged generator, whatever its inputs' form.

        Args:
            latents: Float32 `(batch, latent_dim)`: those of all latent inputs.
            labels: Int `(batch,)` if the generator takes a class.
            seed: Int `(2,)`: seeds layers that draw noise outside training.

        Returns:
            Images `(batch, height, width, channels)` in float32, or in float64 if the
            generator computes in that.
        """
        inputs = self.generator_arguments(latents, labels)
        return self.ema_generator(inputs, seed=seed)

    def _draw_traced(self, latents: Any, labels: Any, seed: Any) -> Any:
        images = self.draw(latents, labels, seed)
        ema.warn_of_noise(images.graph)
        return images

    def generator_arguments(self, latents: Any, labels: Any = None) -> Any:
        """What the generator is called on, whatever its inputs' form.

        Args:
            latents: Float32 `(batch, latent_dim)`: those of all latent inputs.
            labels: Int `(batch,)`, or `None`.
        """
        return signature.arguments(self.generator, latents, labels)

    def sample(
        self,
        num_images: int = 64,
        seed: int = 0,
        labels: Any = None,
        truncation: float | None = None,
    ) -> np.ndarray:
        """Samples images of the averaged generator for a seed.

        Args:
            num_images: Integer, 1 or more.
            seed: Integer, 0 or more. The same seed gives the same images as
                `ganlab sample` does from the exported generator.
            labels: Integers `(num_images,)`; by default each class in turn.
            truncation: See `ganlab.draw_latents`.

        Returns:
            Uint8 array `(num_images, height, width, channels)` of images with 1, 3 or
            4 channels, from black to white over `output_range`; otherwise the
            generator's float32 array `(num_images, ...)`.

        Raises:
            UserError: for labels that the generator does not take.
        """
        latents = sampling.draw_latents(num_images, self.latent_dim, seed, truncation)
        classes = sampling.optional_labels(num_images, self.num_classes, labels)
        samples = self.generate(latents, classes, seed)
        return kinds.of_shape(self.image_shape).to_stored(samples, self.output_range)

    def generate(self, latents: Any, labels: Any = None, seed: int = 0) -> np.ndarray:
        """Runs the averaged generator, a batch at a time.

        Args:
            latents: Float array `(n, latent_dim)`, or as the generator's inputs take
                them: see `ganlab.sampling.split_latents`.
            labels: Integers `(n,)` if the generator takes labels.
            seed: Integer: seeds layers that draw noise outside training.

        Returns:
            Float32 array `(n, height, width, channels)` in `output_range`, or
            `(n, ...)`.
        """
        parts = sampling.split_latents(latents, self.latent_shapes)
        flat = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
        classes = sampling.given_labels(len(flat), self.num_classes, labels)
        kind = kinds.of_shape(self.image_shape)
        size = kinds.scaled_count(kind.batch_size, 1, self.image_shape)
        samples = []
        for start in range(0, len(flat), size):
            batch = slice(start, start + size)
            noise_seed = ops.convert_to_tensor([seed, start], "int64")
            chosen = None if classes is None else tf.constant(classes[batch])
            images = self._draw_in_graph(tf.constant(flat[batch]), chosen, noise_seed)
            samples.append(images.numpy())
        return np.concatenate(samples).astype(np.float32, copy=False)

    def training_latents(self, num_images: Any, substep: int = 0) -> Any:
        """Latents of the present step, a function of seed, step and replica alone."""
        seed = self.step_seed(substep, seeds.LATENTS)
        return tf.random.stateless_normal((num_images, self.latent_dim), seed)

    def evaluation_latents(self, num_images: Any) -> Any:
        """Latents of the present batch of an evaluation, each batch's its own."""
        seed = self.step_seed(0, seeds.EVALUATION)
        seed = tf.random.experimental.stateless_fold_in(seed, self.evaluated)
        return tf.random.stateless_normal((num_images, self.latent_dim), seed)

    def step_seed(self, substep: int, purpose: int, index: int = 0) -> Any:
        """Seed for one purpose in the present step: see `ganlab.models.seeds`."""
        return seeds.step_seed(
            self.seed, self.step, substep, self.substeps, purpose, index
        )

    def _update_ema(self) -> None:
        """Moves the averaged generator once per update of the generator."""
        steps = optimizers.accumulation_steps(self.generator_optimizer)
        decay = ema.decay_at(self.step // steps, self.ema_decay)
        if steps > 1:
            decay = ops.where((self.step + 1) % steps == 0, decay, 1.0)
        self.ema_generator.update(decay)

    def reset_metrics(self) -> None:
        super().reset_metrics()
        self.evaluated.assign(0)

    def make_train_function(self, force: bool = False) -> Any:
        if self.compiled:
            self.optimizer.check_unchanged()
        return super().make_train_function(force)

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

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | str | None = None,
        input_signature: Any = None,
        **options: Any,
    ) -> None:
        """Exports the averaged generator: see `keras.Model.export`.

        `ganlab.export_generator` writes more formats, with a card and a certificate.
        """
        if input_signature is None:
            input_signature = [
                keras.tree.map_structure(
                    lambda spec: keras.InputSpec(spec.dtype, (None, *spec.shape[1:])),
                    signature.input_specs(self.generator),
                )
            ]
        super().export(
            filepath, format, verbose, input_signature=input_signature, **options
        )

    def get_config(self) -> dict[str, Any]:
        return {
            # Keras prints the config of a class that it cannot locate.
            "load_after": LOAD_AFTER,
            "generator": compatibility.network_config(self.generator),
            "num_classes": self.num_classes,
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "output_range": self.stated_range,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "GenerativeModel":
        arguments = {
            name: keras.saving.deserialize_keras_object(
                value, custom_objects=custom_objects
            )
            if isinstance(value, dict)
            else value
            for name, value in config.items()
            if name != "load_after"
        }
        return cls(**arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
