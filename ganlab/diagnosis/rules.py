"""Which failures does a log show?

Two tiers: signals from inside the players are cheap and warn; only a score of
quality or diversity makes a finding critical. Thresholds are fitted to the labs'
seeds 0 to 4: see `scripts/benchmarks/diagnosis.py`.
"""

import itertools

import numpy as np

from ganlab.diagnosis.evidence import (
    EARLY,
    LEAST_POINTS,
    STALLED,
    TAIL,
    UNBOUNDED,
    alike,
    bad_quality,
    confirmed,
    few_modes,
    late_collapse,
    loss_name,
    make,
    over,
    rising,
    shown,
    smooth,
    stalled,
    sustained,
    under,
)
from ganlab.diagnosis.findings import FAILURES, SEVERITIES
from ganlab.diagnosis.log import Series


def diagnose(log):
    """Looks for every failure.

    Args:
        log: A `ganlab.diagnosis.Log`.

    Returns:
        A list of `Finding`s, critical ones first, and of those causes before what
        they lead to.
    """
    found = [rule(log) for rule in RULES]
    found = [each for each in found if each is not None]
    return sorted(found, key=lambda each: -SEVERITIES.index(each.severity))


def non_finite(log):
    """Infinite or NaN losses."""
    for event in log.events_of("non_finite"):
        where = event.get("tensor") or "no weight or activation any more"
        says = f"{event.get('loss', 'a loss')} is not finite; first in {where}"
        evidence = [shown("event", None, None, says)]
        return make(log, "non_finite", "critical", (event["step"], 1.0), evidence)
    for name in ("d_loss", "g_loss"):
        series = log.series.get(name)
        if series is None or not len(series):
            continue
        bad = ~np.isfinite(series.values)
        if not bad.any():
            continue
        severity = "critical" if bad[-1] else "warning"
        says = f"{bad.sum()} of {len(bad)} logged values of {name} are not finite"
        evidence = [shown(name, float(bad.mean()), 0.0, says)]
        held = int(series.steps[np.argmax(bad)]), 1.0
        return make(log, "non_finite", severity, held, evidence)
    return None


def discriminator_domination(log):
    """D is right on nearly all images and sure of it."""
    if log.foreign:
        return _foreign_domination(log)
    if loss_name(log) in UNBOUNDED:
        return None
    real, fake, belief = (
        log.get(name, LEAST_POINTS)
        for name in ("d_accuracy_real", "d_accuracy_fake", "d_fake")
    )
    if real is None or fake is None or belief is None:
        return None
    if not len(real) == len(fake) == len(belief):
        return None
    accuracy = Series(real.steps, (real.values + fake.values) / 2)
    both = Series(real.steps, np.stack([accuracy.values, belief.values], axis=1))
    held = sustained(both, lambda values: (values[:, 0] > 0.97) & (values[:, 1] < 0.03))
    if held is None:
        return None
    right = float(np.median(accuracy.values[-LEAST_POINTS:]))
    mean = log.last("d_fake", LEAST_POINTS)
    evidence = [
        shown("d_accuracy", right, 0.97, f"D is right on {right:.1%} of images"),
        shown("d_fake", mean, 0.03, f"mean D(G(z)) is {mean:.2g}"),
    ]
    settings = log.settings
    changes: dict = {}
    if settings.get("regularizer", "none") == "none":
        changes |= {"regularizer": "r1", "discriminator_normalization": "none"}
    rates = [
        settings.get(f"{role}_learning_rate") for role in ("generator", "discriminator")
    ]
    if all(rates) and rates[1] > rates[0]:
        changes["discriminator_learning_rate"] = rates[0]
    if settings.get("discriminator_steps", 1) > 1:
        changes["discriminator_steps"] = 1
    if loss_name(log) == "minimax":
        changes["loss"] = "non_saturating"
    if not changes and rates[1]:
        changes = {"discriminator_learning_rate": rates[1] / 4}
    return confirmed(log, "discriminator_domination", held, evidence, changes)


def _foreign_domination(log):
    """By the losses alone: 0.2 is a D that is about 90 % sure on both sides."""
    d_loss, g_loss = (
        smooth(log.get(name, LEAST_POINTS)) for name in ("d_loss", "g_loss")
    )
    if d_loss is None or g_loss is None or np.mean(d_loss.values < -0.02) > 0.02:
        return None
    squares = np.percentile(g_loss.values, 95) < 1.5 and d_loss.values[0] < 0.6
    threshold = 0.05 if squares else 0.2
    held = sustained(d_loss, under(threshold))
    if held is None:
        return None
    value = float(np.median(d_loss.values[-LEAST_POINTS:]))
    says = f"the discriminator's loss is {value:.2g}"
    evidence = [shown("d_loss", value, threshold, says)]
    return confirmed(log, "discriminator_domination", held, evidence)


