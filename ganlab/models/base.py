"""What models with a generator of latents share: its samples."""

import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab import sampling
from ganlab.data import kinds
from ganlab.models import (
    compatibility,
    ema,
    first_batch,
    given,
    seeds,
    signature,
)
from ganlab.models.averaged import AveragedModel


class GenerativeModel(AveragedModel):
    """A Keras model of a generator of latents, whose average is sampled.

    Args:
        generator: Built `keras.Model` from latents, or from latents and a class, to
            images.
        num_classes: Integer if the generator takes labels, otherwise `None`.
        ema_decay: See `AveragedModel`.
        seed: See there.
        output_range: See there.
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
        super().__init__(generator, ema_decay, seed, output_range, name)
        self.num_classes = num_classes
        self._draw_in_graph = tf.function(
            self._draw_traced, reduce_retracing=True, autograph=False
        )

    @property
    def latent_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each latent input of the generator."""
        specs = compatibility.latent_specs(self.generator, self.num_classes)
        return [tuple(spec.shape[1:]) for spec in specs]

    @property
    def latent_dim(self) -> int:
        """Size of the noise vector, over all latent inputs."""
        return sum(math.prod(shape) for shape in self.latent_shapes)

    @functools.wraps(keras.Model.predict)
    def predict(self, x: Any, *arguments: Any, **options: Any) -> Any:
        x = given.latents(self.generator, x, self.num_classes)
        with first_batch.classes_in_words(self.num_classes):
            return super().predict(x, *arguments, **options)

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
        self.follow_untrained()
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
            with first_batch.classes_in_words(self.num_classes):
                drawn = self._draw_in_graph(
                    tf.constant(flat[batch]), chosen, noise_seed
                )
            samples.append(drawn.numpy())
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

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
