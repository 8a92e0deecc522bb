"""What do both players look like from inside?

A `Probe` holds a few real images that are trained on and a few that are not,
plays them and as many fake ones through both players as a training step would,
changes nothing, and gives numbers: logits, gradients by layer, units that are
dead or saturated, singular values, how far fakes lie apart, their spectrum.
"""

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from ganlab import metrics
from ganlab.models import forward
from ganlab.networks import SpectralNormalization
from ganlab.networks.precision import in_float32

PROBE_IMAGES = 64
POWER_STEPS = 5
ACTIVE = 0.01  # share of the probe on which a living unit is above 0
SATURATED = 0.99  # of the output's range
LEAST_LEAD = 0.5  # of real logits over fake ones, in standard deviations
MOST_GROUPS = 4
ACTIVATIONS = ("relu", "tanh", "sigmoid")


class Probe:
    """Looks into a GAN with images of its own.

    Args:
        gan: A compiled `ganlab.GAN`.
        real: Float32 images `(n, height, width, channels)` in [-1, 1], or points
            `(n, 2)`, that are trained on; 64 are used.
        held_out: Likewise, that are not trained on; or `None`.
        labels: Int32 array `(n,)` of a conditional GAN, or `None`.
        held_out_labels: Likewise.
        batch_size: Integer: images a training batch has.
        seed: Integer: seeds the latents.
    """

    def __init__(
        self,
        gan,
        real,
        held_out=None,
        labels=None,
        held_out_labels=None,
        *,
        batch_size=PROBE_IMAGES,
        seed=0,
    ):
        self.gan = gan
        self._batch_size = batch_size
        count = min(len(real), PROBE_IMAGES)
        count = max(count - count % gan.packing, gan.packing)
        self._real = np.asarray(real[:count], np.float32)
        self._labels = None if labels is None else np.asarray(labels[:count], np.int32)
        self._held_out, self._held_out_labels = None, None
        if held_out is not None and len(held_out) >= gan.packing:
            many = min(len(held_out), PROBE_IMAGES)
            many -= many % gan.packing
            self._held_out = np.asarray(held_out[:many], np.float32)
            if held_out_labels is not None:
                self._held_out_labels = np.asarray(held_out_labels[:many], np.int32)
        draws = np.random.default_rng([seed, 1])
        self._latents = draws.standard_normal((count, gan.latent_dim), np.float32)
        self._inside = {
            "generator": _Inside(gan.generator),
            "discriminator": _Inside(gan.discriminator),
        }
        self._wide = {
            role: _Inside(in_float32(getattr(gan, role)))
            for role in self._inside
            if any(each.is_half for each in self._inside.values())
        }
        self._directions = {}
        self._threads = ThreadpoolController()
        self._look = tf.function(self._look_in_graph, jit_compile=False)

    def measure(self):
        """Looks once.

        Returns:
            A dict of floats, and a dict of float arrays: the logits of real,
            fake and held-out images.
        """
        with self._threads.limit(limits=1, user_api="blas"):
            return self._measure()

    def _measure(self):
        found = tf.nest.map_structure(lambda x: np.asarray(x, np.float64), self._look())
        logits, fake = found.pop("logits"), found.pop("fake")
        averaged = found.pop("averaged")
        values = {key: float(value) for key, value in found.items()}
        values |= _logit_numbers(logits)
        for role, inside in self._inside.items():
            values |= inside.summary(values, role)
        values |= self._singular_values()
        values |= metrics.pairwise_ratios(self._real, fake, self._labels)
        for side, samples in (("real", self._real), ("fake", fake)):
            values[f"{side}_low"], values[f"{side}_high"] = (
                float(each) for each in np.percentile(samples, [1, 99])
            )
        if fake.ndim == 4:
            values |= metrics.spectrum_gaps(self._real, averaged)
            values["output_saturated_gap"] = _at_the_ends(fake) - _at_the_ends(
                self._real
            )
        for key, optimizer in (
            ("g", self.gan.generator_optimizer),
            ("d", self.gan.discriminator_optimizer),
        ):
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                values[f"{key}_loss_scale"] = float(optimizer.dynamic_scale.numpy())
        return values, logits

    def _look_in_graph(self):
        gan = self.gan
        labels = None if self._labels is None else tf.constant(self._labels)
        weights = {role: each.read() for role, each in self._inside.items()}
        optimizers = {
            "generator": gan.generator_optimizer,
            "discriminator": gan.discriminator_optimizer,
        }
        scales = {
            role: each.scale_loss(tf.constant(1.0)) for role, each in optimizers.items()
        }
        fake, logits, at_logit, gradients, hidden = self._played(
            self._inside, weights, labels, scales
        )
        found = {
            "fake": fake,
            "averaged": forward.call(
                gan.ema_generator, tf.constant(self._latents), labels, False
            ),
            "logits": dict(zip(("real", "fake"), logits, strict=True)),
            "g_logit_gradient": tf.reduce_sum(tf.abs(at_logit)),
            "ema_distance": self._ema_distance(),
        }
        for role, inside in self._inside.items():
            found |= inside.gradient_numbers(gradients[role], role)
            found |= inside.unit_numbers(hidden[role], role)
        if self._wide:
            ones = dict.fromkeys(scales, tf.constant(1.0))
            *_, exact, _ = self._played(self._wide, weights, labels, ones)
            for role, gradient in gradients.items():
                found[f"{role[0]}_gradient_error"] = _relative_error(
                    gradient, exact[role]
                )
        if self._held_out is not None:
            images = forward.pack(tf.constant(self._held_out), gan.packing)
            outputs, _ = self._inside["discriminator"].play(
                weights["discriminator"],
                images,
                None
                if self._held_out_labels is None
                else tf.constant(self._held_out_labels),
            )
            found["logits"]["held_out"] = forward.logits_of(outputs)
        if self._inside["generator"].has_batch_norm:
            found["batch_norm_gap"] = self._batch_norm_gap(weights["generator"], fake)
        return found

    def _played(self, insides, weights, labels, scales):
        """One training step's forward and backward passes, without the step.

        Returns:
            Fakes; logits of real and fake; the gradient of the generator's loss in
            the latter; gradients and outputs of activations by role.
        """
        gan, loss = self.gan, self.gan.objective.loss
        generator, discriminator = insides.values()
        with tf.GradientTape(persistent=True) as tape:
            for each in weights.values():
                tape.watch(each[0])
            drawn, hidden = generator.play(
                weights["generator"], tf.constant(self._latents), labels
            )
            fake = drawn[0]
            seen = [
                forward.pack(each, gan.packing)
                for each in (tf.constant(self._real), fake)
            ]
            (on_real, inner), (on_fake, _) = (
                discriminator.play(weights["discriminator"], images, labels)
                for images in seen
            )
            logits = [forward.logits_of(each) for each in (on_real, on_fake)]
            tape.watch(logits[1])
            losses = {
                "generator": loss.generator(*logits),
                "discriminator": loss.discriminator(*logits),
            }
            scaled = {role: scales[role] * value for role, value in losses.items()}
        gradients = {
            role: [
                None if each is None else tf.cast(each, tf.float32) / scales[role]
                for each in tape.gradient(scaled[role], weights[role][0])
            ]
            for role in insides
        }
        at_logit = tape.gradient(losses["generator"], logits[1])
        outputs = {"generator": hidden, "discriminator": inner}
        return fake, logits, at_logit, gradients, outputs

    def _batch_norm_gap(self, weights, fake):
        """Mean |by batch statistics - by moving ones|, in batches as in training."""
        generator, size = self._inside["generator"], self._batch_size
        latents = tf.constant(self._latents)
        labels = None if self._labels is None else tf.constant(self._labels)
        (settled, *_), _ = generator.play(weights, latents, labels, training=False)
        if size >= len(self._latents):
            return tf.reduce_mean(tf.abs(settled - fake))
        gaps = []
        for first in range(0, len(self._latents) - size + 1, size)[:MOST_GROUPS]:
            some = slice(first, first + size)
            classes = None if labels is None else labels[some]
            (drawn, *_), _ = generator.play(weights, latents[some], classes)
            gaps.append(tf.reduce_mean(tf.abs(settled[some] - drawn)))
        return tf.reduce_mean(gaps)

    def _singular_values(self):
        """The largest singular value of each of D's kernels that is not normalised."""
        found = {}
        for name, variable in self._inside["discriminator"].kernels.items():
            kernel = keras.ops.convert_to_numpy(variable).astype(np.float64)
            matrix = kernel.reshape(-1, kernel.shape[-1])
            start = np.ones(matrix.shape[1])
            direction = self._directions.get(name, start)
            for _ in range(POWER_STEPS):
                direction = matrix.T @ (matrix @ direction)
                direction /= np.linalg.norm(direction) + 1e-300
            self._directions[name] = direction
            found[f"singular_value/{name}"] = float(np.linalg.norm(matrix @ direction))
        largest = max(found.values(), default=None)
        return found if largest is None else found | {"d_singular_value": largest}

    def _ema_distance(self):
        """|weights - averaged weights| / |weights| of the generator."""
        weights, averages = (
            [tf.cast(each, tf.float32) for each in player.weights]
            for player in (self.gan.generator, self.gan.ema_generator)
        )
        pairs = [
            (weight, average)
            for weight, average, variable in zip(
                weights, averages, self.gan.generator.weights, strict=True
            )
            if variable.trainable
        ]
        gap = tf.linalg.global_norm([weight - average for weight, average in pairs])
        return tf.math.divide_no_nan(
            gap, tf.linalg.global_norm([weight for weight, _ in pairs])
        )


