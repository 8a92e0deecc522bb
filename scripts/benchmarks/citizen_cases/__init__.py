"""What Keras users bring, group by group, and what is right."""

from citizen_cases import (
    artifacts,
    callbacks,
    calls,
    data,
    devices,
    feeds,
    fitting,
    forms,
    labels,
    losses,
    networks,
    optimizers,
    outputs,
    patches,
    peers,
    precision,
    saving,
)
from citizen_cases.case import CASES, Case

__all__ = [
    "CASES",
    "Case",
    "artifacts",
    "callbacks",
    "calls",
    "data",
    "devices",
    "feeds",
    "fitting",
    "forms",
    "labels",
    "losses",
    "networks",
    "optimizers",
    "outputs",
    "patches",
    "peers",
    "precision",
    "saving",
]
