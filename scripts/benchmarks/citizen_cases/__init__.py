"""What Keras users bring, group by group, and what is right."""

from citizen_cases import (
    callbacks,
    data,
    devices,
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
    "callbacks",
    "data",
    "devices",
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
