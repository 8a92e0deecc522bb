"""Findings: a failure that was found in a run, its evidence and its severity."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from ganlab.diagnosis.failures import FAILURES, Failure

SEVERITIES = ("note", "warning", "critical")


class Evidence(TypedDict):
    """What a signal is by now, the threshold that it is past, and a sentence."""

    signal: str
    value: float | None
    threshold: float | None
    says: str


@dataclass(frozen=True)
class Finding:
    """A failure that was found in a run.

    Args:
        name: A key of `FAILURES`.
        severity: `note`, `warning` or `critical`.
        since_step: Integer: the first step from which it holds.
        evidence: A list of `Evidence`, the strongest first.
        confidence: Float in (0, 1): the fraction of the last quarter of the run that
            is past the threshold, less where no score of quality agrees.
        changes: Settings that cure it, of a run of ganlab.
    """

    name: str
    severity: str
    since_step: int
    evidence: list[Evidence]
    confidence: float
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def failure(self) -> Failure:
        """The `Failure` of that name."""
        return FAILURES[self.name]

    def as_dict(self) -> dict[str, Any]:
        """Fields and texts as JSON values."""
        return {
            "name": self.name,
            "title": self.failure.title,
            "severity": self.severity,
            "since_step": self.since_step,
            "evidence": self.evidence,
            "why": self.failure.why,
            "remedy": {"text": self.failure.remedy, "changes": self.changes},
            "confidence": round(self.confidence, 2),
            "source": self.failure.source,
        }