def generator_domination(log):
    """D cannot tell, though the images are bad."""
    if log.foreign or loss_name(log) in UNBOUNDED:
        return None
    real, fake = (log.get(f"d_{side}", LEAST_POINTS) for side in ("real", "fake"))
    if real is None or fake is None or len(real) != len(fake):
        return None
    lead = Series(real.steps, real.values - fake.values)
    held = sustained(lead, under(0.02))
    bad = bad_quality(log)
    if held is None or bad is None:
        return None
    value = float(np.median(lead.values[-LEAST_POINTS:]))
    evidence = [
        shown("d_real - d_fake", value, 0.02, f"D leads by {value:.3f}"),
        bad,
    ]
    return make(log, "generator_domination", "critical", held, evidence)


def vanishing_generator_gradient(log):
    """The loss hands the generator next to nothing."""
    threshold = 0.1
    held = None
    if loss_name(log) == "minimax":
        held = sustained(log.get("g_logit_gradient"), under(threshold))
    if held is not None:
        value = log.last("g_logit_gradient", LEAST_POINTS)
        thrown = log.last("gradient_thrown_away", LEAST_POINTS)
        evidence = [
            shown(
                "g_logit_gradient",
                value,
                threshold,
                f"the loss's gradient in the logit is {value:.2g}, of 1 at most",
            )
        ]
        if thrown is not None:
            says = f"{thrown:.1%} of the non-saturating gradient is thrown away"
            evidence.append(shown("gradient_thrown_away", thrown, None, says))
        return confirmed(log, "vanishing_generator_gradient", held, evidence)
    held = sustained(log.get("g_gradient_norm"), under(1e-7))
    if held is None:
        return None
    value = log.last("g_gradient_norm", LEAST_POINTS)
    says = f"the norm of the generator's gradient is {value:.2g}"
    evidence = [shown("g_gradient_norm", value, 1e-7, says)]
    return confirmed(log, "vanishing_generator_gradient", held, evidence)


