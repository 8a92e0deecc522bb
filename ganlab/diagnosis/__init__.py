"""Diagnosis of a run from its log: failures, evidence, and remedies; NumPy only."""

from ganlab.diagnosis.findings import (
    FAILURES,
    SEVERITIES,
    Evidence,
    Failure,
    Finding,
    as_settings,
    as_word,
)
from ganlab.diagnosis.log import Log, Series, read
from ganlab.diagnosis.quality import bad_quality
from ganlab.diagnosis.remedy import keeps_networks, next_change
from ganlab.diagnosis.rules import diagnose

__all__ = [
    "FAILURES",
    "SEVERITIES",
    "Evidence",
    "Failure",
    "Finding",
    "Log",
    "Series",
    "as_settings",
    "as_word",
    "bad_quality",
    "diagnose",
    "keeps_networks",
    "next_change",
    "read",
]
