"""Rules of the generated images themselves: range, saturation, patterns."""

from ganlab.diagnosis.evidence import (
    MIN_VALUES,
    WARMUP_STEPS,
    Bound,
    Held,
    Observation,
)
from ganlab.diagnosis.log import Log
from ganlab.diagnosis.rules.rule import rule
from ganlab.diagnosis.rules.signals import observe_signal

SATURATED_PIXELS = Bound("output_saturated_gap", 0.3)
STATISTICS_GAP = Bound("batch_norm_gap", 0.3)
CHECKERBOARD = Bound("checkerboard_share", 0.15)
UNREACHED_RANGE = 0.3
LOWEST_FAKE = Bound(
    "fake_low",
    None,
    above=False,
    condition=f"never in the lower {UNREACHED_RANGE:.0%} of the real images' range",
)


@rule(LOWEST_FAKE)
def data_range_mismatch(log: Log) -> Observation | None:
    """Fakes never come near the lower end of the data."""
    fake, low, high = (
        log.get(name, MIN_VALUES) for name in ("fake_low", "real_low", "real_high")
    )
    if fake is None or low is None or high is None or log.last_step < WARMUP_STEPS:
        return None
    if not log.data_kind.applies("data_range_mismatch"):
        return None
    bottom, top = low.values[-1], high.values[-1]
    bound = LOWEST_FAKE.at(float(bottom + UNREACHED_RANGE * (top - bottom)))
    if bound.past(fake.values).any():
        return None
    value = float(fake.values[-1])
    says = f"real pixels begin at {bottom:.2f}, fakes were never below {value:.2f}"
    evidence = [bound.evidence(value, says)]
    return Observation(Held(int(fake.steps[0]), 1.0), evidence)


@rule(SATURATED_PIXELS)
def output_saturation(log: Log) -> Observation | None:
    """Many more pixels are at the ends of the range than in real images."""
    says = "{:.0%} more pixels are black or white than in real images"
    return observe_signal(log, SATURATED_PIXELS, says)


@rule(STATISTICS_GAP)
def batch_norm_gap(log: Log) -> Observation | None:
    """Images by batch and by moving statistics differ."""
    says = "images by batch and by moving statistics differ by {:.2f} on average, of 2"
    return observe_signal(log, STATISTICS_GAP, says)


@rule(CHECKERBOARD)
def checkerboard(log: Log) -> Observation | None:
    """Edges follow a pattern of period 2."""
    says = "{:.0%} more of the edges are one pattern of period 2 than in real images"
    return observe_signal(log, CHECKERBOARD, says)
