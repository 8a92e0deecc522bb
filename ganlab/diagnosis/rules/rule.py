"""A rule: the failure it looks for, its bounds, and how severe it is."""

from collections.abc import Callable
from dataclasses import dataclass

from ganlab.diagnosis.evidence import Bound, Observation
from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.quality import bad_quality

MAX_CONFIDENCE = 0.99
WARNING_CONFIDENCE = 0.75  # of a signal that no score of quality agrees with
CONFIRMED = ("warning", "critical")  # critical where a score says the images are bad

Observe = Callable[[Log], Observation | None]
Bounds = tuple[Bound, ...]


@dataclass(frozen=True)
class Rule:
    """Looks for one failure in a log.

    Args:
        name: A key of `FAILURES`.
        observe: Function from a `Log` to an `Observation`, or `None`.
        alternatives: Tuples of `Bound`s: the rule fires where all of one hold.
        severities: Severities that its finding may have; `CONFIRMED`, or one that
            always holds, or several that the rule decides on.
    """

    name: str
    observe: Observe
    alternatives: tuple[Bounds, ...]
    severities: tuple[str, ...] = CONFIRMED

    def __call__(self, log: Log) -> Finding | None:
        """The `Finding`, with the changes that the run has not made already."""
        observation = self.observe(log)
        if observation is None:
            return None
        severity, evidence = observation.severity, observation.evidence
        if severity is None:
            severity = self.severities[0]
            if self.severities == CONFIRMED:
                bad = bad_quality(log)
                if bad is not None:
                    severity, evidence = "critical", [*evidence, bad]
        confidence = MAX_CONFIDENCE * float(observation.held.fraction)
        if severity == "warning":
            confidence *= WARNING_CONFIDENCE
        changes = observation.changes
        if changes is None:
            changes = FAILURES[self.name].changes
        return Finding(
            self.name,
            severity,
            observation.held.since_step,
            evidence,
            confidence,
            {} if log.foreign else log.new_settings(changes),
        )


def rule(
    *alternatives: Bound | Bounds, severities: tuple[str, ...] = CONFIRMED
) -> Callable[[Observe], Rule]:
    """Makes a function that observes a failure the `Rule` of its name.

    Args:
        *alternatives: Bounds, or tuples of bounds that must hold together.
        severities: See `Rule`.
    """
    together = tuple(
        (bounds,) if isinstance(bounds, Bound) else bounds for bounds in alternatives
    )
    return lambda observe: Rule(observe.__name__, observe, together, severities)
