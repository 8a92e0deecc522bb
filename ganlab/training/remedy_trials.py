"""Compares remedies of a failing run by branches of its training."""

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ganlab.diagnosis import remedy_scores, report
from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.remedy_scores import Comparison, Outcome
from ganlab.errors import UserError
from ganlab.runs import RunFolder, load_run
from ganlab.text import printable
from ganlab.training.branches import Origin, train_branch

TRIAL_STEPS = 1000
TRIAL_SEEDS = 2
LENGTHS = (1, 2, 4)  # of the looks, times the first length; each adds a seed
UNCHANGED = "no change"


@dataclass
class _Arm:
    """A remedy, and how its branches ended, by seed."""

    name: str
    changes: Mapping[str, Any]
    steps: int = 0
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    comparison: Comparison | None = None

    @property
    def decided(self) -> bool:
        return self.comparison is not None and self.comparison.decided

    @property
    def score(self) -> float | None:
        """Geometric mean over the seeds; `None` unless all have a score."""
        logs = remedy_scores.log_scores(list(self.outcomes.values()))
        return None if logs is None else float(np.exp(logs.mean()))

    @property
    def best_seed(self) -> int:
        """The seed whose branch has the fewest critical findings, then the score."""
        return min(self.outcomes, key=lambda seed: _badness(self.outcomes[seed]))

    def rank(self) -> tuple[float, ...]:
        verdict = remedy_scores.UNTOLD
        if self.comparison is not None:
            verdict = self.comparison.verdict
        critical = sum(outcome.critical for outcome in self.outcomes.values())
        score = math.inf if self.score is None else self.score
        return (
            remedy_scores.VERDICTS.index(verdict),
            critical / len(self.outcomes),
            score,
        )


def _badness(outcome: Outcome) -> tuple[float, ...]:
    log_score = outcome.log_score
    score = math.inf if log_score is None else log_score
    return outcome.diverged, outcome.critical, score


def try_remedies(
    directory: Path | str,
    *,
    steps: int = TRIAL_STEPS,
    seeds: int = TRIAL_SEEDS,
    stream: TextIO | None = None,
) -> list[dict[str, Any]]:
    """Trains branches for each remedy, and some without, and compares their scores.

    Branches begin at the last checkpoint before the first finding, or anew where
    there is none. A remedy that changes the networks always begins anew, and trains
    as many steps in all. A remedy of which no difference is told goes on to twice
    the length with one more seed, and then to four times with another; the unchanged
    branches go with it. See `ganlab.diagnosis.remedy_scores` for how a verdict is
    reached.

    The best remedy has the best verdict, then the fewest critical findings, then the
    best score. The folder of its best branch is kept whole, and of the others the
    logs. What is known so far is written after each length.

    Args:
        directory: A run folder.
        steps: Integer: first length of a branch.
        seeds: Integer, 2 or more: branches for each remedy at first.
        stream: Text stream for progress, or `None`.

    Returns:
        A list of dicts, the best remedy first: `name`, `changes`, `verdict` (`None`
        without a change), `ratio` (a dict of `value`, `low` and `high`, or `None`),
        `score_name`, `score`, `steps`, `branches` (a list of dicts, one a seed),
        `folder` (of its best branch) and `kept`.

    Raises:
        UserError: if there is nothing to remedy, or fewer than 2 seeds.
    """
    if seeds < remedy_scores.MIN_SEEDS:
        raise UserError(
            f"Expected {remedy_scores.MIN_SEEDS} seeds or more. Received: {seeds}; one "
            "cannot tell luck from cure"
        )
    run, serious = load_run(directory), report.examine(directory).serious
    remedies = _proposed(serious)
    if not remedies:
        raise UserError(
            "Expected a run with findings that a setting cures. Received: "
            f"{directory}, which has none"
        )
    first_step = min(finding.since_step for finding in serious)
    start = run.folder.last_checkpoint_before(first_step)
    origin = Origin(run) if start is None else Origin(run, *start)
    first_seed = run.recipe.seed
    shutil.rmtree(run.folder.trials, ignore_errors=True)
    unchanged = _Arm(UNCHANGED, {})
    arms = [unchanged, *(_Arm(*remedy) for remedy in remedies.items())]
    for look, factor in enumerate(LENGTHS):
        open_arms = [arm for arm in arms if not arm.decided]
        if open_arms == [unchanged]:
            break
        trial_seeds = range(first_seed, first_seed + seeds + look)
        for arm in open_arms:
            _train(arm, origin, trial_seeds, factor * steps, stream)
        baseline = list(unchanged.outcomes.values())
        for arm in open_arms[1:]:
            outcomes = list(arm.outcomes.values())
            arm.comparison = remedy_scores.compare(
                arm.name, outcomes, baseline, looks=len(LENGTHS)
            )
            _say(f"{arm.name} after {arm.steps:,} steps: {arm.comparison}", stream)
        arms_by_rank = sorted(arms, key=_Arm.rank)
        trials = [_as_dict(arm, run.folder) for arm in arms_by_rank]
        trials[0]["kept"] = True
        run.folder.write_trials(trials)
    _keep_one(trials)
    return trials


def _proposed(findings: Sequence[Finding]) -> dict[str, Mapping[str, Any]]:
    """The changes of each finding that has some; equal ones of the first alone."""
    remedies: dict[str, Mapping[str, Any]] = {}
    for finding in findings:
        if finding.changes and finding.changes not in remedies.values():
            remedies[finding.name] = finding.changes
    return remedies


def _train(
    arm: _Arm, origin: Origin, seeds: range, steps: int, stream: TextIO | None
) -> None:
    """Trains an arm's branches until they are some steps long."""
    for seed in seeds:
        earlier = arm.outcomes.get(seed)
        if earlier is not None and earlier.diverged:
            continue
        _say(f"{arm.name}, seed {seed}: to {steps:,} steps", stream)
        folder = origin.run.folder.trial(arm.name, seed)
        arm.outcomes[seed] = train_branch(
            origin, arm.changes, seed, folder, steps, stream
        )
    arm.steps = steps


def _say(text: str, stream: TextIO | None) -> None:
    if stream is not None:
        print(printable(f"trial: {text}"), file=stream, flush=True)


def _as_dict(arm: _Arm, folder: RunFolder) -> dict[str, Any]:
    comparison = arm.comparison
    ratio = None if comparison is None else comparison.ratio
    branches = [
        {
            "seed": seed,
            "score": outcome.score,
            "findings": sorted(outcome.findings),
            "critical": outcome.critical,
            "diverged": outcome.diverged,
            "folder": str(folder.trial(arm.name, seed)),
        }
        for seed, outcome in arm.outcomes.items()
    ]
    return {
        "name": arm.name,
        "changes": dict(arm.changes),
        "verdict": None if comparison is None else comparison.verdict,
        "ratio": None if ratio is None else vars(ratio),
        "score_name": arm.outcomes[arm.best_seed].score_name,
        "score": arm.score,
        "steps": arm.steps,
        "branches": branches,
        "folder": str(folder.trial(arm.name, arm.best_seed)),
        "kept": False,
    }


def _keep_one(trials: list[dict[str, Any]]) -> None:
    """Removes the checkpoints of all branches but the best of the best remedy."""
    for trial in trials:
        for one in trial["branches"]:
            if not trial["kept"] or one["folder"] != trial["folder"]:
                RunFolder(one["folder"]).remove_all_checkpoints()
