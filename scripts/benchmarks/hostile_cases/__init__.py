"""Hostile and broken inputs by kind, each with the command that is given it."""

from hostile_cases import artifacts, data, limits, logs, models, runs
from hostile_cases.case import Case

CASES: list[Case] = [
    case
    for module in (models, artifacts, runs, logs, data, limits)
    for case in module.CASES
]
