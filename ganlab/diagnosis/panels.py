"""Charts of a run, before anything draws them: groups, curves, thresholds, scales.

The report, the live page and TensorBoard show the same groups. NumPy only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganlab.data.kinds import DataKind
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import Log, Series

MAX_POINTS = 400
LOG_SCALE_RATIO = 50  # of the largest value to the smallest

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Losses": {"Losses of both networks": ("d_loss", "g_loss")},
    "Balance": {
        "D(x) and D(G(z))": ("d_real", "d_fake"),
        "Discriminator accuracy": ("d_accuracy_real", "d_accuracy_fake"),
        "Logits of a probe": ("logit_real", "logit_held_out", "logit_fake"),
        "A real logit over a fake one": ("logit_separation",),
    },
    "Gradients": {
        "Gradient norms": ("d_gradient_norm", "g_gradient_norm"),
        "Update ratios": ("d_update_ratio", "g_update_ratio"),
        "Drift of the weights": ("d_drift", "g_drift"),
    },
    "Diversity": {
        "Distances, fakes over real images": (
            "pairwise_ratio",
            "class_pairwise_ratio",
            "nearest_ratio",
        ),
        "Modes hit": ("modes_hit",),
    },
    "Scores": {
        "FID": ("fid", "fid_infinity"),
        "Precision, recall, density, coverage": (
            "precision",
            "recall",
            "density",
            "coverage",
        ),
        "Samples near a mode": ("high_quality_share",),
    },
}


@dataclass(frozen=True)
class Curve:
    """One signal of a panel.

    Args:
        name: Its log key.
        series: Its finite values, 2 or more.
        threshold: The number that evidence holds it against, or `None`.
    """

    name: str
    series: Series
    threshold: float | None = None


@dataclass(frozen=True)
class Panel:
    """Curves over the same steps and values.

    Args:
        title: What is shown; empty of a finding's evidence.
        curves: A tuple of `Curve`s, 1 or more.
        since: The step from which a finding holds, or `None`.
    """

    title: str
    curves: tuple[Curve, ...]
    since: int | None = None

    @property
    def logarithmic(self) -> bool:
        """Whether values are positive and of several orders of magnitude."""
        values = np.concatenate([curve.series.values for curve in self.curves])
        low, high = values.min(), values.max()
        return bool(low > 0 and high > LOG_SCALE_RATIO * low)


def groups_of(kind: DataKind) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    """`GROUPS` without the signals that mean nothing for a kind of data."""
    for title, charts in GROUPS.items():
        applying = {
            name: tuple(filter(kind.applies, signals))
            for name, signals in charts.items()
        }
        yield title, {name: signals for name, signals in applying.items() if signals}


def overview(log: Log, fid_name: str = "FID") -> dict[str, list[Panel]]:
    """The panels of what was logged twice or more, by the titles of their groups.

    Args:
        log: The `Log`.
        fid_name: FID's displayed name.
    """
    panels: dict[str, list[Panel]] = {}
    for group, charts in GROUPS.items():
        for title, signals in charts.items():
            panel = make_panel(
                log,
                [(name, None) for name in signals],
                fid_name if title == "FID" else title,
            )
            if panel is not None:
                panels.setdefault(group, []).append(panel)
    return panels


def evidence_panel(log: Log, finding: Finding) -> Panel | None:
    """The signals of a finding with their thresholds, from the step that it holds."""
    signals: list[tuple[str, float | None]] = []
    for evidence in finding.evidence:
        names = re.split(r" - |, ", evidence["signal"])
        names = ["d_accuracy_fake"] if names == ["d_accuracy"] else names
        signals += [
            (name, evidence["threshold"]) for name in names if name in log.series
        ]
    return make_panel(log, signals, since=finding.since_step)


def make_panel(
    log: Log,
    signals: list[tuple[str, float | None]],
    title: str = "",
    since: int | None = None,
) -> Panel | None:
    """The panel of those signals that were logged twice or more; `None` of none.

    Args:
        log: The `Log`.
        signals: Pairs of a log key and a threshold, or `None`.
        title: Title of the panel.
        since: See `Panel`.
    """
    curves = tuple(
        Curve(name, series, threshold)
        for name, threshold in signals
        if (series := log.get(name, 2)) is not None
    )
    return Panel(title, curves, since) if curves else None


def thinned(series: Series, limit: int = MAX_POINTS) -> Series:
    """A series of about `limit` values or fewer that looks the same when drawn.

    Of each stretch the least and the largest value stay, and so do the first and the
    last of all.

    Args:
        series: Finite values.
        limit: Integer, 2 or more.
    """
    count = len(series)
    if count <= limit:
        return series
    width = -(-count // (limit // 2))
    stretches = -(-count // width)
    padding = stretches * width - count
    values = np.pad(series.values, (0, padding), mode="edge").reshape(-1, width)
    starts = np.arange(stretches) * width
    kept = np.concatenate(
        [[0, count - 1], starts + values.argmin(1), starts + values.argmax(1)]
    )
    kept = np.unique(np.minimum(kept, count - 1))
    return Series(series.steps[kept], series.values[kept])
