"""What went wrong, since when, how is that known, and what cures it?

NumPy only: it reads what a run has written, while it runs or afterwards.
"""

from ganlab.diagnosis.evidence import bad_quality
from ganlab.diagnosis.findings import (
    FAILURES,
    SEVERITIES,
    Failure,
    Finding,
    as_settings,
    as_word,
)
from ganlab.diagnosis.log import Log, Series, read
from ganlab.diagnosis.remedy import keeps_players, next_change
from ganlab.diagnosis.rules import diagnose

__all__ = [
    "FAILURES",
    "SEVERITIES",
    "Failure",
    "Finding",
    "Log",
    "Series",
    "as_settings",
    "as_word",
    "bad_quality",
    "diagnose",
    "keeps_players",
    "next_change",
    "read",
]
