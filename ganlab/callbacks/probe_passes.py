"""The passes of a probe through both networks, as tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ganlab.callbacks.probe_network import ProbeNetwork, Weights
from ganlab.models import forward
from ganlab.models.gan import GAN

ROLES = ("generator", "discriminator")


@dataclass(frozen=True)
class Pass:
    """One training step's forward and backward passes, without the update.

    Args:
        fake: Fake samples.
        real_logits: Logits of real samples.
        fake_logits: Logits of fake samples.
        logit_gradient: Gradient of the generator's loss in `fake_logits`.
        d_logit_gradients: Gradients of the discriminator's loss in `real_logits` and
            in `fake_logits`.
        gradients: Gradients of each network's loss in its weights, by role.
        activations: Outputs of activations by layer, by role; of real samples for
            the discriminator.
    """

    fake: Any
    real_logits: Any
    fake_logits: Any
    logit_gradient: Any
    d_logit_gradients: tuple[Any, Any]
    gradients: dict[str, list[Any]]
    activations: dict[str, dict[str, Any]]


class Passes:
    """Runs real samples and fakes through both networks.

    Args:
        gan: A compiled `ganlab.GAN`.
        networks: Its `ProbeNetwork`s, by role.
        real: Float32 samples `(n, ...)`, as the networks take them.
        latents: Float32 array `(n, latent_dim)`: of the fakes; an attribute too.
    """

    def __init__(
        self,
        gan: GAN,
        networks: Mapping[str, ProbeNetwork],
        real: np.ndarray,
        latents: np.ndarray,
    ) -> None:
        self._gan = gan
        self._networks = networks
        self._real = real
        self.latents = latents

    def change_inputs(self, weights: dict[str, Weights], labels: Any) -> Any:
        """Fakes of the same, of other latents and of other labels, at inference.

        And the logits of real samples under other labels.
        """
        networks = self._networks

        def generate(latents: Any, wanted: Any) -> Any:
            outputs = networks["generator"].call(
                weights["generator"], latents, wanted, training=False
            )
            return outputs.own[0]

        latents = tf.constant(self.latents)
        changed = {
            "settled": generate(latents, labels),
            "moved": generate(tf.roll(latents, 1, 0), labels),
        }
        if labels is not None:
            others = (labels + 1) % self._gan.num_classes
            real = forward.pack(tf.constant(self._real), self._gan.packing)
            judged = networks["discriminator"].call(
                weights["discriminator"], real, others
            )
            changed["relabelled"] = generate(latents, others)
            changed["mislabelled_logits"] = forward.logits_of(judged.own)
        return changed

    def judge_earlier(
        self,
        weights: dict[str, Weights],
        earlier: dict[str, list[Any]],
        labels: Any,
        fake: Any,
    ) -> dict[str, Any]:
        """Logits at inference of fakes, and of those of the earlier generator.

        Of an earlier discriminator those of real samples too, and `was_`, what it said.
        """
        before = {
            role: Weights(trainable, weights[role].other)
            for role, trainable in earlier.items()
        }
        old_fake = self._networks["generator"].call(
            before["generator"], tf.constant(self.latents), labels, training=False
        )

        def judge(judging: dict[str, Weights], images: Any) -> Any:
            outputs = self._networks["discriminator"].call(
                judging["discriminator"],
                forward.pack(images, self._gan.packing),
                labels,
                training=False,
            )
            return forward.logits_of(outputs.own)

        judged = {
            "fake": judge(weights, fake),
            "old fake": judge(weights, old_fake.own[0]),
        }
        if "discriminator" in before:
            real = tf.constant(self._real)
            judged |= {
                "real": judge(weights, real),
                "was_real": judge(before, real),
                "was_fake": judge(before, fake),
            }
        return judged

    def noise_share(self, weights: Weights, fake: Any, labels: Any) -> Any:
        """The fraction of the logits' variance that comes of the discriminator's noise.

        Dropout and noise make a second logit of the same image another one. 0 where
        they are equal, 1 where nothing of the images is left.
        """
        packs = [
            forward.pack(images, self._gan.packing)
            for images in (tf.constant(self._real), fake)
        ] * 2
        if labels is not None:
            labels = tf.concat([labels] * len(packs), 0)
        judged = self._networks["discriminator"].call(
            weights, tf.concat(packs, 0), labels
        )
        logits = forward.logits_of(judged.own)
        once, again = tf.split(logits, 2)
        noise = tf.reduce_mean(tf.square(once - again)) / 2.0
        return tf.math.divide_no_nan(noise, tf.math.reduce_variance(logits))

    def run_step(
        self, weights: dict[str, Weights], labels: Any, scales: dict[str, Any]
    ) -> Pass:
        """Runs the forward and backward passes of one training step."""
        networks = self._networks
        packing, loss = self._gan.packing, self._gan.objective.loss
        with tf.GradientTape(persistent=True) as tape:
            for role in ROLES:
                tape.watch(weights[role].trainable)
            generated = networks["generator"].call(
                weights["generator"], tf.constant(self.latents), labels
            )
            fake = generated.own[0]
            on_real, on_fake = (
                networks["discriminator"].call(weights["discriminator"], inputs, labels)
                for inputs in (
                    forward.pack(tf.constant(self._real), packing),
                    forward.pack(fake, packing),
                )
            )
            real_logits = forward.logits_of(on_real.own)
            fake_logits = forward.logits_of(on_fake.own)
            tape.watch([real_logits, fake_logits])
            losses = {
                "generator": loss.generator(real_logits, fake_logits),
                "discriminator": loss.discriminator(real_logits, fake_logits),
            }
            scaled = {
                role: scales[role] * tf.cast(losses[role], tf.float32) for role in ROLES
            }
        gradients = {
            role: [
                None if grad is None else tf.cast(grad, tf.float32) / scales[role]
                for grad in tape.gradient(scaled[role], weights[role].trainable)
            ]
            for role in ROLES
        }
        return Pass(
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            logit_gradient=tape.gradient(losses["generator"], fake_logits),
            d_logit_gradients=tape.gradient(
                losses["discriminator"],
                (real_logits, fake_logits),
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            ),
            gradients=gradients,
            activations={
                "generator": generated.activations,
                "discriminator": on_real.activations,
            },
        )
