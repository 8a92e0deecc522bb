"""Scores generated images while training, and keeps the best checkpoint."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganlab import evaluation, metrics, pictures
from ganlab.callbacks.periodic import BudgetedCallback, Logs
from ganlab.callbacks.quality_page import quality_page
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.run_state import RunState
from ganlab.config.resolve import trained_on
from ganlab.data import kinds
from ganlab.errors import UserError, unknown_name
from ganlab.evaluation import Evaluation, Reference
from ganlab.networks.projection import frozen_extractors
from ganlab.provenance.marks import Mark
from ganlab.runs import RunFolder
from ganlab.safety import interruption

BUDGET = 0.1
BEST_COLUMNS = 10
UNTIL = ("fid", "kid", "precision", "recall", "density", "coverage")


class Evaluate(BudgetedCallback):
    """Scores generated images now and then, and keeps the best checkpoint.

    The best checkpoint has the smallest FID. Evaluation is held to a fraction of
    the training time: after one that took 2 s, the next waits until 20 s have gone
    by at the default 10 %. The last step is always scored.

    Args:
        directory: The run's folder. Gets the best checkpoint and its picture, and at
            the end the scores of the best and the last step.
        reference: The `ganlab.evaluation.Reference` of real images.
        every: Integer: steps between evaluations, at least.
        budget: Float in (0, 1]: largest fraction of the time.
        run_log: A `RunLog` that logs the scores, or `None`.
        run_state: The `RunState` that is kept in the best checkpoint, or `None`.
        clock: Function without arguments that returns seconds.
        attribution: See `SampleGrids`.
        until: A name of `UNTIL` and a float, the score in its displayed unit:
            training ends with the first evaluation that is as good. Or `None`.
        sources: Uint8 array `(n, height, width, channels)`: what a translator makes
            the scored images of, or `None` of a GAN.

    Reference:
        [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), figure 5, on why
        the last step is seldom the best
    """

    def __init__(
        self,
        directory: Path | str,
        reference: Reference,
        every: int = 500,
        budget: float = BUDGET,
        run_log: RunLog | None = None,
        run_state: RunState | None = None,
        clock: Callable[[], float] = time.perf_counter,
        attribution: str = "",
        until: tuple[str, float] | None = None,
        sources: np.ndarray | None = None,
    ) -> None:
        super().__init__(every, budget, clock)
        self.sources = sources
        self.folder = RunFolder(directory)
        self.reference = reference
        self.run_log = run_log
        self.run_state = run_state
        self.attribution = attribution
        self.until = until
        self._last_record: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        last = self._last_record
        step = self._last_step if last is None else last["step"]
        return {**super().state(), "last_step": step, "last_record": last}

    def take_up(self, state: dict[str, Any]) -> None:
        super().take_up(state)
        self._last_record = state["last_record"]

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        discriminator = getattr(self.model, "discriminator", None)
        extractor = self.reference.protocol.extractor
        if extractor in frozen_extractors(discriminator):
            raise trained_on(extractor)
        self.catch_up()

    def on_train_end(self, logs: Logs = None) -> None:
        self.run_at_end()
        if self._last_record is not None:
            self._write_quality(self._last_record)

    def _run(self, step: int) -> None:
        with interruption.at_once():
            self.reference.extracted()  # once, which is not counted
        super()._run(step)

    def run(self, step: int) -> None:
        protocol = self.reference.protocol
        labels = self._labels()
        with interruption.at_once():  # for it may take minutes
            images = self._images(labels)
            scored = evaluation.evaluate(self.reference, images, labels=labels)
        record = _record(step, scored)
        self._last_record = record
        if self.run_log is not None:
            values = {name: score.value for name, score in scored.scores.items()}
            values["fid_error"] = scored.scores["fid"].standard_error
            values |= self._class_fractions(scored.details)
            self.run_log.scalars(step, values, protocol.fingerprint)
        best = self.folder.read_best()
        if (
            best is None
            or best["protocol"] != record["protocol"]
            or scored.scores["fid"].value < best["scores"]["fid"]["value"]
        ):
            state = () if self.run_state is None else self.run_state.collect()
            self.folder.save_best(self.model.save, record, *state)
            if kinds.of_shape(images.shape[1:]).pictorial:
                grid = _by_class(images, labels)
                mark = Mark(
                    seeds=(protocol.seed,), step=step, attribution=self.attribution
                )
                path = self.folder.best_picture
                pictures.save(grid, path, None, BEST_COLUMNS, mark)

        if self.until is not None and is_reached(self.until, scored.scores):
            self.model.stop_training = True
            if self.run_log is not None:
                name, value = self.until
                self.run_log.event(step, "reached", score=name, value=value)

    def _labels(self) -> np.ndarray | None:
        unlabelled = self.sources is not None or self.model.num_classes is None
        return None if unlabelled else self.reference.labels

    def _images(self, labels: np.ndarray | None) -> np.ndarray:
        if self.sources is not None:
            return self.model.translate(self.sources)
        protocol = self.reference.protocol
        return self.model.sample(protocol.num_images, protocol.seed, labels)

    def _class_fractions(self, details: Mapping[str, Any]) -> dict[str, float]:
        """The fraction of each class, and the smallest relative to real images."""
        fractions = details.get("class_shares")
        if fractions is None or self.reference.labels is None:
            return {}
        real_counts = np.bincount(self.reference.labels, minlength=len(fractions))
        real_fractions = real_counts / real_counts.sum()
        ratios = [
            fraction / real_fraction
            for fraction, real_fraction in zip(
                fractions.values(), real_fractions, strict=False
            )
            if real_fraction > 0
        ]
        values = {f"class_share/{name}": value for name, value in fractions.items()}
        return values | {"least_class_share": min(ratios)}

    def _write_quality(self, last: dict[str, Any]) -> None:
        best = self.folder.read_best()
        if best is None:
            return
        scores = {"best": best, "last": last, "evaluation_seconds": self.seconds}
        picture = self.folder.relative(self.folder.best_picture)
        self.folder.write_quality(scores, quality_page(best, last, picture))


def check_until(until: tuple[str, float] | None) -> None:
    """Raises `UserError` for a score that is not always there, or no number."""
    if until is None:
        return
    name, value = until
    if name not in UNTIL:
        raise unknown_name("score", name, UNTIL)
    if not math.isfinite(value):
        raise UserError(
            f"Expected a finite {name} to train until. Received: {value}; give one "
            "that can be reached"
        )


def is_reached(until: tuple[str, float], scores: Mapping[str, metrics.Score]) -> bool:
    """Whether a score is as good as a value in its displayed unit."""
    name, value = until
    score = metrics.display_score(name, scores[name]).value
    return score >= value if metrics.TITLES[name].higher_is_better else score <= value


def _record(step: int, scored: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON values."""
    return {
        "step": step,
        "protocol": scored.protocol.as_dict(),
        "scores": {
            name: dataclasses.asdict(score) for name, score in scored.scores.items()
        },
        "details": scored.details,
    }


def _by_class(images: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """A hundred images; with labels, a row of ten for each class that has ten."""
    if labels is None:
        return images[:100]
    order = labels.argsort(kind="stable")
    classes = sorted(set(labels.tolist()))[: pictures.MAX_ROWS]
    rows = [order[labels[order] == label][:BEST_COLUMNS] for label in classes]
    full_rows = [row for row in rows if len(row) == BEST_COLUMNS]
    return images[np.concatenate(full_rows)] if full_rows else images[:100]
