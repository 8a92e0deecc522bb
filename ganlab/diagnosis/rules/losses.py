"""What both losses tell by themselves: all that logs of other trainers often hold."""

import numpy as np

from ganlab.diagnosis.evidence import (
    Bound,
    Held,
    Observation,
    last_median,
    smooth,
)
from ganlab.diagnosis.log import LOSSES, Log, Series

MIN_LOSSES = 10
CHANCE = 1.386  # 2 ln 2: two cross-entropies of one half
FOREIGN = "in a log of another trainer"

STEADY = Bound(
    "g_loss",
    0.02,
    above=False,
    condition=f"and `d_loss` stay within 2 % of themselves all along, {FOREIGN}",
)
AT_CHANCE = Bound(
    "d_loss",
    0.03,
    above=False,
    condition=f"is within 3 % of 2 ln 2, or of ln 2, all along, {FOREIGN}",
)
OUTRUN = Bound(
    "g_loss",
    0.5,
    above=False,
    condition=f"< 0.5 times its start, from under 0.8, while `d_loss` never fell by "
    f"3 %, {FOREIGN}",
)
LARGE_LOSS = 20.0
GROWN_LOSS = 30.0  # times its start
LEAPT = Bound(
    "d_loss",
    1000.0,
    condition=f"> 1000 times its median, or > {GROWN_LOSS:g} times it in the end, and "
    f"> {LARGE_LOSS:g}, {FOREIGN}",
)
BOTTOMLESS = Bound(
    "d_loss",
    -1000.0,  # at a slope of 1, pictures of any usual size are nearer
    above=False,
    condition=f"< -1000, {FOREIGN}",
)


def neither_moves(log: Log) -> Observation | None:
    """Both losses stay where they began, but for the noise of batches."""
    losses = _both(log)
    if losses is None:
        return None
    spans = [_span(series) / abs(np.median(series.values)) for series in losses]
    if not STEADY.past(np.array(spans)).all() or min(spans) == 0.0:
        return None  # without any noise it is rounded, or no loss of a batch
    says = f"neither loss moved by more than {max(spans):.2%} in the whole run"
    held = Held(int(losses[0].steps[0]), 1.0)
    return Observation(held, [STEADY.evidence(max(spans), says)], "warning")


def never_led(log: Log) -> Observation | None:
    """The discriminator's cross-entropy never left that of a guess."""
    losses = _both(log)
    if losses is None:
        return None
    d_loss = losses[0]
    for chance in (CHANCE, CHANCE / 2):
        distances = np.abs(d_loss.values / chance - 1.0)
        if AT_CHANCE.past(distances).all():
            says = (
                f"the discriminator's loss was {last_median(d_loss):.3g} all along, "
                "that of a guess"
            )
            held = Held(int(d_loss.steps[0]), 1.0)
            return Observation(held, [AT_CHANCE.evidence(distances.max(), says)])
    return None


def outrun(log: Log) -> Observation | None:
    """The generator's loss fell away while the discriminator's never fell."""
    losses = _both(log)
    if losses is None:
        return None
    d_loss, g_loss = losses
    if min(d_loss.values.min(), g_loss.values.min()) <= 0.0:
        return None
    ahead = g_loss.values[0] > 0.8  # D was, when the log began
    if ahead or d_loss.values.min() < 0.97 * d_loss.values[0]:
        return None
    share = g_loss.values / g_loss.values[0]
    held = OUTRUN.held_by(Series(g_loss.steps, share))
    if held is None:
        return None
    says = (
        f"the generator's loss fell from {g_loss.values[0]:.2g} to "
        f"{last_median(g_loss):.2g}, the discriminator's never fell: it went from "
        f"{d_loss.values[0]:.2g} to {last_median(d_loss):.2g}"
    )
    return Observation(held, [OUTRUN.evidence(float(share[-1]), says)])


def leapt(log: Log) -> Observation | None:
    """The discriminator's loss leapt beyond all that it was before or after."""
    d_loss = log.get(LOSSES[0], MIN_LOSSES)
    if d_loss is None:
        return None
    size = np.abs(d_loss.values)
    half, highest = len(size) // 2, int(size.argmax())
    start, end = np.median(size[:half]), np.median(size[-max(half // 2, 1) :])
    once = size[highest] > LEAPT.threshold * max(np.median(size), 1e-3)
    if size[highest] < LARGE_LOSS or not (once or end > GROWN_LOSS * start):
        return None
    value = float(d_loss.values[highest])
    says = f"the discriminator's loss leapt to {value:.3g}, from about {start:.2g}"
    held = Held(int(d_loss.steps[highest if once else half]), 1.0)
    return Observation(held, [LEAPT.evidence(value, says)])


def bottomless(log: Log) -> Observation | None:
    """The critic's loss fell below what any pictures' distance allows."""
    d_loss = smooth(log.get(LOSSES[0], MIN_LOSSES))
    if d_loss is None or not BOTTOMLESS.past(d_loss.values).any():
        return None
    lowest = int(d_loss.values.argmin())
    value = float(d_loss.values[lowest])
    says = f"the critic's loss fell to {value:.3g}: it parts no pictures, it grows"
    first = int(np.argmax(BOTTOMLESS.past(d_loss.values)))
    held = Held(int(d_loss.steps[first]), 1.0)
    return Observation(held, [BOTTOMLESS.evidence(value, says)])


def _both(log: Log) -> tuple[Series, Series] | None:
    """Both losses of another trainer, smoothed, at the same steps."""
    d_loss, g_loss = (smooth(log.get(name, MIN_LOSSES)) for name in LOSSES)
    if d_loss is None or g_loss is None or len(d_loss) != len(g_loss):
        return None
    return d_loss, g_loss


def _span(series: Series) -> float:
    low, high = np.percentile(series.values, (2, 98))
    return float(high - low)
