"""How is the game going?"""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.periodic import Periodic
from ganlab.callbacks.probe import first_nonfinite
from ganlab.errors import RunError
from ganlab.networks import SpectralNormalization
from ganlab.sampling import class_labels, draw_latents


class TrainingMetrics(Periodic):
    """Logs both players' numbers every so many steps.

    Losses, D(x), D(G(z)), accuracies and gradient norms are means over the
    steps since the last log; update ratios are those of the logged step.
    Spectrally normalised kernels are logged with their largest singular value.

    Args:
        run_log: A `RunLog`.
        batch_size: Integer: real images a step.
        every: Integer: steps between logs.
        wait_timer: The `ganlab.data.wait_timer.WaitTimer` that times the data set, or
            `None`.

    Raises:
        RunError: in `fit`, after the first step whose loss or gradient is not finite;
            the log gets an event that names the first tensor that is not.
    """

    def __init__(self, run_log, batch_size, every=50, wait_timer=None):
        super().__init__(every)
        self.run_log = run_log
        self.batch_size = batch_size
        self.wait_timer = wait_timer

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._window = {}
        self._mark_time()
        self._logged = self._acted

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._seen = {}

    def on_train_batch_begin(self, batch, logs=None):
        if self.is_due(self._epoch_start + batch + self.model.steps_per_execution):
            self._before = [_values(player) for player in self._players()]

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        for name in ("d_loss", "g_loss", "d_gradient_norm", "g_gradient_norm"):
            if not math.isfinite((logs or {}).get(name, 0.0)):
                self._give_up(self._epoch_start + batch + 1, name, logs[name])

    def on_epoch_end(self, epoch, logs=None):
        self._collect()

    def _players(self):
        return self.model.discriminator, self.model.generator

    def _collect(self):
        """Adds to the window what the running means have gained."""
        for name, tracker in self.model.trackers.items():
            now = np.array([float(tracker.total), float(tracker.count)])
            gained = now - self._seen.get(name, 0.0)
            self._window[name] = self._window.get(name, 0.0) + gained
            self._seen[name] = now

    def act(self, step):
        self._collect()
        values = {
            name: float(total / count)
            for name, (total, count) in self._window.items()
            if count
        }
        values |= self._skipped_shares()
        self._window = {}
        optimizers = (
            self.model.discriminator_optimizer,
            self.model.generator_optimizer,
        )
        for key, before, player, optimizer in zip(
            "dg", self._before, self._players(), optimizers, strict=True
        ):
            ratio = _update_ratio(before, _values(player))
            values[f"{key}_update_ratio"] = float(ratio.numpy())
            values[f"{key}_learning_rate"] = float(
                keras.ops.convert_to_numpy(optimizer.learning_rate)
            )
        for layer in self.model.discriminator.layers:
            if isinstance(layer, SpectralNormalization):
                key = f"singular_value/{layer.layer.name}"
                values[key] = layer.singular_value()
        seconds = time.perf_counter() - self._time
        images = (step - self._logged) * self.batch_size
        values["images_per_second"] = images / seconds
        if self.wait_timer is not None:
            waited = self.wait_timer.seconds - self._waited
            values["data_wait_share"] = min(waited / seconds, 1.0)
        self.run_log.scalars(step, values)
        self._logged = step
        self._mark_time()

    def _skipped_shares(self):
        """Steps without a finite gradient, which loss scaling leaves out."""
        steps = self._window["d_loss"][1]
        if self._window["d_gradient_norm"][1] == steps:
            return {}
        return {
            f"{key}_skipped_share": float(
                1.0 - self._window[f"{key}_gradient_norm"][1] / steps
            )
            for key in "dg"
        }

    def _give_up(self, step, name, value):
        latents = draw_latents(16, self.model.latent_dim)
        labels = None
        if self.model.num_classes is not None:
            labels = class_labels(16, self.model.num_classes)
        tensor = first_nonfinite(self.model, latents, labels)
        self.run_log.scalars(step, {name: value})
        self.run_log.event(step, "non_finite", loss=name, tensor=tensor)
        raise RunError(
            f"{name} was {value} at step {step}"
            f"{'' if tensor is None else f', first in {tensor}'}: the run has "
            "diverged; lower the learning rates, or train in float32"
        )

    def _mark_time(self):
        self._time = time.perf_counter()
        if self.wait_timer is not None:
            self._waited = self.wait_timer.seconds


def _values(player):
    return [tf.convert_to_tensor(each) for each in player.trainable_variables]


def _update_ratio(before, after):
    change = [now - then for now, then in zip(after, before, strict=True)]
    return tf.linalg.global_norm(change) / tf.linalg.global_norm(before)
