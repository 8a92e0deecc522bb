"""The variational autoencoder: an encoder and a decoder that train on one bound."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, as_count
from ganlab.models import (
    autoencoding,
    calls,
    compatibility,
    ema,
    first_batch,
    forward,
    optimizers,
    reading,
    seeds,
)
from ganlab.models.base import GenerativeModel
from ganlab.models.pairs import Together
from ganlab.networks.precision import computing_in_float32
from ganlab.objectives import bound, likelihoods
from ganlab.objectives.arguments import serialize

LOG_KEYS = ("loss", "rate", "distortion", "bound", "beta")
OPTIONS = ("free_bits", "samples", "loss_scaling", "run_eagerly", "steps_per_execution")
AT_ONCE = 1024  # images that are encoded or decoded at once outside training


@keras.saving.register_keras_serializable(package="ganlab")
class VAE(GenerativeModel):
    """An encoder and a decoder that train in `fit` on a lower bound of log p(x).

    Codes are `z ~ N(0, I)`; the encoder gives each image a Gaussian `q(z | x)` of
    diagonal covariance, the decoder each code the means of the pixels:

        distortion = -E_q log p(x | z)
        rate       = KL(q(z | x) || N(0, I)) = sum_j (m_j^2 + v_j - log v_j - 1) / 2
        loss       = distortion + beta rate,    log p(x) >= -(distortion + rate)

    or, with several samples of each image's code, minus the importance-weighted bound

        log p(x) >= E log 1/k sum_i p(x | z_i) p(z_i) / q(z_i | x)

    All are means over images of sums over pixels and components, in nats; distortion,
    rate and bound are logged apart. `call`, `predict`, `sample` and `export` use the
    decoder with averaged weights, as a `ganlab.GAN` its generator; `encode`,
    `reconstruct` and `log_likelihood` those of both.

    Args:
        encoder: `keras.Model` from images to `(batch, 2 * latent_dim)`: the means of
            the codes, then the logarithms of their variances.
        decoder: `keras.Model` from codes `(batch, latent_dim)` to images, which is
            `generator` too.
        ema_decay: Float in [0, 1). Weight of the past in the averaged networks.
        seed: Integer, 0 or more. Seeds the random numbers of training.
        output_range: See `ganlab.GAN`.
        name: String.

    Raises:
        UserError: for networks that do not fit together, and for numbers out of range.

    Example:

    >>> from ganlab import networks
    >>> vae = VAE(networks.dcgan_encoder(latent_dim=8, base_filters=8),
    ...           networks.dcgan_generator(latent_dim=8, base_filters=8))
    >>> vae.compile(keras.optimizers.Adam(1e-3), "gaussian")
    >>> vae.reconstruct(np.zeros((2, 28, 28, 1), "uint8")).shape
    (2, 28, 28, 1)

    Reference:
        [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114);
        [Higgins et al., 2017 (beta-VAE)](https://openreview.net/forum?id=Sy2fzU9gl);
        [Burda et al., 2015 (IWAE)](https://arxiv.org/abs/1509.00519);
        [Alemi et al., 2017 (rate, distortion)](https://arxiv.org/abs/1711.00464)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        ema_decay: float = 0.999,
        seed: int = 0,
        output_range: tuple[float, float] | None = None,
        name: str = "vae",
    ) -> None:
        autoencoding.check_networks(encoder, decoder)
        super().__init__(decoder, None, ema_decay, seed, output_range, name)
        self.encoder = encoder
        self.ema_encoder = ema.AveragedGenerator(encoder)
        self.likelihood: likelihoods.Likelihood | None = None
        self.built = True

    @property
    def decoder(self) -> keras.Model:
        """The generator, from codes to images."""
        return self.generator

    @property
    def averages(self) -> list[ema.AveragedGenerator]:
        return [self.ema_generator, self.ema_encoder]

    @property
    def generator_optimizer(self) -> keras.optimizers.Optimizer:
        """The optimizer of all that trains."""
        return self.optimizer

    @property
    def log_keys(self) -> tuple[str, ...]:
        """Log keys of a step."""
        return (*LOG_KEYS, "g_gradient_norm", "g_regularization")

    def compile(
        self,
        optimizer: Any = None,
        likelihood: Any = "gaussian",
        *,
        beta: Any = 1.0,
        free_bits: float = 0.0,
        samples: int = 1,
        loss_scaling: bool = True,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        **unknown: Any,
    ) -> None:
        """Configures how both networks are trained.

        Args:
            optimizer: `keras.optimizers.Optimizer` or its name, which trains both.
            likelihood: `"gaussian"`, `"bernoulli"`, `"continuous_bernoulli"` or an
                object of `ganlab.likelihoods`. The last takes a decoder that ends on
                `ganlab.networks.Langevin`.
            beta: Float, 0 or more: the weight of the rate. Or a function of the step,
                such as `ganlab.schedules.WarmUp`.
            free_bits: Float, 0 or more: nats of a component under which its part of
                the rate, a mean over the batch, costs no more. See
                `ganlab.objectives.bound.floored`.
            samples: Integer `k`, 1 or more: codes that are drawn of each image. With
                more than 1 the importance-weighted bound is trained, which has no
                place for `beta` and `free_bits`.
            loss_scaling: See `ganlab.GAN.compile`, as for the arguments that follow.
            run_eagerly: See there.
            steps_per_execution: See there.
            jit_compile: See there.

        Raises:
            UserError: for an argument that it does not take, numbers out of range, or
                a decoder that the likelihood cannot be computed from.
        """
        autoencoding.check_compile(optimizer, beta, free_bits, unknown)
        calls.check_flags(
            loss_scaling=loss_scaling,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
        )
        self.samples = as_count("samples", samples)
        if self.samples > 1 and (beta != 1.0 or free_bits):
            raise UserError(
                "Expected beta=1 and free_bits=0 with several samples, whose bound has "
                f"no rate of its own. Received: samples={samples}; leave one out"
            )
        self.likelihood = likelihoods.get(likelihood)
        self.outputs_of = autoencoding.outputs_of(
            self.decoder, self.likelihood, self.output_range
        )
        self.beta, self.free_bits = beta, float(free_bits)
        self.loss_scaling = loss_scaling
        self.trained_generator = Together([self.decoder, self.encoder, self.likelihood])
        prepared = optimizers.prepare_one(
            optimizer, self.trained_generator, "vae", loss_scaling=loss_scaling
        )
        trained = self.trained_generator.trainable_variables
        self._trained = lambda: trained
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.log_keys}
        super().compile(
            optimizer=prepared,
            run_eagerly=run_eagerly,
            steps_per_execution=as_count("steps_per_execution", steps_per_execution),
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )
        self.given_jit_compile = jit_compile  # Keras keeps what it resolves to here

    def make_train_function(self, force: bool = False) -> None:
        if self.compiled:
            optimizers.check_unchanged(self.trained_generator, self._trained())
        super().make_train_function(force)
        first_batch.check_next(self, "train_function", 1)

    def make_test_function(self, force: bool = False) -> None:
        super().make_test_function(force)
        first_batch.check_next(self, "test_function", 1)

    def check_batch(self, data: Any, unit: int) -> None:
        """Raises `UserError` unless a first batch is what the networks can learn from.

        Args:
            data: A batch of values, as `train_step` gets it.
            unit: Integer: the fewest images that it may hold.
        """
        first_batch.check(self, data, unit)

    def train_step(self, data: Any) -> dict[str, Any]:
        images, _ = reading.read(self, data)
        pixels = self.step_seed(0, seeds.PIXELS)
        codes = self.step_seed(0, seeds.LATENTS)
        network = self.trained_generator
        with tf.GradientTape() as tape:
            logs = self._terms(images, pixels, codes, training=True)
            added = forward.added_losses(network) + forward.regularizations(network)
            if added:
                logs["g_regularization"] = forward.total_of(added)
                logs["loss"] += ops.cast(logs["g_regularization"], logs["loss"].dtype)
            loss = optimizers.scaled_loss(logs["loss"], self.optimizer)
        gradients = tape.gradient(loss, network.trainable_variables)
        logs["g_gradient_norm"] = optimizers.apply(self.optimizer, network, gradients)
        self._update_ema()
        self.step.assign_add(1)
        return self.update_metrics(logs)

    def test_step(self, data: Any) -> dict[str, Any]:
        images, _ = reading.read(self, data)
        fold_in = tf.random.experimental.stateless_fold_in
        seed = fold_in(self.step_seed(0, seeds.EVALUATION), self.evaluated)
        self.evaluated.assign_add(1)
        return self.update_metrics(
            self._terms(images, fold_in(seed, 0), fold_in(seed, 1), training=False)
        )

    def _terms(
        self, images: Any, pixels: Any, codes: Any, *, training: bool
    ) -> dict[str, Any]:
        """Loss, rate, distortion, bound and beta of a batch, by log key.

        Args:
            images: Float tensor `(batch, ...)`.
            pixels: Int tensor `(2,)`: seeds what is drawn of the pixels.
            codes: Likewise, of the codes.
            training: Boolean.
        """
        weighed = autoencoding.weigh(
            self, images, self.samples, pixels, codes, training=training
        )
        rate = ops.mean(ops.sum(weighed.divergences, axis=-1))
        distortion = -ops.mean(weighed.log_densities)
        beta = self.beta(self.step) if callable(self.beta) else self.beta
        if self.samples > 1:
            value = ops.mean(bound.importance_weighted(weighed.log_weights))
            loss = -value
        else:
            value = -(distortion + rate)
            paid = rate
            if self.free_bits:
                paid = bound.floored(weighed.divergences, self.free_bits)
            loss = distortion + ops.cast(beta, paid.dtype) * paid
        beta = ops.cast(beta, "float32")
        return dict(zip(LOG_KEYS, (loss, rate, distortion, value, beta), strict=True))

    def update_metrics(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Adds a step's numbers to the running means, and returns those."""
        scaled = optimizers.is_scaled(self.optimizer)
        for name, value in logs.items():
            weight = None
            if scaled and name == "g_gradient_norm":  # loss scaling skips such steps
                weight = ops.isfinite(value)
                value = ops.where(weight, value, 0.0)
            self.trackers[name].update_state(value, sample_weight=weight)
        return {name: self.trackers[name].result() for name in logs}

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Makes both networks compute in float32 with averaged weights, for calls."""
        self.follow_untrained()
        pairs = [pair for average in self.averages for pair in average.pairs()]
        values = [(v, ops.convert_to_tensor(average)) for v, average in pairs]
        with (
            keras.StatelessScope(values),
            computing_in_float32(self.encoder),
            computing_in_float32(self.decoder),
        ):
            yield

    def encode(self, images: Any) -> tuple[np.ndarray, np.ndarray]:
        """The codes of images, `q(z | x)`.

        Args:
            images: Uint8 array `(n, ...)` of images, or floats in `output_range`.

        Returns:
            Two float32 arrays `(n, latent_dim)`, the means and the standard deviations.
        """
        images = reading.as_images(self, images, self.image_shape)
        prepared = autoencoding.prepared(self, images, None)
        with self.averaged():
            parts = [
                forward.call(self.encoder, part, None, training=False)
                for part in autoencoding.parts(prepared, AT_ONCE)
            ]
        codes = np.concatenate([ops.convert_to_numpy(part) for part in parts])
        means, log_variances = np.split(codes.astype(np.float32), 2, axis=-1)
        return means, np.exp(0.5 * log_variances)

    def reconstruct(self, images: Any) -> np.ndarray:
        """What the decoder makes of the means of images' codes.

        Args:
            images: See `encode`.

        Returns:
            Uint8 array `(n, height, width, channels)`, as of `sample`.
        """
        return self._stored(self.encode(images)[0])

    def interpolate(self, first: Any, second: Any, steps: int = 8) -> np.ndarray:
        """Images between pairs of images, along lines between the means of their codes.

        Args:
            first: See `encode`.
            second: As many images.
            steps: Integer, 2 or more: images of a row, reconstructions of both at its
                ends.

        Returns:
            Uint8 array `(n, steps, height, width, channels)`.
        """
        steps = as_count("steps", steps, 2)
        ends = self.encode(first)[0], self.encode(second)[0]
        if len(ends[0]) != len(ends[1]):
            raise UserError(
                "Expected as many images at both ends. Received: "
                f"{len(ends[0])} and {len(ends[1])}; pass pairs"
            )
        places = np.linspace(0.0, 1.0, steps, dtype=np.float32)[:, None]
        codes = ends[0][:, None] * (1.0 - places) + ends[1][:, None] * places
        images = self._stored(codes.reshape(-1, self.latent_dim))
        return images.reshape(-1, steps, *images.shape[1:])

    def _stored(self, codes: np.ndarray) -> np.ndarray:
        return autoencoding.stored(self, self.generate(codes))

    def log_likelihood(
        self, images: Any, samples: int = 200, seed: int = 0
    ) -> np.ndarray:
        """Estimates `log p(x)` by importance sampling from `q(z | x)`.

            log p(x) ~ log 1/k sum_i p(x | z_i) p(z_i) / q(z_i | x)

        It lies under log p(x) on average, the less the more samples. Nats of one
        likelihood compare with those of another only where both are of the same pixels:
        binary, in [0, 1] (continuous Bernoulli), or in `output_range` (Gaussian).

        Args:
            images: See `encode`.
            samples: Integer `k`, 1 or more.
            seed: Integer, 0 or more.

        Returns:
            Float64 array `(n,)`, in nats.

        Reference:
            [Burda et al., 2015](https://arxiv.org/abs/1509.00519), section 5
        """
        samples = as_count("samples", samples)
        seed = as_count("seed", seed, 0)
        if self.likelihood is None:
            raise UserError(
                "Expected a compiled VAE. Received: one without a likelihood; call "
                "compile first"
            )
        images = reading.as_images(self, images, self.image_shape)
        with self.averaged():
            return autoencoding.log_likelihoods(self, images, samples, seed)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("num_classes")
        decoder = config.pop("generator")
        encoder = compatibility.network_config(self.encoder)
        return {**config, "encoder": encoder, "decoder": decoder}

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "likelihood": keras.saving.serialize_keras_object(self.likelihood),
            "beta": serialize(self.beta) if callable(self.beta) else self.beta,
            **{name: getattr(self, name) for name in OPTIONS},
            "jit_compile": self.given_jit_compile,
        }
