"""What a VAE computes of a batch: codes, densities, importance weights."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.data import kinds
from ganlab.errors import UserError, brief
from ganlab.models import compatibility, forward, signature
from ganlab.networks.logits import ending
from ganlab.networks.output_range import output_range as range_of
from ganlab.objectives import bound
from ganlab.objectives.arguments import check_schedule, is_number
from ganlab.objectives.likelihoods import ContinuousBernoulli, Likelihood

if TYPE_CHECKING:
    from ganlab.models.vae import VAE

CLIP = 1e-6  # of means whose logits are taken
MAX_DECODED = 2048  # images at once in `log_likelihoods`
MAX_CODES = 128  # of one image at once, there


def check_networks(encoder: Any, decoder: Any) -> None:
    """Raises `UserError` unless an encoder and a decoder fit together."""
    for role, network in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(network, keras.Model):
            raise UserError(
                f"Expected a keras.Model as {role}. Received: {brief(network)}; build "
                "one, such as ganlab.networks.dcgan_encoder or dcgan_generator"
            )
    latents = compatibility.latent_specs(decoder, None)
    codes = [tuple(spec.shape[1:]) for spec in latents]
    if len(codes) != 1 or len(codes[0]) != 1 or codes[0][0] is None:
        raise UserError(
            "Expected a decoder of codes (batch, latent_dim). Received: inputs of "
            f"{codes}; take one vector"
        )
    (size,) = codes[0]
    taken = keras.tree.flatten(signature.input_specs(encoder))
    given = signature.output_specs(encoder)
    if [tuple(spec.shape[1:]) for spec in given] != [(2 * size,)]:
        raise UserError(
            f"Expected an encoder to (batch, {2 * size}), means and log variances of "
            f"the decoder's {size} components. Received: "
            f"{[tuple(spec.shape) for spec in given]}; end it on "
            f"keras.layers.Dense({2 * size})"
        )
    image = tuple(signature.output_specs(decoder)[0].shape[1:])
    if [tuple(spec.shape[1:]) for spec in taken] != [image]:
        raise UserError(
            f"Expected an encoder of the decoder's images, {image}. Received: one of "
            f"{[tuple(spec.shape[1:]) for spec in taken]}; build both for one size"
        )


def check_compile(
    optimizer: Any, beta: Any, free_bits: Any, unknown: dict[str, Any]
) -> None:
    """Raises `UserError` for what a VAE cannot be compiled with."""
    if unknown:
        fix = "pass likelihood" if "loss" in unknown else "leave it out"
        raise UserError(
            "Expected the arguments of VAE.compile. Received: "
            f"{', '.join(unknown)}; {fix}"
        )
    if optimizer is None:
        raise UserError(
            "Expected an optimizer. Received: None; pass keras.optimizers.Adam(1e-3)"
        )
    check_schedule("beta", beta)
    if not is_number(free_bits) or free_bits < 0.0:
        raise UserError(f"Expected free_bits of 0 or more. Received: {free_bits!r}")


def outputs_of(
    decoder: keras.Model, likelihood: Likelihood, image_range: tuple[float, float]
) -> Callable[..., Any]:
    """The function from codes to what a likelihood takes.

    Logits are the decoder's own, before its last activation, where that gives the
    whole range of images; otherwise those of its means, but for 1e-6 at both ends.

    Raises:
        UserError: for a continuous Bernoulli of other means.
    """

    def means(codes: Any, *, training: bool) -> Any:
        return forward.call(decoder, codes, None, training=training)

    if likelihood.takes == "images":
        return means
    last = ending(decoder)
    if range_of(decoder) != image_range:
        last = None
    curved = last is not None and last.activation == "langevin"
    if isinstance(likelihood, ContinuousBernoulli) != curved:
        raise UserError(
            "Expected a decoder that ends on ganlab.networks.Langevin with a "
            "continuous Bernoulli, and with no other. Received: "
            f"{type(likelihood).__name__} with {decoder.name!r}; build it with "
            f"output_activation={'tanh' if curved else 'langevin'!r}"
        )
    if last is not None:
        before, factor = last.network, last.factor
        return lambda codes, *, training: (
            factor * forward.call(before, codes, None, training=training)
        )
    low, high = image_range

    def logits(codes: Any, *, training: bool) -> Any:
        shares = (means(codes, training=training) - low) / (high - low)
        shares = ops.clip(shares, CLIP, 1.0 - CLIP)
        return ops.log(shares) - ops.log1p(-shares)

    return logits


class Weighed(NamedTuple):
    """Samples of the codes of a batch, and what they weigh.

    Args:
        divergences: Float tensor `(batch, latent_dim)`: KL of each component.
        log_densities: Float tensor `(samples, batch)`: `log p(x | z)`.
        log_weights: Float tensor `(samples, batch)`: `log p(x, z) - log q(z | x)`.
    """

    divergences: Any
    log_densities: Any
    log_weights: Any


def prepared(vae: "VAE", images: Any, seed: Any) -> Any:
    """Images as they are encoded: see `Likelihood.prepare`."""
    likelihood = vae.likelihood
    if likelihood is None or likelihood.takes == "images":
        return images  # which a VAE that was not compiled encodes as they are
    low, high = vae.output_range
    unit = likelihood.prepare((images - low) / (high - low), seed)
    return unit * (high - low) + low


def weigh(
    vae: "VAE", images: Any, samples: int, pixels: Any, codes: Any, *, training: bool
) -> Weighed:
    """Draws codes of images by `q(z | x)`, and weighs them.

    Args:
        vae: A compiled `ganlab.VAE`.
        images: Float tensor `(batch, ...)`.
        samples: Integer: codes of each image.
        pixels: Int tensor `(2,)`: seeds what is drawn of the pixels.
        codes: Likewise, of the codes.
        training: Boolean.
    """
    images = prepared(vae, images, pixels)
    outputs = forward.call(vae.encoder, images, None, training=training)
    means, log_variances = ops.split(outputs, 2, axis=-1)
    shape = (samples, *(ops.shape(means)[axis] for axis in range(2)))
    noise = tf.random.stateless_normal(shape, codes, dtype=means.dtype)
    drawn = means + ops.exp(0.5 * log_variances) * noise
    flat = ops.reshape(drawn, (-1, vae.latent_dim))
    decoded = vae.outputs_of(flat, training=training)
    decoded = ops.reshape(decoded, (samples, -1, *vae.image_shape))
    likelihood: Any = vae.likelihood
    judged = ops.cast(images, decoded.dtype)
    if likelihood.takes == "logits":
        low, high = vae.output_range
        judged = (judged - low) / (high - low)
    density = likelihood.log_density(judged, decoded)
    log_densities = ops.sum(density, axis=list(range(2, len(density.shape))))
    prior = bound.log_normal(drawn, 0.0, ops.zeros_like(drawn))
    posterior = bound.log_normal(drawn, means, log_variances)
    return Weighed(
        bound.gaussian_kl(means, log_variances),
        log_densities,
        log_densities + prior - posterior,
    )


def log_likelihoods(vae: "VAE", images: Any, samples: int, seed: int) -> np.ndarray:
    """See `ganlab.VAE.log_likelihood`; with the weights that the networks have.

    Args:
        vae: A compiled `ganlab.VAE`.
        images: Float tensor `(n, ...)`.
        samples: Integer.
        seed: Integer.
    """
    counts = [MAX_CODES] * (samples // MAX_CODES)
    counts += [samples % MAX_CODES] if samples % MAX_CODES else []
    size = max(1, MAX_DECODED // counts[0])
    fold_in = tf.random.experimental.stateless_fold_in
    estimates = []
    for index, part in enumerate(parts(images, size)):
        own = fold_in(tf.constant([seed, index], "int64"), 0)
        weights = [
            ops.convert_to_numpy(
                weigh(
                    vae, part, count, own, fold_in(own, 1 + turn), training=False
                ).log_weights
            )
            for turn, count in enumerate(counts)
        ]
        joined = np.concatenate(weights).astype(np.float64)
        most = joined.max(axis=0)
        estimates.append(most + np.log(np.exp(joined - most).mean(axis=0)))
    return np.concatenate(estimates)


def parts(images: Any, size: int) -> Iterator[Any]:
    """Images, so many at a time."""
    for start in range(0, len(images), size):
        yield images[start : start + size]


def stored(vae: "VAE", images: np.ndarray) -> np.ndarray:
    """Decoded images as they are stored: uint8 of pictures."""
    return kinds.of_shape(vae.image_shape).to_stored(images, vae.output_range)
