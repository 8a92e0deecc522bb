"""Whether a remedy cures: scores of its branches over those of unchanged ones.

Branches of one remedy differ in their seed alone. What a seed moves a score by is
chance; a remedy that cures moves it by more.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganlab.diagnosis.examine import Report
from ganlab.diagnosis.log import Log
from ganlab.metrics.resampling import LEVEL, format_number

CURES, HELPS, UNTOLD, WORSE = "cures", "helps", "no difference told", "worse"
VERDICTS = (CURES, HELPS, UNTOLD, WORSE)  # the best first
SCORES = ("js", "fid")  # less is better; on points FID sees no modes, and JS does
MIN_SEEDS = 2
LARGEST_EXPONENT = math.log(sys.float_info.max)


@dataclass(frozen=True)
class Outcome:
    """How one branch ended.

    Args:
        score: Float: its score, of which less is better; `None` without one.
        findings: Names of its findings that are more than notes.
        critical: Integer: how many of them are critical.
        diverged: Whether a number that is not finite ended it.
        score_name: Which score it is, of `SCORES`, or `None`.
    """

    score: float | None
    findings: frozenset[str] = frozenset()
    critical: int = 0
    diverged: bool = False
    score_name: str | None = None

    @classmethod
    def of(
        cls, examined: Report, start_step: int = 0, *, diverged: bool = False
    ) -> "Outcome":
        """What the report of a branch says of it.

        Args:
            examined: A `ganlab.diagnosis.report.Report`.
            start_step: Integer: the step at which branches leave their run.
            diverged: See `Outcome`.
        """
        serious = examined.serious
        return cls(
            None if diverged else settled_score(examined.log, start_step),
            frozenset(finding.name for finding in serious),
            sum(finding.severity == "critical" for finding in serious),
            diverged,
            score_name(examined.log),
        )

    @property
    def log_score(self) -> float | None:
        """Logarithm of the score; `None` if it has none, or the branch diverged."""
        score = self.score
        if score is None or self.diverged or not (math.isfinite(score) and score > 0):
            return None
        return math.log(score)


@dataclass(frozen=True)
class Ratio:
    """A ratio of scores with its interval of 95 %.

    Args:
        value: Float: ratio of the geometric means.
        low: Float: lower end of the interval.
        high: Float: its upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        low, high = format_number(self.low), format_number(self.high)
        return f"{format_number(self.value)} [{low}, {high}]"


@dataclass(frozen=True)
class Comparison:
    """What a remedy's branches say of it.

    Args:
        verdict: `cures`, `helps`, `no difference told` or `worse`.
        ratio: The `Ratio` of its scores to the unchanged ones'; `None` where findings
            alone are judged.
    """

    verdict: str
    ratio: Ratio | None

    @property
    def decided(self) -> bool:
        """Whether longer branches have nothing to add."""
        return self.verdict != UNTOLD

    def __str__(self) -> str:
        if self.ratio is None:
            return f"{self.verdict}, by findings alone"
        return f"{self.verdict}, {self.ratio} of the unchanged score"


def compare(
    finding: str,
    remedy: Sequence[Outcome],
    unchanged: Sequence[Outcome],
    *,
    looks: int = 1,
) -> Comparison:
    """Compares a remedy's branches with unchanged ones.

    A remedy *cures* if the ratio's interval lies wholly below 1 and the finding,
    which an unchanged branch has, is in none of its branches. It *helps* if the
    interval alone says so, and makes *worse* if the interval lies wholly above 1.

    Where a branch has no score, or diverged, or a remedy has one branch only, there is
    no interval. Then a remedy cures if the finding is in every unchanged branch and in
    none of its own, and makes worse if its best branch diverged or has more critical
    findings than the unchanged ones' worst.

    Args:
        finding: Name of the finding that is to go.
        remedy: Outcomes of the remedy, one a seed.
        unchanged: Outcomes of as many steps without a change, one a seed.
        looks: See `score_ratio`.

    Raises:
        ValueError: without an outcome of either.
    """
    if not remedy or not unchanged:
        raise ValueError(
            "Expected outcomes with and without the remedy. Received: "
            f"{len(remedy)} and {len(unchanged)}"
        )
    had = [finding in outcome.findings for outcome in unchanged]
    gone = not any(finding in outcome.findings for outcome in remedy)
    ratio = score_ratio(remedy, unchanged, looks=looks)
    if ratio is None:
        best = min(_badness(outcome) for outcome in remedy)
        if best > max(_badness(outcome) for outcome in unchanged):
            return Comparison(WORSE, None)
        return Comparison(CURES if gone and all(had) else UNTOLD, None)
    if ratio.low > 1:
        return Comparison(WORSE, ratio)
    if ratio.high < 1:
        return Comparison(CURES if gone and any(had) else HELPS, ratio)
    return Comparison(UNTOLD, ratio)


