"""What a check before training has to say."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SEVERITIES = ("critical", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """Something to mend before training.

    Args:
        name: In snake case.
        severity: `note`, `warning` or `critical`.
        says: What is wrong.
        fix: What to do.
        changes: Settings of `ganlab train` that do it.
    """

    name: str
    severity: str
    says: str
    fix: str
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Fields as JSON values."""
        return dataclasses.asdict(self)


def worst_first(problems: Iterable[Problem | None]) -> list[Problem]:
    """Problems by severity, without those that are `None`."""
    existing = [problem for problem in problems if problem is not None]
    return sorted(existing, key=lambda problem: SEVERITIES.index(problem.severity))
