"""The rules of a diagnosis, in order: causes before what they lead to.

Two tiers: signals from inside the networks are cheap and warn; a score of quality
or diversity makes a finding critical, or what is exactly so from the start: a network
that never moved, data that is not finite. Where a cause is found its symptoms stand
after it. Thresholds come from what a signal means where it means something by itself:
see docs/decisions/0017.
"""

from ganlab.diagnosis.findings import Finding
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules import (
    balance,
    data,
    gradients,
    images,
    modes,
    objectives,
    precision,
    progress,
    wiring,
)
from ganlab.diagnosis.rules.causes import causes_first
from ganlab.diagnosis.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    data.non_finite_data,
    data.degenerate_data,
    data.uninformative_labels,
    objectives.crossed_steps,
    objectives.undivided_objective,
    wiring.frozen_network,
    wiring.ignored_latents,
    wiring.inverted_objective,
    objectives.double_sigmoid,
    objectives.missing_sigmoid,
    gradients.overlong_steps,
    balance.unconstrained_critic,
    precision.float16_overflow,
    precision.non_finite,
    precision.float16_underflow,
    images.data_range_mismatch,
    gradients.activation_saturation,
    gradients.dying_relu,
    gradients.exploding_gradient,
    gradients.vanishing_generator_gradient,
    images.batch_norm_gap,
    balance.drowned_discriminator,
    balance.discriminator_overfitting,
    balance.discriminator_domination,
    balance.generator_domination,
    images.output_saturation,
    images.checkerboard,
    balance.oscillation,
    data.class_imbalance,
    modes.ignored_labels,
    modes.mode_collapse,
    modes.mode_dropping,
    modes.memorisation,
    progress.late_collapse,
    data.starved_input,
    progress.undertrained,
)


def diagnose(log: Log) -> list[Finding]:
    """Looks for every failure.

    Args:
        log: A `ganlab.diagnosis.Log`.

    Returns:
        A list of `Finding`s, critical ones first, and of those causes before what
        they lead to.
    """
    findings = [finding for rule in RULES if (finding := rule(log)) is not None]
    return causes_first(findings)
