"""What models share whose generator is averaged: its average, files, random states."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, as_count, one_line
from ganlab.models import calls, compatibility, ema, given, optimizers, seeds, signature
from ganlab.networks.output_range import output_range as range_of
from ganlab.networks.output_range import stated
from ganlab.objectives.arguments import is_number

LOAD_AFTER = "import ganlab"
RANDOM_STATE = "random_state_"  # and a number, in a file of weights


class AveragedModel(keras.Model):
    """A Keras model of a generator and its average, which is what is used.

    Args:
        generator: Built `keras.Model` to images.
        ema_decay: Float in [0, 1). Weight of the past in the averaged generator.
        seed: Integer, 0 or more. Seeds the random numbers of training.
        output_range: `(low, high)` of images, or `None` to read it from the generator.
        name: String.
    """

    def __init__(
        self,
        generator: keras.Model,
        ema_decay: float,
        seed: int,
        output_range: tuple[float, float] | None,
        name: str,
    ) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise UserError(
                f"Expected a name without slashes. Received: name={name!r}; write "
                "another"
            )
        super().__init__(name=name)
        if not is_number(ema_decay) or not 0.0 <= ema_decay < 1.0:
            raise UserError(
                "Expected an EMA decay of 0 or more and under 1. "
                f"Received: ema_decay={ema_decay!r}"
            )
        self.stated_range = None if output_range is None else stated(output_range)
        self.generator = generator
        self.ema_generator = ema.AveragedGenerator(generator)
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
        self.trackers: dict[str, keras.metrics.Mean] = {}

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
    def averages(self) -> list[ema.AveragedGenerator]:
        """The averages of all that is averaged."""
        return [self.ema_generator]

    @property
    def substeps(self) -> int:
        """How many parts a step cuts its batch into, each with seeds of its own."""
        return 1

    @functools.wraps(keras.Model.fit)
    def fit(self, *arguments: Any, **options: Any) -> Any:
        return calls.call(super().fit, self, arguments, options)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        if options.get("_use_cached_eval_dataset"):  # of fit, whose data are checked
            return super().evaluate(*arguments, **options)
        return calls.call(super().evaluate, self, arguments, options)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(self, *arguments: Any, **options: Any) -> Any:
        return calls.call(super().train_on_batch, self, arguments, options)

    @functools.wraps(keras.Model.test_on_batch)
    def test_on_batch(self, *arguments: Any, **options: Any) -> Any:
        return calls.call(super().test_on_batch, self, arguments, options)

    @functools.wraps(keras.Model.predict)
    def predict(self, *arguments: Any, **options: Any) -> Any:
        self.follow_untrained()
        with calls.in_one_line():
            return super().predict(*arguments, **options)

    def save(self, filepath: Any, overwrite: bool = True, **options: Any) -> None:
        """Saves the GAN to a `.keras` file: see `keras.Model.save`."""
        given.check_path(filepath)
        try:
            super().save(filepath, overwrite=overwrite, **options)
        except NotImplementedError as error:
            raise UserError(
                "Expected layers, losses and optimizers that Keras can save. Received: "
                f"{one_line(error)}; define it, or save_weights alone"
            ) from None

    def quantize(self, *arguments: Any, **options: Any) -> None:
        """Refuses Keras's quantisation, after which nothing trains."""
        raise UserError(
            "Expected a model in floats, which trains and is averaged. Received: a "
            "call of quantize; export_generator writes an int8 file beside the others"
        )

    def follow_untrained(self) -> None:
        """Sets the average to the generator, as long as no step has been made.

        Weights may have been loaded into the generator since the average was made.
        """
        if int(self.step.numpy()) == 0:
            for average in self.averages:
                average.update(0.0)

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

    def step_seed(self, substep: int, purpose: int, index: int = 0) -> Any:
        """Seed for one purpose in the present step: see `ganlab.models.seeds`."""
        return seeds.step_seed(
            self.seed, self.step, substep, self.substeps, purpose, index
        )

    def _update_ema(self) -> None:
        """Moves the averages once per update of the generator."""
        steps = optimizers.accumulation_steps(self.generator_optimizer)
        decay = ema.decay_at(self.step // steps, self.ema_decay)
        if steps > 1:
            decay = ops.where((self.step + 1) % steps == 0, decay, 1.0)
        for average in self.averages:
            average.update(decay)

    def reset_metrics(self) -> None:
        super().reset_metrics()
        self.evaluated.assign(0)

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
        self.follow_untrained()
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
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "output_range": self.stated_range,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "AveragedModel":
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
