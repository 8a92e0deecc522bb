"""Measures both networks from inside, on images of its own.

A `Probe` runs a few real images and as many fakes through both networks as a training
step would, and changes nothing.
"""

import contextlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from ganlab.callbacks.probe_measures import (
    SingularValues,
    logit_measures,
    logit_slope,
    sample_measures,
)
from ganlab.callbacks.probe_network import (
    ProbeNetwork,
    Weights,
    direction,
    relative_error,
)
from ganlab.callbacks.probe_passes import ROLES, Passes
from ganlab.callbacks.probe_samples import (
    MAX_PROBED,
    data_measures,
    effect,
    learned_lead,
    num_probed,
    paired_lead,
)
from ganlab.callbacks.probe_structure import structure_measures
from ganlab.data import kinds
from ganlab.models import forward
from ganlab.models.compatibility import takes_probabilities
from ganlab.models.gan import GAN
from ganlab.networks.precision import computing_in_float32

MAX_GROUPS = 4


class Probe:
    """Measures a GAN with images of its own.

    Args:
        gan: A compiled `ganlab.GAN`.
        real: Float32 samples `(n, ...)` that are trained on, as the networks take
            them; `num_probed` go through the networks, and `num_samples` are compared
            by themselves.
        held_out: Likewise, that are not trained on; or `None`.
        labels: Int32 array `(n,)` of a conditional GAN, or `None`.
        held_out_labels: Likewise.
        batch_size: Integer: images a training batch has.
        seed: Integer: seeds the latents.
        learns: Boolean: whether what the discriminator learned since an earlier
            measurement is measured too.

    `passes` are the `Passes` through both networks; `directions`, by layer, are those
    that the next power iteration goes on from.
    """

    def __init__(
        self,
        gan: GAN,
        real: np.ndarray,
        held_out: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        held_out_labels: np.ndarray | None = None,
        *,
        batch_size: int = MAX_PROBED,
        seed: int = 0,
        learns: bool = False,
    ) -> None:
        self.gan = gan
        self._stepping = ROLES if learns else ROLES[:1]
        self._batch_size = batch_size
        most = num_probed(real.shape[1:])
        count = max(_whole_packs(min(len(real), most), gan.packing), gan.packing)
        self._real = np.asarray(real[:count], np.float32)
        self._labels = _as_labels(labels, count)
        self._held_out, self._held_out_labels = None, None
        if held_out is not None and len(held_out) >= gan.packing:
            held_out_count = _whole_packs(min(len(held_out), most), gan.packing)
            held_out_count = max(held_out_count, gan.packing)
            self._held_out = np.asarray(held_out[:held_out_count], np.float32)
            self._held_out_labels = _as_labels(held_out_labels, held_out_count)
        kind = kinds.of_shape(self._real.shape[1:])
        self._facts = data_measures(real, labels, pictorial=kind.pictorial)
        self._facts |= structure_measures(gan.generator, gan.discriminator)
        generator = np.random.default_rng([seed, 1])
        latents = generator.standard_normal((count, gan.latent_dim), np.float32)
        self._networks = {role: ProbeNetwork(getattr(gan, role)) for role in ROLES}
        self.passes = Passes(gan, self._networks, self._real, latents)
        self._singular_values = SingularValues()
        self.directions = self._singular_values.directions
        self._threads = ThreadpoolController()
        self._measure_in_graph = tf.function(self._measure_tensors, jit_compile=False)

    def trained_weights(self, role: str) -> list[Any]:
        """A network's trainable weights as tensors, for `measure` later."""
        return self._networks[role].read().trainable

    def measure(
        self,
        generator_before: list[Any] | None = None,
        discriminator_before: list[Any] | None = None,
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Measures once: the GAN as it is, or in a `keras.StatelessScope` as it was.

        Args:
            generator_before: The generator's `trained_weights` before its last step,
                whose gain is then measured, or `None`.
            discriminator_before: The discriminator's of some time ago, likewise; of a
                probe that `learns`.

        Returns:
            A dict of floats, and a dict of float arrays: the logits of real,
            fake and held-out images.
        """
        with self._threads.limit(limits=1, user_api="blas"):
            return self._measure(generator_before, discriminator_before)

    def _measure(
        self, generator_before: list[Any] | None, discriminator_before: list[Any] | None
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        given = dict(zip(ROLES, (generator_before, discriminator_before), strict=True))
        earlier = {
            role: self.trained_weights(role) if given[role] is None else given[role]
            for role in self._stepping
        }
        arrays = tf.nest.map_structure(
            lambda tensor: np.asarray(tensor, np.float64),
            self._measure_in_graph(earlier, [value for _, value in state_of(self.gan)]),
        )
        logits, fake = arrays.pop("logits"), arrays.pop("fake")
        stepped = arrays.pop("stepped")
        averaged, moved = arrays.pop("averaged"), arrays.pop("moved")
        settled, relabelled = arrays.pop("settled"), arrays.pop("relabelled", None)
        mislabelled = arrays.pop("mislabelled_logits", None)
        values = {name: float(array) for name, array in arrays.items()}
        values |= self._facts | logit_measures(logits)
        if len(fake) == logits["fake"].size:
            values["logit_slope"] = logit_slope(
                np.concatenate([self._real, fake]),
                np.concatenate([logits["real"], logits["fake"]]),
            )
        if takes_probabilities(self.gan.objective.loss):
            del values["logit_lowest"], values["logit_highest"]
        if generator_before is not None:
            values["g_step_gain"] = paired_lead(stepped["fake"], stepped["old fake"])
        if discriminator_before is not None:
            values["d_gain"] = learned_lead(stepped)
        values["latent_effect"] = effect(moved, settled, self._real)
        if relabelled is not None:
            values["label_effect"] = effect(relabelled, settled, self._real)
            values["label_lead"] = paired_lead(logits["real"], mislabelled)
        for role, network in self._networks.items():
            values |= network.summarize(values, role)
        values |= self._singular_values.measure(
            {
                name: keras.ops.convert_to_numpy(kernel)
                for name, kernel in self._networks["discriminator"].kernels.items()
            }
        )
        values |= sample_measures(
            self._real, fake, averaged, self._labels, self.gan.output_range
        )
        for role, optimizer in self._optimizers().items():
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                scale = keras.ops.convert_to_numpy(optimizer.dynamic_scale)
                values[f"{role[0]}_loss_scale"] = float(scale)
        return values, logits

    def _optimizers(self) -> dict[str, Any]:
        return {role: getattr(self.gan, f"{role}_optimizer") for role in ROLES}

    def _measure_tensors(
        self, earlier: dict[str, list[Any]], state: list[Any]
    ) -> dict[str, Any]:
        """Everything that needs the networks, as tensors, in one graph."""
        with keras.StatelessScope(zip(_variables(self.gan), state, strict=True)):
            return self._measure_networks(earlier)

    def _measure_networks(self, earlier: dict[str, list[Any]]) -> dict[str, Any]:
        gan = self.gan
        labels = _as_constant(self._labels)
        weights = {role: network.read() for role, network in self._networks.items()}
        scales = {
            role: optimizer.scale_loss(tf.constant(1.0))
            for role, optimizer in self._optimizers().items()
        }
        step = self.passes.run_step(weights, labels, scales)
        averaged = gan.draw(tf.constant(self.passes.latents), labels)
        measures: dict[str, Any] = {
            "fake": step.fake,
            "averaged": averaged,
            "logits": {"real": step.real_logits, "fake": step.fake_logits},
            "g_logit_gradient": tf.reduce_sum(tf.abs(step.logit_gradient)),
            "g_logit_direction": direction(-step.logit_gradient),
            "d_logit_direction": direction(
                -step.d_logit_gradients[0], step.d_logit_gradients[1]
            ),
            "ema_distance": self._ema_distance(),
        }
        changed = self.passes.change_inputs(weights, labels)
        measures |= changed
        if self._networks["discriminator"].is_random:
            measures["d_noise_share"] = self.passes.noise_share(
                weights["discriminator"], step.fake, labels
            )
        measures["stepped"] = self.passes.judge_earlier(
            weights, earlier, labels, changed["settled"]
        )
        for role, network in self._networks.items():
            measures |= network.gradient_measures(step.gradients[role], role)
            measures |= network.activation_measures(step.activations[role], role)
        if any(network.is_half for network in self._networks.values()):
            ones = dict.fromkeys(scales, tf.constant(1.0))
            with contextlib.ExitStack() as stack:
                for role in ROLES:
                    stack.enter_context(computing_in_float32(getattr(gan, role)))
                exact = self.passes.run_step(weights, labels, ones)
            for role in ROLES:
                measures[f"{role[0]}_gradient_error"] = relative_error(
                    step.gradients[role], exact.gradients[role]
                )
        if self._held_out is not None:
            outputs = self._networks["discriminator"].call(
                weights["discriminator"],
                forward.pack(tf.constant(self._held_out), gan.packing),
                _as_constant(self._held_out_labels),
            )
            measures["logits"]["held_out"] = forward.logits_of(outputs.own)
        if self._networks["generator"].has_batch_norm:
            measures["batch_norm_gap"] = self._batch_norm_gap(
                weights["generator"], step.fake, changed["settled"]
            )
        return measures

    def _batch_norm_gap(self, weights: Weights, fake: Any, settled: Any) -> Any:
        """Mean |by batch statistics - by moving ones|, in batches as in training.

        It is on the scale of [-1, 1], whatever the generator's range.

        Args:
            weights: The generator's.
            fake: Images by batch statistics, all in one batch.
            settled: The same by moving statistics.
        """
        generator, size = self._networks["generator"], self._batch_size
        latents, labels = tf.constant(self.passes.latents), _as_constant(self._labels)
        low, high = self.gan.output_range
        unit = (high - low) / 2.0
        if size >= len(self.passes.latents):
            return tf.reduce_mean(tf.abs(settled - fake)) / unit
        gaps = []
        for first in range(0, len(self.passes.latents) - size + 1, size)[:MAX_GROUPS]:
            group = slice(first, first + size)
            group_labels = None if labels is None else labels[group]
            trained = generator.call(weights, latents[group], group_labels).own[0]
            gaps.append(tf.reduce_mean(tf.abs(settled[group] - trained)))
        return tf.reduce_mean(gaps) / unit

    def _ema_distance(self) -> Any:
        """|weights - averaged weights| / |weights| of the generator."""
        weights, changes = [], []
        for weight, average in self.gan.ema_generator.pairs():
            if weight.trainable:
                weights.append(tf.cast(weight, tf.float32))
                changes.append(weights[-1] - tf.cast(average, tf.float32))
        return tf.math.divide_no_nan(
            tf.linalg.global_norm(changes), tf.linalg.global_norm(weights)
        )


def state_of(gan: GAN) -> list[tuple[keras.Variable, Any]]:
    """All variables that a probe reads, with their values as a `StatelessScope` takes.

    The values are tensors, which later updates of the variables do not change.
    """
    return [(variable, tf.convert_to_tensor(variable)) for variable in _variables(gan)]


def _variables(gan: GAN) -> list[keras.Variable]:
    networks = (gan.generator, gan.discriminator, gan.ema_generator)
    variables = [variable for network in networks for variable in network.variables]
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            variables.append(optimizer.dynamic_scale)
    return list({id(variable): variable for variable in variables}.values())


def _whole_packs(count: int, packing: int) -> int:
    """How many of `count` samples make whole packs."""
    return count - count % packing


def _as_labels(labels: np.ndarray | None, count: int) -> np.ndarray | None:
    return None if labels is None else np.asarray(labels[:count], np.int32)


def _as_constant(labels: np.ndarray | None) -> Any:
    return None if labels is None else tf.constant(labels)