class _Inside:
    """A player that also gives what its layers put out, and updates nothing."""

    def __init__(self, player):
        self.units = {}
        for layer in player.layers:
            kind = _activation(layer)
            if kind is not None:
                self.units[layer.name] = kind, layer.output
        outputs = [*player.outputs, *(output for _, output in self.units.values())]
        self._num_outputs = len(player.outputs)
        self._takes_labels = len(player.inputs) == 2
        self._model = keras.Model(player.inputs, outputs)
        layers = player.layers
        self.is_half = any(
            each.compute_dtype in ("float16", "bfloat16") for each in layers
        )
        self.has_batch_norm = any(
            isinstance(layer, keras.layers.BatchNormalization) for layer in layers
        )
        self.kernels = {
            layer.name: layer.kernel
            for layer in layers
            if not isinstance(layer, SpectralNormalization)
            and getattr(layer, "kernel", None) is not None
        }
        trained = [id(variable) for variable in self._model.trainable_variables]
        self._places = {
            name: trained.index(id(variable))
            for name, variable in self.kernels.items()
            if id(variable) in trained
        }

    def read(self):
        """Trainable and other weights as tensors, for a tape to watch."""
        model = self._model
        return [
            [tf.convert_to_tensor(each) for each in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]

    def play(self, weights, inputs, labels, training=True):
        """The player's outputs, and those of its activations by name."""
        inputs = [inputs, labels] if self._takes_labels else inputs
        outputs, _ = self._model.stateless_call(*weights, inputs, training=training)
        if not isinstance(outputs, (list, tuple)):
            outputs = [outputs]
        own = list(outputs[: self._num_outputs])
        return own, dict(zip(self.units, outputs[self._num_outputs :], strict=True))

    def gradient_numbers(self, gradients, role):
        """Root mean square of each kernel's gradient, and the share that is 0."""
        found = {}
        for name, place in self._places.items():
            if gradients[place] is not None:
                found[f"gradient/{role}/{name}"] = tf.sqrt(
                    tf.reduce_mean(tf.square(gradients[place]))
                )
        flat = [tf.reshape(each, [-1]) for each in gradients if each is not None]
        none = tf.reduce_mean(tf.cast(tf.concat(flat, 0) == 0.0, tf.float32))
        return found | {f"{role[0]}_zero_gradient_share": none}

    def unit_numbers(self, outputs, role):
        """By activation: the share of its units that are dead, or saturated."""
        found = {}
        for name, output in outputs.items():
            kind, output = self.units[name][0], tf.cast(output, tf.float32)
            if kind == "relu":
                axes = list(range(len(output.shape) - 1))
                active = tf.reduce_mean(tf.cast(output > 0, tf.float32), axes)
                found[f"dead/{role}/{name}"] = tf.reduce_mean(
                    tf.cast(active < ACTIVE, tf.float32)
                )
            else:
                slope = 1.0 - output**2 if kind == "tanh" else output * (1.0 - output)
                found[f"slope/{role}/{name}"] = tf.reduce_mean(slope)
                centred = output if kind == "tanh" else 2.0 * output - 1.0
                found[f"saturated/{role}/{name}"] = tf.reduce_mean(
                    tf.cast(tf.abs(centred) > SATURATED, tf.float32)
                )
        return found

    def summary(self, values, role):
        """The worst layer's numbers, and how much gradient reaches the first."""
        found, key = {}, role[0]
        for what, name in (("dead", "dead_share"), ("saturated", "saturated_share")):
            shares = [
                value
                for each, value in values.items()
                if each.startswith(f"{what}/{role}/") and not each.endswith("/images")
            ]
            if shares:
                found[f"{key}_{name}"] = max(shares)
        passed = [
            value
            for each, value in values.items()
            if each.startswith(f"slope/{role}/") and not each.endswith("/images")
        ]
        if passed:
            found[f"{key}_activation_gradient"] = float(np.prod(passed))
        slopes = [
            values[f"gradient/{role}/{name}"]
            for name in self._places
            if f"gradient/{role}/{name}" in values
        ]
        if len(slopes) > 1 and slopes[-1] > 0:
            found[f"{key}_gradient_ratio"] = slopes[0] / slopes[-1]
        return found


def _relative_error(gradients, exact):
    """|gradients - exact| / |exact| over all weights."""
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(gradients, exact, strict=True)
        if ours is not None
    ]
    gap = tf.linalg.global_norm([ours - theirs for ours, theirs in pairs])
    return gap / (tf.linalg.global_norm([theirs for _, theirs in pairs]) + 1e-30)


