"""Measures both networks from inside while they train."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab import metrics
from ganlab.callbacks.periodic import BudgetedCallback, Logs
from ganlab.callbacks.probe import Probe, state_of
from ganlab.callbacks.probe_measures import belief_measures, logit_measures
from ganlab.callbacks.run_log import RunLog
from ganlab.objectives import losses

BUDGET = 0.03
MIN_GAINS, STANDARD_ERRORS = 4, 2.0  # from which on a gain is no chance


class HealthProbe(BudgetedCallback):
    """Measures both networks now and then: see `ganlab.callbacks.probe`.

    The first measurement is of the networks before the first step. It is made right
    after that step, for it compiles, and is not counted; the others are held to a
    fraction of the training time. Numbers go to the run log, logits as histograms to
    TensorBoard. `ganlab diagnose` says what they mean.

    Args:
        run_log: A `RunLog`.
        real: Float32 samples that are trained on, as the networks take them, in
            `gan.output_range`; 512 are used.
        held_out: Likewise, that are not trained on; or `None`.
        labels: Int32 array of a conditional GAN, or `None`.
        held_out_labels: Likewise.
        batch_size: Integer: images a training batch has.
        every: Integer: steps between measurements, at least.
        budget: Float in (0, 1]: largest fraction of the time.
        seed: Integer: seeds the latents.
        followed: Boolean: whether the networks are trained by another model, of which
            the signs of the logits are not known, for some label fakes with 1: real is
            then the side to which the discriminator learns to put real images. Norms
            of gradients are measured too, which a `ganlab.GAN` logs, and what usual
            losses would be of the discriminator's answers.
        probabilities: Boolean: whether the discriminator of another model ends on
            probabilities, whose logits are what is measured.
        beliefs: Boolean: whether D(x), D(G(z)) and accuracies are measured too, of
            another model whose logits are known to be those of a probability.
        clock: Function without arguments that returns seconds.
    """

    def __init__(
        self,
        run_log: RunLog,
        real: np.ndarray,
        held_out: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        held_out_labels: np.ndarray | None = None,
        *,
        batch_size: int = 64,
        every: int = 100,
        budget: float = BUDGET,
        seed: int = 0,
        followed: bool = False,
        probabilities: bool = False,
        beliefs: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(every, budget, clock)
        self.run_log = run_log
        self.real = real
        self.held_out = held_out
        self.labels = labels
        self.held_out_labels = held_out_labels
        self.batch_size = batch_size
        self.seed = seed
        self.followed = followed
        self.probabilities = probabilities
        self.beliefs = beliefs
        self._generator_before: list[Any] | None = None
        self._judge_before: list[Any] | None = None
        self._lead = 0.0
        self._gains: list[float] = []
        self._probe: Probe | None = None
        self._start: list[tuple[keras.Variable, Any]] | None = None

    def state(self) -> dict[str, Any]:
        state = {
            **super().state(),
            "lead": self._lead,
            "gains": self._gains,
            "directions": {},
            "judge_before": None,
        }
        if self._probe is not None:
            state["directions"] = dict(self._probe.directions)
        measured_now = self._last_step == int(self.model.step.numpy())
        if self._judge_before is not None and not measured_now:
            state["judge_before"] = [
                keras.ops.convert_to_numpy(weight) for weight in self._judge_before
            ]
        return state

    def take_up(self, state: dict[str, Any]) -> None:
        probe = self._probe_of_model()
        probe.measure()  # which compiles, and is not counted
        probe.directions.update(state["directions"])
        super().take_up(state)
        self._lead, self._gains = state["lead"], list(state["gains"])
        self._remember_judge(probe)
        if self._judge_before is not None and state["judge_before"] is not None:
            self._judge_before = [
                tf.cast(weight, now.dtype)
                for weight, now in zip(
                    state["judge_before"], self._judge_before, strict=True
                )
            ]

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        if self.resumed:
            self.catch_up()
            return
        step = int(self.model.step.numpy())
        loss = self.model.objective.loss
        name = losses.name_of(loss) or type(loss).__name__
        self.run_log.event(step, "began", loss=name)
        self._start = state_of(self.model)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._measure_start()
        super().on_train_batch_end(batch, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._measure_start()
        self.run_at_end()

    def _measure_start(self) -> None:
        """Measures the networks as they were before the first step, once."""
        if self._start is None:
            return
        before_step, self._generator_before = self._generator_before, None
        self._probe_of_model()
        with keras.StatelessScope(self._start):
            self.run(self._last_step or 0)
        self._start, self._generator_before = None, before_step
        self.seconds, self._last_seconds = 0.0, 0.0
        self._train_began = self.clock()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._generator_before = None
        if self.is_due(self._epoch_start + batch + self.model.steps_per_execution):
            probe = self._probe_of_model()
            self._generator_before = probe.trained_weights("generator")

    def run(self, step: int) -> None:
        probe = self._probe_of_model()
        values, logits = probe.measure(self._generator_before, self._judge_before)
        self._generator_before = None
        self._remember_judge(probe)
        self._lead += float(np.mean(logits["real"]) - np.mean(logits["fake"]))
        if "d_gain" in values:
            self._gains.append(float(np.clip(values["d_gain"], -1.0, 1.0)))
        norms = {key: values.pop(f"gradient_norm/{key}") for key in "dg"}
        if self.followed:
            values |= {f"{key}_gradient_norm": norm for key, norm in norms.items()}
            values |= self._answer_terms(logits)
            if self._real_is_below():
                logits = {name: -array for name, array in logits.items()}
                for name in {"g_step_gain", "d_gain"} & set(values):
                    values[name] *= -1.0
            values |= logit_measures(logits)
        if self.beliefs:
            values |= belief_measures(logits)
        self.run_log.scalars(step, values)
        self.run_log.histograms(step, logits)

    def _remember_judge(self, probe: Probe) -> None:
        """Keeps the discriminator for the next measurement of what it has learned."""
        if self.followed:
            self._judge_before = probe.trained_weights("discriminator")

    def _answer_terms(self, logits: Mapping[str, np.ndarray]) -> dict[str, float]:
        """What usual losses would be of the answers that the model itself gets."""
        terms = {}
        for side in ("real", "fake"):
            answers = logits[side]
            if self.probabilities:
                with np.errstate(over="ignore"):
                    answers = 1.0 / (1.0 + np.exp(-answers))
            for name, value in metrics.loss_terms(answers).items():
                terms[f"answers/{side}/{name}"] = value
        return terms

    def _real_is_below(self) -> bool:
        """Whether D learns to put real images below fakes.

        Where what it learns from one probe to the next is told from chance, that
        decides: a generator that is ahead of D has its images on the other side. Else
        it is the side on which real images were so far.
        """
        gains = np.array(self._gains)
        if len(gains) >= MIN_GAINS:
            error = gains.std() / np.sqrt(len(gains))
            if abs(gains.mean()) > STANDARD_ERRORS * error:
                return bool(gains.mean() < 0.0)
        return self._lead < 0.0

    def _probe_of_model(self) -> Probe:
        """The probe, made anew where the callback trains another model."""
        if self._probe is None or self._probe.gan is not self.model:
            self._judge_before = None
            self._probe = Probe(
                self.model,
                self.real,
                self.held_out,
                self.labels,
                self.held_out_labels,
                batch_size=self.batch_size,
                seed=self.seed,
                learns=self.followed,
            )
        return self._probe
