"""Diagnosis of a run from its log: failures, evidence, and remedies; NumPy only."""

from ganlab.diagnosis.failures import FAILURES, Failure
from ganlab.diagnosis.findings import SEVERITIES, Evidence, Finding
from ganlab.diagnosis.log import Log, Series
from ganlab.diagnosis.logs.reading import read
from ganlab.diagnosis.quality import bad_quality
from ganlab.diagnosis.remedy import next_change
from ganlab.diagnosis.rules import diagnose

__all__ = [
    "FAILURES",
    "SEVERITIES",
    "Evidence",
    "Failure",
    "Finding",
    "Log",
    "Series",
    "bad_quality",
    "diagnose",
    "next_change",
    "read",
]
