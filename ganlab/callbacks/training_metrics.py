"""Logs losses, gradient norms, update ratios and speed while training."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.nonfinite import first_nonfinite
from ganlab.callbacks.optimizer_metrics import (
    Optimizers,
    crossed_shares,
    learning_rates,
    optimizers_of,
)
from ganlab.callbacks.periodic import Logs, PeriodicCallback
from ganlab.callbacks.run_log import RunLog
from ganlab.data.wait_timer import WaitTimer
from ganlab.errors import RunError
from ganlab.models.gan import GAN
from ganlab.models.skipping import SKIPPED
from ganlab.networks import SpectralNormalization
from ganlab.sampling import class_labels, draw_latents

WATCHED = ("d_loss", "g_loss", "d_gradient_norm", "g_gradient_norm")
NUM_DIAGNOSED = 16
MAX_SUCCESSIVE = 10  # steps that are left out
BlackBox = Callable[[GAN, int, str], str | None]


class NonFiniteError(RunError):
    """A step's loss or gradient was not finite.

    Args:
        step: Integer: the step, counted from 1.
        loss: Log key of what was not finite.
        value: Its value.
        tensor: Name of the first tensor that was not finite, or `None`.
    """

    def __init__(self, step: int, loss: str, value: float, tensor: str | None) -> None:
        super().__init__(
            f"{loss} was {value} at step {step}"
            f"{'' if tensor is None else f', first in {tensor}'}: the run has "
            "diverged; lower the learning rates, or train in float32"
        )
        self.step, self.loss, self.tensor = step, loss, tensor


class TrainingMetrics(PeriodicCallback):
    """Logs both networks' numbers every so many steps.

    A training shorter than that is logged at its end.

    Losses, D(x), D(G(z)), accuracies and gradient norms are means over the
    steps since the last log; update ratios are those of the logged step, and drifts
    the change of the weights since the last log, as a mean over its steps.
    Spectrally normalised kernels are logged with their largest singular value.

    Args:
        run_log: A `RunLog`.
        batch_size: Integer: real images a step, or `None` where it is not known.
        every: Integer: steps between logs.
        wait_timer: The `WaitTimer` that times the data set, or `None`.
        optimizers: Keras optimizers by `d` and `g`; by default the model's own.
        black_box: Function of the GAN, a step and a log key, which keeps what a step
            that was not finite was given, and names its first tensor that is not, or
            `None` if it cannot tell. By default the first one after the step is named.
        clock: Function without arguments that returns seconds.

    Raises:
        NonFiniteError: in `fit`, after the first step whose loss or gradient is not
            finite; the log gets an event that names the first tensor that is not. Of
            a GAN that leaves such steps out, after 10 in a row; each is an event.
    """

    def __init__(
        self,
        run_log: RunLog,
        batch_size: int | None,
        every: int = 50,
        wait_timer: WaitTimer | None = None,
        *,
        optimizers: Optimizers | None = None,
        black_box: BlackBox | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(every)
        self.black_box = black_box
        self.run_log = run_log
        self.batch_size = batch_size
        self.wait_timer = wait_timer
        self.optimizers = optimizers
        self.clock = clock
        self._window: dict[str, np.ndarray] = {}
        self._seen: dict[str, np.ndarray] = {}
        self._sums_of_epoch: dict[str, list[float]] | None = None
        self._logged_weights: list[list[Any]] = []
        self._before: list[list[Any]] = []
        self._skipped = 0.0  # steps that were left out in this epoch
        self._successive = 0  # and those of them in a row, over epochs

    def state(self) -> dict[str, Any]:
        if self._sums_of_epoch is None:
            self._collect()
        state = {
            **super().state(),
            "window": {name: sums.tolist() for name, sums in self._window.items()},
            "epoch": self._sums_of_epoch
            or {name: sums.tolist() for name, sums in self._seen.items()},
            "logged_step": self._logged_step,
            "successive": self._successive,
            "logged_weights": None,
        }
        if self._logged_step != int(self.model.step.numpy()):
            state["logged_weights"] = [
                [keras.ops.convert_to_numpy(weight) for weight in weights]
                for weights in self._logged_weights
            ]
        return state

    def take_up(self, state: dict[str, Any]) -> None:
        super().take_up(state)
        window = state["window"].items()
        self._window = {name: np.array(sums) for name, sums in window}
        self._sums_of_epoch = state["epoch"]
        self._logged_step = state["logged_step"]
        self._successive = state.get("successive", 0)
        if state["logged_weights"] is not None:
            self._logged_weights = [
                [tf.cast(weight, now.dtype) for weight, now in zip(*pair, strict=True)]
                for pair in zip(
                    state["logged_weights"], self._logged_weights, strict=True
                )
            ]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._window, self._seen, self._sums_of_epoch = {}, {}, {}
        self._logged_step = int(self.model.step.numpy())
        self._logged_weights = [_values(network) for network in self._networks()]
        super().on_train_begin(logs)
        self._begin_interval()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._seen = {}
        if self._sums_of_epoch:
            self._go_on_in_epoch(self._sums_of_epoch)
        self._sums_of_epoch = None
        self._skipped = self._skipped_in_epoch()

    def _go_on_in_epoch(self, sums: dict[str, list[float]]) -> None:
        """Sets the running means of an epoch that a resumed run is in the middle of."""
        if sums["loss"][1] >= self.params["steps"]:
            return
        for name, (total, count) in sums.items():
            self.model.trackers[name].total.assign(total)
            self.model.trackers[name].count.assign(count)
            self._seen[name] = np.array([total, count])

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if self.is_due(self._epoch_start + batch + self.model.steps_per_execution):
            self._before = [_values(network) for network in self._networks()]

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        self._count_skipped(self._epoch_start + batch + 1)
        for name in WATCHED:
            value = (logs or {}).get(name, 0.0)
            if not math.isfinite(value):
                self._give_up(self._epoch_start + batch + 1, name, value)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._collect()

    def on_train_end(self, logs: Logs = None) -> None:
        if int(self.model.step.numpy()) < self.every:
            self.run_at_end()

    def _networks(self) -> tuple[keras.Model, keras.Model]:
        return self.model.discriminator, self.model.generator

    def _collect(self) -> None:
        """Adds to the window by what the running means have grown."""
        for name, tracker in self.model.trackers.items():
            sums = np.array([float(tracker.total), float(tracker.count)])
            growth = sums - self._seen.get(name, 0.0)
            self._window[name] = self._window.get(name, 0.0) + growth
            self._seen[name] = sums

    def run(self, step: int) -> None:
        self._collect()
        values = {
            name: float(total / count)
            for name, (total, count) in self._window.items()
            if count
        }
        values |= self._skipped_fractions()
        self._window = {}
        weights = [_values(network) for network in self._networks()]
        values |= self._optimizer_metrics(weights)
        values |= self._drifts(step, weights)
        for layer in self.model.discriminator.layers:
            if isinstance(layer, SpectralNormalization):
                key = f"singular_value/{layer.layer.name}"
                values[key] = layer.singular_value()
        seconds = self.clock() - self._began
        if self.batch_size is not None:
            images = (step - self._logged_step) * self.batch_size
            values["images_per_second"] = images / seconds
        if self.wait_timer is not None:
            waited = self.wait_timer.seconds - self._waited
            values["data_wait_share"] = min(waited / seconds, 1.0)
        self.run_log.scalars(step, values)
        self._logged_step = step
        self._begin_interval()

    def _optimizer_metrics(self, weights: list[list[Any]]) -> dict[str, float]:
        """Learning rates, and update ratios of a step that was known to be logged.

        Of another model's optimizers also which weights both of them move.
        """
        optimizers = self.optimizers
        values: dict[str, float] = {}
        if optimizers is None:
            optimizers = optimizers_of(self.model)
        else:
            values |= crossed_shares(optimizers, self.model)
        for key, before, after in zip("dg", self._before, weights, strict=False):
            ratio = _update_ratio(before, after)
            values[f"{key}_update_ratio"] = float(ratio.numpy())
        for key, rate in learning_rates(optimizers).items():
            values[f"{key}_learning_rate"] = rate
        return values

    def _drifts(self, step: int, weights: list[list[Any]]) -> dict[str, float]:
        """Change of both networks' weights a step, over the norm that they had."""
        steps = max(step - self._logged_step, 1)
        drifts = {
            f"{key}_drift": float(_update_ratio(before, after).numpy()) / steps
            for key, before, after in zip(
                "dg", self._logged_weights, weights, strict=True
            )
        }
        self._logged_weights = weights
        return drifts

    def _skipped_fractions(self) -> dict[str, float]:
        """The fraction of steps without a finite gradient, which loss scaling skips."""
        if "d_gradient_norm" not in self._window:
            return {}
        steps = self._window["d_loss"][1]
        if self._window["d_gradient_norm"][1] == steps:
            return {}
        return {
            f"{key}_skipped_share": float(
                1.0 - self._window[f"{key}_gradient_norm"][1] / steps
            )
            for key in "dg"
        }

    def _skipped_in_epoch(self) -> float:
        tracker = self.model.trackers.get(SKIPPED)
        return 0.0 if tracker is None else float(tracker.total)

    def _count_skipped(self, step: int) -> None:
        """Logs that steps were left out, and gives up after too many in a row."""
        total = self._skipped_in_epoch()
        count, self._skipped = round(total - self._skipped), total
        self._successive = self._successive + count if count else 0
        if self._successive >= MAX_SUCCESSIVE:
            self._give_up(step, "loss", math.nan)
        if count:
            tensor = self._first_nonfinite(step, "loss")
            self.run_log.event(step, "skipped", count=count, tensor=tensor)

    def _give_up(self, step: int, name: str, value: float) -> None:
        tensor = self._first_nonfinite(step, name)
        self.run_log.scalars(step, {name: value})
        self.run_log.event(step, "non_finite", loss=name, tensor=tensor)
        raise NonFiniteError(step, name, value, tensor)

    def _first_nonfinite(self, step: int, name: str) -> str | None:
        if not isinstance(self.model, GAN):
            return None
        latents = draw_latents(NUM_DIAGNOSED, self.model.latent_dim)
        labels = None
        if self.model.num_classes is not None:
            labels = class_labels(NUM_DIAGNOSED, self.model.num_classes)
        after = first_nonfinite(self.model, latents, labels)
        first = (
            None if self.black_box is None else self.black_box(self.model, step, name)
        )
        return first or after

    def _begin_interval(self) -> None:
        self._began = self.clock()
        if self.wait_timer is not None:
            self._waited = self.wait_timer.seconds


def _values(network: keras.Model) -> list[Any]:
    """Trainable weights as tensors, which later updates do not change."""
    return [tf.convert_to_tensor(weight) for weight in network.trainable_variables]


def _update_ratio(before: list[Any], after: list[Any]) -> Any:
    """Norm of the change of the weights over their norm; 0 where none is trained."""
    if not before:
        return tf.constant(0.0)
    changes = [new - old for new, old in zip(after, before, strict=True)]
    return tf.linalg.global_norm(changes) / tf.linalg.global_norm(before)