def exploding_gradient(log):
    """A gradient a hundred times that of the run's beginning."""
    for key, who in (("g", "generator"), ("d", "discriminator")):
        series = smooth(log.get(f"{key}_gradient_norm", 8), 5)
        if series is None:
            continue
        start = np.median(series.values[len(series) // 20 : len(series) // 3 + 1])
        threshold = max(100.0 * start, 10.0)
        held = sustained(series, over(threshold))
        if held is not None:
            value = log.last(f"{key}_gradient_norm", LEAST_POINTS)
            says = f"the {who}'s gradient has grown from {start:.2g} to {value:.2g}"
            evidence = [shown(f"{key}_gradient_norm", value, threshold, says)]
            return confirmed(log, "exploding_gradient", held, evidence)
    return None


def dying_relu(log):
    """Many units of a layer are never above 0.

    Points of the plane light up few units each, dead or not, so they are left out.
    """
    if not log.data_kind.applies("dying_relu") or log.last_step < EARLY:
        return None
    return _worst_of_both(
        log,
        "dying_relu",
        "dead_share",
        0.25,
        "{:.0%} of the {}'s units are dead in its worst layer",
        {
            "generator": {"generator_activation": "leaky_relu"},
            "discriminator": {"discriminator_activation": "leaky_relu"},
        },
    )


def activation_saturation(log):
    """Hidden sigmoids and tanhs let little gradient pass."""
    threshold, found = 0.1, None
    for key, who in (("g", "generator"), ("d", "discriminator")):
        held = sustained(log.get(f"{key}_activation_gradient"), under(threshold))
        if held is None:
            continue
        value = log.last(f"{key}_activation_gradient", LEAST_POINTS)
        says = f"the {who}'s hidden activations let {value:.2%} of the gradient pass"
        evidence = shown(f"{key}_activation_gradient", value, threshold, says)
        if found is None:
            found = held, [evidence]
        else:
            found[1].append(evidence)
    if found is None:
        return None
    return confirmed(log, "activation_saturation", *found)


def _worst_of_both(log, name, signal, threshold, says, changes):
    for key, who in (("g", "generator"), ("d", "discriminator")):
        held = sustained(log.get(f"{key}_{signal}"), over(threshold))
        if held is not None:
            value = log.last(f"{key}_{signal}", LEAST_POINTS)
            told = says.format(value, who)
            evidence = [shown(f"{key}_{signal}", value, threshold, told)]
            return confirmed(log, name, held, evidence, changes[who])
    return None


def _past(name, signal, threshold, says):
    """A rule of one signal that is past its threshold."""

    def rule(log):
        held = sustained(log.get(signal), over(threshold))
        if held is None or log.last_step < EARLY:
            return None
        value = log.last(signal, LEAST_POINTS)
        evidence = [shown(signal, value, threshold, says.format(value))]
        return confirmed(log, name, held, evidence)

    rule.__name__ = name
    rule.__doc__ = FAILURES[name].title
    return rule


output_saturation = _past(
    "output_saturation",
    "output_saturated_gap",
    0.3,
    "{:.0%} more pixels are black or white than in real images",
)
batch_norm_gap = _past(
    "batch_norm_gap",
    "batch_norm_gap",
    0.3,
    "images by batch and by moving statistics differ by {:.2f} on average, of 2",
)
checkerboard = _past(
    "checkerboard",
    "checkerboard_share",
    0.15,
    "{:.0%} more of the edges are one pattern of period 2 than in real images",
)


def mode_collapse(log):
    """Fakes are alike, or half of the modes are lost."""
    found = alike(log) or few_modes(log)
    if found is None:
        return None
    held, evidence = found
    return make(log, "mode_collapse", "critical", held, [evidence])


def mode_dropping(log):
    """What is drawn is good, but not all is drawn."""
    if (found := few_modes(log, share=0.99)) is not None:
        if few_modes(log) is not None:
            return None
        held, evidence = found
        return make(log, "mode_dropping", "warning", held, [evidence])
    if not stalled(log):
        return None
    for signal, threshold, says in (
        ("least_class_share", 0.25, "the rarest class is drawn {:.2f} times as often"),
        ("recall", 0.1, "{:.0%} of real images can be drawn"),
    ):
        held = sustained(log.get(signal), under(threshold))
        precision = log.last("precision", LEAST_POINTS) or 0.0
        if held is not None and precision > 0.4:
            value = log.last(signal, LEAST_POINTS)
            evidence = [
                shown(signal, value, threshold, says.format(value)),
                shown("precision", precision, 0.4, f"{precision:.0%} look real"),
            ]
            return make(log, "mode_dropping", "warning", held, evidence)
    return None


def class_imbalance(log):
    """The data has ten times as many images of one class as of another."""
    counts = log.facts.get("class_counts")
    whole = isinstance(counts, list) and all(isinstance(each, int) for each in counts)
    if not whole or len(counts) < 2 or max(counts) <= 10 * max(min(counts), 1):
        return None
    rare = log.last("least_class_share", LEAST_POINTS)
    says = f"classes have {min(counts):,} to {max(counts):,} images"
    evidence = [shown("class_counts", max(counts) / max(min(counts), 1), 10, says)]
    severity = "note"
    if rare is not None and rare < 0.5:
        told = f"the rarest is drawn {rare:.2f} times as often as it is real"
        evidence.append(shown("least_class_share", rare, 0.5, told))
        severity = "warning"
    return make(log, "class_imbalance", severity, (0, 1.0), evidence)


def ignored_labels(log):
    """Images are not of the class that was asked for."""
    series = log.get("label_accuracy", LEAST_POINTS)
    held = sustained(series, under(0.5))
    if held is None or rising(series):
        return None
    value = log.last("label_accuracy", LEAST_POINTS)
    says = f"{value:.0%} of the images are of the class that was asked for"
    evidence = [shown("label_accuracy", value, 0.5, says)]
    return confirmed(log, "ignored_labels", held, evidence)


def discriminator_overfitting(log):
    """D is surer of its own images than of others."""
    held = sustained(log.get("overfit_gap"), over(0.5))
    if held is None:
        return None
    value = log.last("overfit_gap", LEAST_POINTS)
    says = f"held-out images are {value:.0%} of the way from trained ones to fakes"
    evidence = [shown("overfit_gap", value, 0.5, says)]
    sign = log.last("real_sign", LEAST_POINTS)
    if sign is not None:
        told = f"the mean sign of the logits of trained images is {sign:.2f}"
        evidence.append(shown("real_sign", sign, 0.6, told))
    return confirmed(log, "discriminator_overfitting", held, evidence)


def memorisation(log):
    """Generated images copy training images."""
    series = log.get("copied_share", 2)
    if series is None or not (series.values[-2:] > 0.1).all():
        return None
    past = np.flatnonzero(series.values > 0.1)
    value = float(series.values[-1])
    says = f"{value:.0%} of the images copy a training image; by chance it is 1 %"
    evidence = [shown("copied_share", value, 0.1, says)]
    held = int(series.steps[past[0]]), 1.0
    return make(log, "memorisation", "critical", held, evidence)


def oscillation(log):
    """Scores or beliefs swing to and fro."""
    series = log.get("fid", 8)
    if series is not None:
        late = series.values[len(series) // 3 :]
        ratios = late[1:] / np.maximum(late[:-1], 1e-12)
        swings = [ratio for ratio in ratios if ratio > 1.3 or ratio < 1 / 1.3]
        turns = sum((a > 1) != (b > 1) for a, b in itertools.pairwise(swings))
        if turns >= 4 and turns >= len(late) // 3:
            says = f"the Fréchet distance turned by over 30 % {turns} times"
            evidence = [shown("fid", turns, 4, says)]
            held = int(series.steps[len(series) // 3]), turns / len(late)
            return make(log, "oscillation", "warning", held, evidence)
    belief = log.get("d_fake", 12)
    if belief is not None and loss_name(log) not in UNBOUNDED:
        tail = belief.since(belief.steps[-1] * (1 - 2 * TAIL)).values
        swing = float(np.std(tail))
        if swing > 0.15:
            says = f"D(G(z)) swings by {swing:.2f} from one log to the next"
            evidence = [shown("d_fake", swing, 0.15, says)]
            held = int(belief.steps[-1] * (1 - 2 * TAIL)), 0.8
            return make(log, "oscillation", "warning", held, evidence)
    return None


def float16_overflow(log):
    """Loss scaling skips many steps."""
    return _worst_of_both(
        log,
        "float16_overflow",
        "skipped_share",
        0.1,
        "{:.0%} of the {}'s steps are skipped",
        dict.fromkeys(
            ("generator", "discriminator"), FAILURES["float16_overflow"].changes
        ),
    )


def float16_underflow(log):
    """Gradients round to 0."""
    if log.settings.get("dtype_policy") != "mixed_float16":
        return None
    scaled = log.settings.get("loss_scaling", True)
    change = {"dtype_policy": "mixed_bfloat16"} if scaled else {"loss_scaling": True}
    return _worst_of_both(
        log,
        "float16_underflow",
        "zero_gradient_share",
        0.3,
        "{:.0%} of the {}'s gradient is exactly 0",
        dict.fromkeys(("generator", "discriminator"), change),
    )


def data_range_mismatch(log):
    """Fakes never come near the lower end of the data."""
    fake, low, high = (
        log.get(name, LEAST_POINTS) for name in ("fake_low", "real_low", "real_high")
    )
    if fake is None or low is None or high is None or log.last_step < EARLY:
        return None
    if not log.data_kind.applies("data_range_mismatch"):
        return None
    bottom, top = low.values[-1], high.values[-1]
    threshold = float(bottom + 0.3 * (top - bottom))
    if fake.values.min() < threshold:
        return None
    value = float(fake.values[-1])
    says = f"real pixels begin at {bottom:.2f}, fakes were never below {value:.2f}"
    evidence = [shown("fake_low", value, threshold, says)]
    held = int(fake.steps[0]), 1.0
    return confirmed(log, "data_range_mismatch", held, evidence)


def starved_input(log):
    """Steps wait for data."""
    series = log.get("data_wait_share", LEAST_POINTS)
    held = sustained(series, over(0.1))
    if held is None:
        return None
    value = log.last("data_wait_share", LEAST_POINTS)
    severity = "warning" if value > 0.3 else "note"
    says = f"{value:.0%} of the time is spent waiting for the next batch"
    evidence = [shown("data_wait_share", value, 0.1, says)]
    return make(log, "starved_input", severity, held, evidence)


def undertrained(log):
    """Still getting better at the end."""
    series = log.get("fid", LEAST_POINTS)
    if series is None or late_collapse(log) is not None:
        return None
    cut = len(series) - max(len(series) // 3, 1)
    before, since = series.values[:cut].min(), series.values[cut:].min()
    if since >= STALLED * before or np.argmin(series.values) < cut:
        return None
    says = f"the Fréchet distance fell from {before:.3g} to {since:.3g} at the end"
    evidence = [shown("fid", float(since), STALLED * before, says)]
    changes = {}
    if log.settings.get("steps"):
        changes = {"steps": 2 * log.settings["steps"]}
    held = int(series.steps[cut]), 1.0
    return make(log, "undertrained", "note", held, evidence, changes)


RULES = (  # causes before what they lead to
    non_finite,
    data_range_mismatch,
    float16_overflow,
    float16_underflow,
    activation_saturation,
    dying_relu,
    exploding_gradient,
    vanishing_generator_gradient,
    discriminator_overfitting,
    discriminator_domination,
    generator_domination,
    batch_norm_gap,
    output_saturation,
    checkerboard,
    oscillation,
    class_imbalance,
    ignored_labels,
    mode_collapse,
    mode_dropping,
    memorisation,
    late_collapse,
    starved_input,
    undertrained,
)
