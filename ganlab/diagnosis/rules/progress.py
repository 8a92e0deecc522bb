"""Rules of progress: a late collapse, or a run that ends too early."""

import numpy as np

from ganlab.diagnosis import quality
from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    STALL_RATIO,
    Bound,
    Held,
    Observation,
)
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules.rule import rule

STILL_FALLING = Bound(
    "fid",
    None,
    above=False,
    condition=f"in the last third < {STALL_RATIO:g} times the best before",
)


@rule(quality.LATE_COLLAPSE, severities=("critical",))
def late_collapse(log: Log) -> Observation | None:
    """Three evaluations in a row past 1.5 times the best before them."""
    return quality.late_collapse(log)


@rule(STILL_FALLING, severities=("note",))
def undertrained(log: Log) -> Observation | None:
    """FID still falls at the end."""
    series = log.get("fid", MIN_VALUES)
    if series is None or quality.late_collapse(log) is not None:
        return None
    cut = len(series) - max(len(series) // 3, 1)
    before, after = series.values[:cut].min(), series.values[cut:].min()
    if after >= STALL_RATIO * before or np.argmin(series.values) < cut:
        return None
    says = f"FID fell from {before:.3g} to {after:.3g} at the end"
    evidence = [STILL_FALLING.at(STALL_RATIO * before).evidence(after, says)]
    changes = {}
    if log.settings.get("steps"):
        changes = {"steps": 2 * log.settings["steps"]}
    held = Held(int(series.steps[cut]), 1.0)
    return Observation(held, evidence, changes=changes)