def _activation(layer):
    """Which of `ACTIVATIONS` a layer ends on, or `None`."""
    if isinstance(layer, keras.layers.ReLU):
        return "relu"
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    return name if name in ACTIVATIONS else None


def _logit_numbers(logits):
    """Numbers of the logits `(n, 1)` of real, fake and held-out images.

    - `gradient_thrown_away`: the share of the non-saturating gradient, in the
      logit, that the saturating (minimax) loss has not: 1 - sum sigmoid(l) / sum
      sigmoid(-l) over fake logits, 0 where D does not win.
    - `real_sign`: mean sign of the real logits, ADA's r_t.
    - `overfit_gap`: how far held-out images lie from trained ones towards the
      fakes, ADA's r_v: 0 without overfitting, 1 where they pass for fake. Left
      out where both sides lie too close together to tell.
    """
    real, fake = logits["real"], logits["fake"]
    with np.errstate(over="ignore"):
        sure = 1.0 / (1.0 + np.exp(-fake))
    lead = real.mean() - fake.mean()
    found = {
        "logit_real": real.mean(),
        "logit_fake": fake.mean(),
        "logit_spread": np.concatenate([real, fake]).std(),
        "real_sign": np.sign(real).mean(),
        "gradient_thrown_away": max(
            0.0, 1.0 - sure.sum() / max((1.0 - sure).sum(), 1e-300)
        ),
    }
    if "held_out" in logits:
        found["logit_held_out"] = logits["held_out"].mean()
        if lead > LEAST_LEAD * found["logit_spread"] > 0:
            gap = real.mean() - logits["held_out"].mean()
            found["overfit_gap"] = gap / lead
    return {key: float(value) for key, value in found.items()}