def _badness(outcome: Outcome) -> tuple[bool, int]:
    return outcome.diverged, outcome.critical


def score_ratio(
    remedy: Sequence[Outcome], unchanged: Sequence[Outcome], *, looks: int = 1
) -> Ratio | None:
    """The ratio of a remedy's scores to the unchanged ones', with its interval.

    The interval is Welch's t-interval of the difference of mean log scores, for r of
    the remedy and u unchanged:

        d = mean(log r) - mean(log u),  v_r = var(log r) / n_r,  v_u = var(log u) / n_u
        exp(d +- t(1 - 0.025 / looks, f) sqrt(v_r + v_u))
        f = (v_r + v_u)^2 / (v_r^2 / (n_r - 1) + v_u^2 / (n_u - 1))

    It is Welch's and not paired by seed, for equal seeds say little: a remedy of the
    networks begins anew with other weights, and training is chaotic. Pairs would
    halve the degrees of freedom, of which two seeds leave one (t = 12.7 for 4.3).
    Nor are variances equal: collapsed runs end much alike, cured ones do not.

    Args:
        remedy: Outcomes of the remedy.
        unchanged: Outcomes without a change.
        looks: Integer: how often one may look before a verdict. The intervals of all
            looks together hold in 95 % (Bonferroni).

    Returns:
        A `Ratio`, or `None` unless all have a score above 0 and both are two or more.

    Reference:
        [Welch, 1947](https://doi.org/10.1093/biomet/34.1-2.28);
        [Colas et al., 2019](https://arxiv.org/abs/1904.06979) on tests over seeds
    """
    first, second = log_scores(remedy), log_scores(unchanged)
    if first is None or second is None or min(len(first), len(second)) < MIN_SEEDS:
        return None
    from scipy.special import stdtrit  # slow to import, and reports do without

    difference = float(first.mean() - second.mean())
    variances = [float(values.var(ddof=1)) / len(values) for values in (first, second)]
    variance, margin = sum(variances), 0.0
    if variance > 0:
        # of fractions: squares of tiny variances underflow
        freedom = 1 / sum(
            (part / variance) ** 2 / (len(values) - 1)
            for part, values in zip(variances, (first, second), strict=True)
        )
        quantile = 1 - (1 - LEVEL) / (2 * looks)
        margin = float(stdtrit(freedom, quantile)) * math.sqrt(variance)
    return Ratio(_exp(difference), _exp(difference - margin), _exp(difference + margin))


def log_scores(outcomes: Sequence[Outcome]) -> np.ndarray | None:
    """Logarithms of all scores, a float64 array, or `None` unless all have one."""
    logs = [outcome.log_score for outcome in outcomes]
    kept = [value for value in logs if value is not None]
    return np.array(kept) if len(kept) == len(logs) else None


def _exp(value: float) -> float:
    """The exponential, or the largest float."""
    return math.exp(min(value, LARGEST_EXPONENT))


def score_name(log: Log) -> str | None:
    """The score that a run's branches are compared by, or `None` if it logs none."""
    return next((name for name in SCORES if log.get(name) is not None), None)


def settled_score(log: Log, start_step: int = 0) -> float | None:
    """A branch's score: its geometric mean over the last quarter of the branch.

    Args:
        log: The branch's log.
        start_step: Integer: the step at which the branch began.

    Returns:
        A float, or `None` if nothing was logged or a value has no logarithm.
    """
    name = score_name(log)
    if name is None:
        return None
    series = log.series[name]
    last_step = int(series.steps[-1])
    values = series.since(last_step - (last_step - start_step) / 4).values
    if not (np.isfinite(values) & (values > 0)).all():
        return None
    return float(np.exp(np.log(values).mean()))
