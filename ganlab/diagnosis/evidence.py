"""Evidence: the bounds of signals, and since when a series is past one.

A rule looks at the last quarter of the run, where most values must be past the
threshold, and then back to the first step from which that holds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ganlab.diagnosis.findings import Evidence
from ganlab.diagnosis.log import Log, Series

TAIL_FRACTION = 0.25  # of the run that a finding must hold over
MIN_FRACTION_PAST_THRESHOLD = 0.7  # of the values in the tail
MIN_VALUES = 3
WARMUP_STEPS = 200  # in which fakes are alike however well a run goes
GRACE_STEPS = 1000  # in which a healthy run often looks like a failing one
STALL_RATIO = 0.9  # less than a tenth better than before is a standstill
RISE_RATIO = 1.2  # of the last third's median to that of the third before
HALF_LEVEL = 1 / 510  # of 8 bits, as a fraction of their range
SMOOTHING_WIDTH = 9  # values of a running median
UNBOUNDED_LOSSES = ("wasserstein", "unknown")  # whose logits may have no zero
NETWORKS = {"g": "generator", "d": "discriminator"}


class Held(NamedTuple):
    """Since when a series is past a threshold, and which fraction of its tail is."""

    since_step: int
    fraction: float


@dataclass(frozen=True)
class Bound:
    """A signal and the threshold past which it speaks for a failure.

    Args:
        signal: A log key; `{network}` in it stands for `g` and `d`.
        threshold: The number, or `None` where it depends on the run.
        above: Whether values over the threshold are past it, or those under it.
        condition: What the threshold depends on, in words, or an empty string.
    """

    signal: str
    threshold: float | None
    above: bool = True
    condition: str = ""

    def at(self, threshold: float) -> "Bound":
        """The bound with a run's own threshold."""
        return replace(self, threshold=threshold)

    def of(self, network: str) -> "Bound":
        """The bound of `g` or `d`."""
        return replace(self, signal=self.signal.format(network=network))

    def past(self, values: np.ndarray | float) -> np.ndarray:
        """Whether values are past the threshold."""
        if self.threshold is None:
            raise ValueError(f"{self} needs a run's threshold")
        values = np.asarray(values)
        past = values > self.threshold if self.above else values < self.threshold
        return np.asarray(past)

    def held(self, log: Log) -> Held | None:
        """Since when the signal is past the threshold, or `None`."""
        return self.held_by(log.get(self.signal, MIN_VALUES))

    def held_by(self, series: Series | None) -> Held | None:
        """Since when a series of its signals is past the threshold, or `None`."""
        return sustained(series, self.past)

    def evidence(self, value: float | None, says: str) -> Evidence:
        """A piece of evidence for a value."""
        return make_evidence(self.signal, value, self.threshold, says)

    def __str__(self) -> str:
        signals = [self.signal]
        if "{network}" in self.signal:
            signals = [self.of(network).signal for network in NETWORKS]
        comparison = self.condition
        if not comparison:
            comparison = f"{'>' if self.above else '<'} {self.threshold}"
        return f"{' or '.join(f'`{signal}`' for signal in signals)} {comparison}"


@dataclass(frozen=True)
class Observation:
    """A failure as a rule sees it, before its severity and remedy are settled.

    Args:
        held: Since when it holds, and how surely.
        evidence: A list of `Evidence`.
        severity: One of the rule's, or `None` for the rule's own choice.
        changes: Settings that cure it, or `None` for those of the failure.
    """

    held: Held
    evidence: list[Evidence] = field(default_factory=list)
    severity: str | None = None
    changes: dict[str, Any] | None = None


def make_evidence(
    signal: str, value: float | None, threshold: float | None, says: str
) -> Evidence:
    """A piece of evidence, its value rounded to four digits."""
    return {
        "signal": signal,
        "value": None if value is None else float(f"{value:.4g}"),
        "threshold": threshold,
        "says": says,
    }


def sustained(
    series: Series | None, past: Callable[[np.ndarray], np.ndarray]
) -> Held | None:
    """Since which step most values are past a threshold, and what fraction is by now.

    Args:
        series: A `Series`, or `None`.
        past: Function from the values to booleans.

    Returns:
        A `Held`, or `None` if it does not hold over the last quarter.
    """
    if series is None or len(series) < MIN_VALUES:
        return None
    flags = np.asarray(past(series.values), bool)
    span = series.steps[-1] - series.steps[0]
    tail = series.steps >= series.steps[-1] - TAIL_FRACTION * span
    tail[-MIN_VALUES:] = True
    fraction = flags[tail].mean()
    if fraction < MIN_FRACTION_PAST_THRESHOLD:
        return None
    from_here = fraction_from_here(flags)
    first = np.flatnonzero(flags & (from_here >= MIN_FRACTION_PAST_THRESHOLD))[0]
    return Held(int(series.steps[first]), float(fraction))


def fraction_from_here(flags: np.ndarray) -> np.ndarray:
    """For each index, the fraction of flags that are set from it to the end."""
    return np.asarray(np.cumsum(flags[::-1])[::-1] / np.arange(len(flags), 0, -1))


def last_value(log: Log, signal: str) -> float:
    """Median of the last three finite values of a signal that was logged."""
    value = log.last(signal, MIN_VALUES)
    return float("nan") if value is None else value


def last_median(series: Series) -> float:
    """Median of the last three values."""
    return float(np.median(series.values[-MIN_VALUES:]))


def stalled_since(log: Log) -> int | None:
    """The step of a run's last third, if FID is hardly better there than before."""
    fid = log.get("fid", 2 * MIN_VALUES)
    if fid is None:
        return None
    late = fid.steps > 2 / 3 * fid.steps[-1]
    if late.sum() < 2 or late.all():
        return None
    if fid.values[late].min() < STALL_RATIO * fid.values[~late].min():
        return None
    return int(fid.steps[late][0])


def rising(series: Series) -> bool:
    """Whether the last third lies clearly above the third before it."""
    third = max(len(series) // 3, 1)
    before, after = series.values[-2 * third : -third], series.values[-third:]
    return len(before) > 0 and bool(np.median(after) > RISE_RATIO * np.median(before))


def smooth(series: Series | None, width: int = SMOOTHING_WIDTH) -> Series | None:
    """Running median: single steps of a foreign log are noisy."""
    if series is None or len(series) < 3 * width:
        return series
    padded = np.pad(series.values, width // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return Series(series.steps, np.asarray(np.median(windows, axis=1)))


def loss_name(log: Log) -> str | None:
    """Name of the loss that the run trains with, or `None` of a foreign log."""
    return log.settings.get("loss")


def is_unbounded(log: Log) -> bool:
    """Whether the loss's logits have no zero that parts real from fake."""
    return loss_name(log) in UNBOUNDED_LOSSES
