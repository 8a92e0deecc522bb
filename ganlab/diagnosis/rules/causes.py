"""Which findings explain which: a cause stands before its symptoms.

The order of `RULES` is that of causes. A cause is as severe as the worst of the
symptoms that it explains, so that sorting by severity keeps it before them.
"""

from collections.abc import Sequence
from dataclasses import replace

from ganlab.diagnosis.evidence import WARMUP_STEPS
from ganlab.diagnosis.findings import SEVERITIES, Finding

LATER = 1.25  # times a step, from which on something is later

IMAGES = (
    "output_saturation",
    "checkerboard",
    "mode_collapse",
    "mode_dropping",
    "late_collapse",
)
BALANCE = ("discriminator_domination", "generator_domination", "oscillation")
GRADIENTS = (
    "vanishing_generator_gradient",
    "exploding_gradient",
    "dying_relu",
    "activation_saturation",
)
LABELS = ("ignored_labels",)
RANGE = ("data_range_mismatch",)
DATA = ("memorisation", "discriminator_overfitting")
EVERYTHING = (
    *RANGE,
    *GRADIENTS,
    *BALANCE,
    *IMAGES,
    *LABELS,
    "batch_norm_gap",
    "undertrained",
)

EXPLAINS: dict[str, tuple[str, ...]] = {
    "non_finite_data": ("non_finite", *DATA, *EVERYTHING),
    "degenerate_data": ("uninformative_labels", *DATA, *EVERYTHING),
    "uninformative_labels": (*LABELS, "mode_dropping"),
    "frozen_network": ("ignored_latents", "inverted_objective", *DATA, *EVERYTHING),
    "ignored_latents": EVERYTHING,
    "inverted_objective": ("non_finite", *EVERYTHING),
    "crossed_steps": ("frozen_network", "inverted_objective", *EVERYTHING),
    "undivided_objective": ("inverted_objective", *EVERYTHING),
    "double_sigmoid": EVERYTHING,
    "missing_sigmoid": EVERYTHING,
    "overlong_steps": ("non_finite", "float16_overflow", *EVERYTHING),
    "unconstrained_critic": ("non_finite", *EVERYTHING),
    "data_range_mismatch": (*BALANCE, *IMAGES, *GRADIENTS),
    "float16_overflow": ("non_finite", *EVERYTHING),
    "float16_underflow": EVERYTHING,
    "activation_saturation": ("vanishing_generator_gradient", *BALANCE, *IMAGES),
    "dying_relu": ("vanishing_generator_gradient", *BALANCE, *IMAGES),
    "exploding_gradient": (*BALANCE, *IMAGES),
    "vanishing_generator_gradient": (*BALANCE, *IMAGES),
    "drowned_discriminator": (*BALANCE, *IMAGES, "undertrained"),
    "discriminator_overfitting": (*BALANCE, *IMAGES),
    "batch_norm_gap": ("generator_domination", *IMAGES, "undertrained"),
    "discriminator_domination": IMAGES,
    "generator_domination": IMAGES,
}


def causes_first(findings: Sequence[Finding]) -> list[Finding]:
    """Findings by severity, each cause as severe as what it explains.

    What began clearly later than a symptom is not its cause, and stands after it.

    Args:
        findings: `Finding`s in the order of causes; notes explain nothing.
    """
    rank = {finding.name: SEVERITIES.index(finding.severity) for finding in findings}
    for finding in reversed(findings):  # from the last symptom to the first cause
        if finding.severity != "note":
            explained = [
                rank[symptom.name] for symptom in _explained(finding, findings)
            ]
            rank[finding.name] = max([rank[finding.name], *explained])
    ordered: list[Finding] = []
    for finding in reversed(findings):
        earlier = [
            place
            for place, other in enumerate(ordered)
            if other.name in EXPLAINS.get(finding.name, ())
            and _began_before(other, finding)
        ]
        ordered.insert(max(earlier) + 1 if earlier else 0, finding)
    raised = [
        replace(finding, severity=SEVERITIES[rank[finding.name]]) for finding in ordered
    ]
    return sorted(raised, key=lambda finding: -rank[finding.name])


def _explained(cause: Finding, findings: Sequence[Finding]) -> list[Finding]:
    return [
        finding
        for finding in findings
        if finding.name in EXPLAINS.get(cause.name, ())
        and not _began_before(finding, cause)
    ]


def _began_before(one: Finding, other: Finding) -> bool:
    """Whether one finding holds since clearly before another.

    Every signal looks bad in the warm-up, so nothing begins before its end.
    """
    return other.since_step > LATER * max(one.since_step, WARMUP_STEPS)
