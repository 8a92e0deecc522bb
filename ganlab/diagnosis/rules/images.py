"""Rules of the generated images themselves: range, saturation, patterns."""

from dataclasses import replace

import numpy as np

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
    last_median,
    make_evidence,
    sustained,
)
from ganlab.diagnosis.log import Log, Series
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_signal

SATURATED_PIXELS = Bound("output_saturated_gap", 0.3)
LATENT_SHARE = 0.5
STATISTICS_GAP = Bound(
    "batch_norm_gap",
    0.1,
    condition=f"> 0.1, and > {LATENT_SHARE:g} times what other latents change",
)
CHECKERBOARD = Bound("checkerboard_share", 0.15)
FAINT_CHECKERBOARD = Bound("checkerboard_share", 0.08)
UNEVEN = Bound("g_uneven_kernels", 0.0)
UNREACHED_RANGE = 0.3
SMALLEST_SHARE = 0.05  # of the output's range
SAME_SCALE = 3.0  # times the real images' range
BEYOND = 0.05  # of the real images' range
OUTPUT_LOW, OUTPUT_HIGH = (
    Bound(
        f"output_{end}",
        None,
        above=end == "low",
        condition=f"is short of the real images' by over {BEYOND:.0%} of their range, "
        f"or they fill under {SMALLEST_SHARE:.0%} of the output's",
    )
    for end in ("low", "high")
)
LOWEST_FAKE, HIGHEST_FAKE = (
    Bound(
        f"fake_{end}",
        None,
        above=end == "low",
        condition=f"never in the {name} {UNREACHED_RANGE:.0%} of the real images' "
        "range",
    )
    for end, name in (("low", "lower"), ("high", "upper"))
)


@rule(OUTPUT_LOW, OUTPUT_HIGH, LOWEST_FAKE, HIGHEST_FAKE)
def data_range_mismatch(log: Log) -> Observation | None:
    """The output cannot reach an end of the data, or never came near it."""
    low, high = (log.last(f"real_{end}", MIN_VALUES) for end in ("low", "high"))
    if low is None or high is None or not log.data_kind.applies("data_range_mismatch"):
        return None
    span = high - low
    for bound, real, inwards in ((OUTPUT_LOW, low, 1.0), (OUTPUT_HIGH, high, -1.0)):
        end = log.last(bound.signal)
        own = bound.at(real + inwards * BEYOND * span)
        if end is not None and own.past(end):
            says = f"real pixels reach {real:.2f}, the output no further than {end:.2f}"
            return Observation(Held(0, 1.0), [own.evidence(end, says)])
    lowest, highest = (log.last(bound.signal) for bound in (OUTPUT_LOW, OUTPUT_HIGH))
    if lowest is not None and highest is not None:
        width = highest - lowest
        if span < SMALLEST_SHARE * width:
            says = (
                f"real pixels span {span:.2g}, the output {width:.2g}: are they scaled "
                "twice?"
            )
            scaled = make_evidence(OUTPUT_HIGH.signal, highest, None, says)
            return Observation(Held(0, 1.0), [scaled])
        if width < SAME_SCALE * span:
            return None  # fakes stay away from an end that they can reach
    for bound, real, inwards in ((LOWEST_FAKE, low, 1.0), (HIGHEST_FAKE, high, -1.0)):
        fakes = log.get(bound.signal, MIN_VALUES)
        own = bound.at(real + inwards * UNREACHED_RANGE * span)
        if fakes is None or log.last_step < WARMUP_STEPS:
            continue
        if own.past(fakes.values).all():
            nearest = fakes.values.min() if inwards > 0 else fakes.values.max()
            says = f"real pixels reach {real:.2f}, fakes never got past {nearest:.2f}"
            evidence = [own.evidence(float(nearest), says)]
            return Observation(Held(int(fakes.steps[0]), 1.0), evidence)
    return None


@rule(SATURATED_PIXELS)
def output_saturation(log: Log) -> Observation | None:
    """Many more pixels are at the ends of the range than in real images."""
    says = "{:.0%} more pixels are black or white than in real images"
    return observe_signal(log, SATURATED_PIXELS, says)


@rule(STATISTICS_GAP)
def batch_norm_gap(log: Log) -> Observation | None:
    """Images by batch and by moving statistics differ, about as other images do."""
    gap, effect = (
        log.get(name, MIN_VALUES) for name in ("batch_norm_gap", "latent_effect")
    )
    if gap is None or effect is None or len(gap) != len(effect):
        return None
    changed = 2.0 * effect.values  # both on the scale of [-1, 1]
    share = Series(gap.steps, gap.values / np.maximum(changed, 1e-12))
    held = sustained(
        share, lambda shares: STATISTICS_GAP.past(gap.values) & (shares > LATENT_SHARE)
    )
    if held is None or log.last_step < WARMUP_STEPS:
        return None
    value, times = last_median(gap), last_median(share)
    says = (
        f"images by batch and by moving statistics differ by {value:.2f} on average, "
        f"of 2, which is {times:.2g} times what other latents change"
    )
    return Observation(held, [STATISTICS_GAP.evidence(value, says)])


@rule(CHECKERBOARD, (UNEVEN, FAINT_CHECKERBOARD))
def checkerboard(log: Log) -> Observation | None:
    """Edges follow a pattern of period 2, which uneven kernels are known to draw."""
    uneven = log.last(UNEVEN.signal)
    if uneven is not None and not UNEVEN.past(uneven):
        uneven = None
    says = "{:.0%} more of the edges are one pattern of period 2 than in real images"
    bound = CHECKERBOARD if uneven is None else FAINT_CHECKERBOARD
    observed = observe_signal(log, bound, says)
    if observed is None or uneven is None:
        return observed
    says = f"kernels of {uneven:.0f} transposed convolutions are no multiple of strides"
    cause = UNEVEN.evidence(uneven, says)
    return replace(observed, evidence=[cause, *observed.evidence])