def _at_the_ends(images):
    """Share of values within 1 % of the range's ends."""
    return float(np.mean(np.abs(images) > SATURATED))


def first_nonfinite(gan, latents, labels=None):
    """Names the first tensor that is not finite, from the noise to the logit.

    Args:
        gan: A `ganlab.GAN`.
        latents: Float32 array `(n, latent_dim)`.
        labels: Int32 array `(n,)` of a conditional GAN, or `None`.

    Returns:
        A string such as `"generator/project/kernel"` or, of an activation,
        `"discriminator/conv2d output"`; `None` if all are finite.
    """
    inputs = tf.constant(latents)
    for role, player in (
        ("generator", gan.generator),
        ("discriminator", gan.discriminator),
    ):
        model = keras.Model(player.inputs, [layer.output for layer in player.layers])
        takes = [inputs, tf.constant(labels)] if len(player.inputs) == 2 else inputs
        weights = (model.trainable_variables, model.non_trainable_variables)
        outputs, _ = model.stateless_call(*weights, takes, training=True)
        for layer, output in zip(player.layers, outputs, strict=True):
            for weight in layer.weights:
                if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                    return f"{role}/{layer.name}/{weight.name}"
            first = output[0] if isinstance(output, (list, tuple)) else output
            first = tf.cast(first, tf.float32)
            if not np.isfinite(first.numpy()).all():
                return f"{role}/{layer.name} output"
        inputs = forward.pack(tf.cast(outputs[-1], tf.float32), gan.packing)
    return None
