"""Rules of numbers: not finite, or beyond what float16 can hold."""

import numpy as np

from ganlab.diagnosis.evidence import Bound, Held, Observation, make_evidence
from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.log import LOSSES, Log
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_networks

NON_FINITE = Bound("d_loss", 0.0, condition="or `g_loss` is infinite or NaN")
SKIPPED_STEPS = Bound("{network}_skipped_share", 0.1)
ZERO_GRADIENTS = Bound("{network}_zero_gradient_share", 0.3)


@rule(NON_FINITE, severities=("warning", "critical"))
def non_finite(log: Log) -> Observation | None:
    """Infinite or NaN losses: critical where the last one is."""
    for event in log.events_of("non_finite"):
        tensor = event.get("tensor") or "no weight or activation any more"
        says = f"{event.get('loss', 'a loss')} is not finite; first in {tensor}"
        evidence = [make_evidence("event", None, None, says)]
        return Observation(Held(event["step"], 1.0), evidence, "critical")
    for name in LOSSES:
        series = log.series.get(name)
        if series is None or not len(series):
            continue
        bad = ~np.isfinite(series.values)
        if not bad.any():
            continue
        says = f"{bad.sum()} of {len(bad)} logged values of {name} are not finite"
        evidence = [make_evidence(name, float(bad.mean()), 0.0, says)]
        held = Held(int(series.steps[np.argmax(bad)]), 1.0)
        return Observation(held, evidence, "critical" if bad[-1] else "warning")
    return None


@rule(SKIPPED_STEPS)
def float16_overflow(log: Log) -> Observation | None:
    """Loss scaling skips many steps."""
    changes = FAILURES["float16_overflow"].changes
    return observe_networks(
        log,
        SKIPPED_STEPS,
        "{:.0%} of the {}'s steps are skipped",
        {"generator": changes, "discriminator": changes},
    )


@rule(ZERO_GRADIENTS)
def float16_underflow(log: Log) -> Observation | None:
    """Gradients round to 0."""
    if log.settings.get("dtype_policy") != "mixed_float16":
        return None
    scaled = log.settings.get("loss_scaling", True)
    changes = {"dtype_policy": "mixed_bfloat16"} if scaled else {"loss_scaling": True}
    return observe_networks(
        log,
        ZERO_GRADIENTS,
        "{:.0%} of the {}'s gradient is exactly 0",
        {"generator": changes, "discriminator": changes},
    )
