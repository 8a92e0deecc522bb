"""Which failures does a log show, since when, and how surely?

Two tiers: signals from inside the players are cheap and warn; only a score of
quality or diversity makes a finding critical. A rule looks at the last quarter of
the run, where most points must be past its threshold, and then back to the first
step from which that holds. Thresholds are fitted to the labs' seeds 0 to 4: see
`scripts/benchmarks/diagnosis.py`.
"""

import itertools

import numpy as np

from ganlab.diagnosis.findings import FAILURES, SEVERITIES, Finding
from ganlab.diagnosis.log import Series

TAIL = 0.25  # of the run that a finding must hold over
MOST = 0.7  # of the points in it
LEAST_POINTS = 3
CHEAP = 0.75  # confidence of a signal that no score agrees with, times its share
COLLAPSE_FACTOR, COLLAPSE_IN_A_ROW = 1.5, 3
CHANCE = 3.0  # standard errors
UNBOUNDED = ("wasserstein",)  # losses whose logits have no zero
ALIKE = 0.5  # distance of two fakes over that of two real images
UNCOVERED = 0.1  # coverage; identical sets have 0.97
EARLY = 200  # steps in which fakes are alike however well a run goes
STALLED = 0.9  # of the distance before: less than a tenth better is a standstill


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


def sustained(series, past):
    """Since which step most values are past a threshold, and what share is by now.

    Args:
        series: A `Series`, or `None`.
        past: Function from the values to booleans.

    Returns:
        `(step, share)`, or `None` if it does not hold over the last quarter.
    """
    if series is None or len(series) < LEAST_POINTS:
        return None
    flags = np.asarray(past(series.values), bool)
    span = series.steps[-1] - series.steps[0]
    tail = series.steps >= series.steps[-1] - TAIL * span
    tail[-LEAST_POINTS:] = True
    share = flags[tail].mean()
    if share < MOST:
        return None
    from_here = np.cumsum(flags[::-1])[::-1] / np.arange(len(flags), 0, -1)
    first = np.flatnonzero(flags & (from_here >= MOST))[0]
    return int(series.steps[first]), float(share)


def _over(threshold):
    return lambda values: values > threshold


def _under(threshold):
    return lambda values: values < threshold


def _evidence(signal, value, threshold, says):
    return {
        "signal": signal,
        "value": None if value is None else float(f"{value:.4g}"),
        "threshold": threshold,
        "says": says,
    }


def _finding(log, name, severity, held, evidence, changes=None):
    """A `Finding`; a warning that quality confirms becomes critical."""
    since, share = held
    confidence = 0.99 * float(share)
    if severity == "warning":
        confidence *= CHEAP
    changes = FAILURES[name].changes if changes is None else changes
    new = {
        key: value
        for key, value in (changes or {}).items()
        if not log.foreign and log.settings.get(key, value) != value
    }
    if _is_mixture(log):  # whose discriminator has no normalisation
        new.pop("discriminator_normalization", None)
    return Finding(name, severity, since, evidence, confidence, new)


def _confirmed(log, name, held, evidence, changes=None):
    """A finding that is critical where the images are bad, or else a warning."""
    bad = bad_quality(log)
    severity = "warning"
    if bad is not None:
        severity, evidence = "critical", [*evidence, bad]
    return _finding(log, name, severity, held, evidence, changes)


def bad_quality(log):
    """Evidence from a score that the images are bad by now, or `None`.

    Scores early in a run are bad however well it goes, so what counts is a late
    collapse, images that are alike, or hardly any real image covered, where the
    Fréchet distance has come to a standstill.
    """
    collapsed = late_collapse(log)
    if collapsed is not None:
        return collapsed.evidence[0]
    if alike := _alike(log):
        return alike[1]
    if modes := _few_modes(log):
        return modes[1]
    coverage = log.last("coverage", LEAST_POINTS)
    if coverage is not None and coverage < UNCOVERED and _stalled(log):
        return _evidence(
            "coverage",
            coverage,
            UNCOVERED,
            f"{coverage:.0%} of real images are covered, and that gets no better",
        )
    return None


def _stalled(log):
    """Whether the last third of the run is hardly better than what went before."""
    distance = log.get("frechet_distance", 2 * LEAST_POINTS)
    if distance is None:
        return False
    late = distance.steps > 2 / 3 * distance.steps[-1]
    if late.sum() < 2 or late.all():
        return False
    before, since = distance.values[~late], distance.values[late]
    return bool(since.min() >= STALLED * before.min())


def _rising(series):
    """Whether the last third lies clearly above the third before it."""
    part = max(len(series) // 3, 1)
    before, since = series.values[-2 * part : -part], series.values[-part:]
    return len(before) > 0 and np.median(since) > 1.2 * np.median(before)


def _alike(log):
    """Since when fakes lie too near to each other, and the evidence."""
    if _is_mixture(log) or log.last_step < EARLY:
        return None
    for signal, threshold, says in (
        (
            "pairwise_ratio",
            ALIKE,
            "two fakes lie {:.2f} times as far apart as two real",
        ),
        (
            "class_pairwise_ratio",
            ALIKE,
            "two fakes of a class lie {:.2f} times as far apart as two real",
        ),
        ("nearest_ratio", 0.2, "the nearest fake is {:.2f} times as far as among real"),
    ):
        series = log.get(signal, LEAST_POINTS)
        held = sustained(series, _under(threshold))
        if held is not None and not _rising(series):
            value = log.last(signal, LEAST_POINTS)
            return held, _evidence(signal, value, threshold, says.format(value))
    series = log.get("duplicate_share", LEAST_POINTS)
    held = sustained(series, _over(0.3))
    if held is not None:
        value = log.last("duplicate_share", LEAST_POINTS)
        says = f"{value:.0%} of the images repeat another"
        return held, _evidence("duplicate_share", value, 0.3, says)
    return None


def _few_modes(log, share=0.5):
    """Since when no more than a share of a mixture's modes is hit."""
    modes = {"ring": 8, "grid": 25}.get(log.settings.get("data"))
    if modes is None:
        return None
    series = log.get("modes_hit", LEAST_POINTS)
    held = sustained(series, lambda values: values <= share * modes)
    if held is None or _rising(series):
        return None
    value = log.last("modes_hit", LEAST_POINTS)
    says = f"{value:.0f} of {modes} modes are hit"
    return held, _evidence("modes_hit", value, share * modes, says)


def _is_mixture(log):
    return log.settings.get("data") in ("ring", "grid")


def _smooth(series, width=9):
    """Running median: single steps of a foreign log are noisy."""
    if series is None or len(series) < 3 * width:
        return series
    half = width // 2
    padded = np.pad(series.values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return Series(series.steps, np.median(windows, axis=1))


def _loss_name(log):
    return log.settings.get("loss")


def non_finite(log):
    """Infinite or NaN losses."""
    for event in log.events_of("non_finite"):
        where = event.get("tensor") or "no weight or activation any more"
        says = f"{event.get('loss', 'a loss')} is not finite; first in {where}"
        evidence = [_evidence("event", None, None, says)]
        return _finding(log, "non_finite", "critical", (event["step"], 1.0), evidence)
    for name in ("d_loss", "g_loss"):
        series = log.series.get(name)
        if series is None or not len(series):
            continue
        bad = ~np.isfinite(series.values)
        if not bad.any():
            continue
        severity = "critical" if bad[-1] else "warning"
        says = f"{bad.sum()} of {len(bad)} logged values of {name} are not finite"
        evidence = [_evidence(name, float(bad.mean()), 0.0, says)]
        held = int(series.steps[np.argmax(bad)]), 1.0
        return _finding(log, "non_finite", severity, held, evidence)
    return None


def discriminator_domination(log):
    """D is right on nearly all images and sure of it."""
    if log.foreign:
        return _foreign_domination(log)
    if _loss_name(log) in UNBOUNDED:
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
        _evidence("d_accuracy", right, 0.97, f"D is right on {right:.1%} of images"),
        _evidence("d_fake", mean, 0.03, f"mean D(G(z)) is {mean:.2g}"),
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
    if _loss_name(log) == "minimax":
        changes["loss"] = "non_saturating"
    if not changes and rates[1]:
        changes = {"discriminator_learning_rate": rates[1] / 4}
    return _confirmed(log, "discriminator_domination", held, evidence, changes)


def _foreign_domination(log):
    """By the losses alone: 0.2 is a D that is about 90 % sure on both sides."""
    d_loss, g_loss = (
        _smooth(log.get(name, LEAST_POINTS)) for name in ("d_loss", "g_loss")
    )
    if d_loss is None or g_loss is None or np.mean(d_loss.values < -0.02) > 0.02:
        return None
    squares = np.percentile(g_loss.values, 95) < 1.5 and d_loss.values[0] < 0.6
    threshold = 0.05 if squares else 0.2
    held = sustained(d_loss, _under(threshold))
    if held is None:
        return None
    value = float(np.median(d_loss.values[-LEAST_POINTS:]))
    says = f"the discriminator's loss is {value:.2g}"
    evidence = [_evidence("d_loss", value, threshold, says)]
    return _confirmed(log, "discriminator_domination", held, evidence)


def generator_domination(log):
    """D cannot tell, though the images are bad."""
    if log.foreign or _loss_name(log) in UNBOUNDED:
        return None
    real, fake = (log.get(f"d_{side}", LEAST_POINTS) for side in ("real", "fake"))
    if real is None or fake is None or len(real) != len(fake):
        return None
    lead = Series(real.steps, real.values - fake.values)
    held = sustained(lead, _under(0.02))
    bad = bad_quality(log)
    if held is None or bad is None:
        return None
    value = float(np.median(lead.values[-LEAST_POINTS:]))
    evidence = [
        _evidence("d_real - d_fake", value, 0.02, f"D leads by {value:.3f}"),
        bad,
    ]
    return _finding(log, "generator_domination", "critical", held, evidence)


def vanishing_generator_gradient(log):
    """The loss hands the generator next to nothing."""
    threshold = 0.1
    held = None
    if _loss_name(log) == "minimax":
        held = sustained(log.get("g_logit_gradient"), _under(threshold))
    if held is not None:
        value = log.last("g_logit_gradient", LEAST_POINTS)
        thrown = log.last("gradient_thrown_away", LEAST_POINTS)
        evidence = [
            _evidence(
                "g_logit_gradient",
                value,
                threshold,
                f"the loss's gradient in the logit is {value:.2g}, of 1 at most",
            )
        ]
        if thrown is not None:
            says = f"{thrown:.1%} of the non-saturating gradient is thrown away"
            evidence.append(_evidence("gradient_thrown_away", thrown, None, says))
        return _confirmed(log, "vanishing_generator_gradient", held, evidence)
    held = sustained(log.get("g_gradient_norm"), _under(1e-7))
    if held is None:
        return None
    value = log.last("g_gradient_norm", LEAST_POINTS)
    says = f"the norm of the generator's gradient is {value:.2g}"
    evidence = [_evidence("g_gradient_norm", value, 1e-7, says)]
    return _confirmed(log, "vanishing_generator_gradient", held, evidence)


def exploding_gradient(log):
    """A gradient a hundred times that of the run's beginning."""
    for key, who in (("g", "generator"), ("d", "discriminator")):
        series = _smooth(log.get(f"{key}_gradient_norm", 8), 5)
        if series is None:
            continue
        start = np.median(series.values[len(series) // 20 : len(series) // 3 + 1])
        threshold = max(100.0 * start, 10.0)
        held = sustained(series, _over(threshold))
        if held is not None:
            value = log.last(f"{key}_gradient_norm", LEAST_POINTS)
            says = f"the {who}'s gradient has grown from {start:.2g} to {value:.2g}"
            evidence = [_evidence(f"{key}_gradient_norm", value, threshold, says)]
            return _confirmed(log, "exploding_gradient", held, evidence)
    return None


def dying_relu(log):
    """Many units of a layer are never above 0.

    Points of the plane light up few units each, dead or not, so they are left out.
    """
    if _is_mixture(log):
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
        held = sustained(log.get(f"{key}_slope_product"), _under(threshold))
        if held is None:
            continue
        value = log.last(f"{key}_slope_product", LEAST_POINTS)
        says = f"the {who}'s hidden activations let {value:.2%} of the gradient pass"
        evidence = _evidence(f"{key}_slope_product", value, threshold, says)
        if found is None:
            found = held, [evidence]
        else:
            found[1].append(evidence)
    if found is None:
        return None
    return _confirmed(log, "activation_saturation", *found)


def _worst_of_both(log, name, signal, threshold, says, changes):
    for key, who in (("g", "generator"), ("d", "discriminator")):
        held = sustained(log.get(f"{key}_{signal}"), _over(threshold))
        if held is not None:
            value = log.last(f"{key}_{signal}", LEAST_POINTS)
            told = says.format(value, who)
            evidence = [_evidence(f"{key}_{signal}", value, threshold, told)]
            return _confirmed(log, name, held, evidence, changes[who])
    return None


def _past(name, signal, threshold, says, condition=_over):
    """A rule of one signal."""

    def rule(log):
        held = sustained(log.get(signal), condition(threshold))
        if held is None or log.last_step < EARLY:
            return None
        value = log.last(signal, LEAST_POINTS)
        evidence = [_evidence(signal, value, threshold, says.format(value))]
        return _confirmed(log, name, held, evidence)

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
    found = _alike(log) or _few_modes(log)
    if found is None:
        return None
    held, evidence = found
    return _finding(log, "mode_collapse", "critical", held, [evidence])


def mode_dropping(log):
    """What is drawn is good, but not all is drawn."""
    if (found := _few_modes(log, share=0.99)) is not None:
        if _few_modes(log) is not None:
            return None
        held, evidence = found
        return _finding(log, "mode_dropping", "warning", held, [evidence])
    if not _stalled(log):
        return None
    for signal, threshold, says in (
        ("least_class_share", 0.25, "the rarest class is drawn {:.2f} times as often"),
        ("recall", 0.1, "{:.0%} of real images can be drawn"),
    ):
        held = sustained(log.get(signal), _under(threshold))
        precision = log.last("precision", LEAST_POINTS) or 0.0
        if held is not None and precision > 0.4:
            value = log.last(signal, LEAST_POINTS)
            evidence = [
                _evidence(signal, value, threshold, says.format(value)),
                _evidence("precision", precision, 0.4, f"{precision:.0%} look real"),
            ]
            return _finding(log, "mode_dropping", "warning", held, evidence)
    return None


def class_imbalance(log):
    """The data has ten times as many images of one class as of another."""
    counts = log.facts.get("class_counts")
    whole = isinstance(counts, list) and all(isinstance(each, int) for each in counts)
    if not whole or len(counts) < 2 or max(counts) <= 10 * max(min(counts), 1):
        return None
    rare = log.last("least_class_share", LEAST_POINTS)
    says = f"classes have {min(counts):,} to {max(counts):,} images"
    evidence = [_evidence("class_counts", max(counts) / max(min(counts), 1), 10, says)]
    severity = "note"
    if rare is not None and rare < 0.5:
        told = f"the rarest is drawn {rare:.2f} times as often as it is real"
        evidence.append(_evidence("least_class_share", rare, 0.5, told))
        severity = "warning"
    return _finding(log, "class_imbalance", severity, (0, 1.0), evidence)


def ignored_labels(log):
    """Images are not of the class that was asked for."""
    series = log.get("label_fidelity", LEAST_POINTS)
    held = sustained(series, _under(0.5))
    if held is None or _rising(series):
        return None
    value = log.last("label_fidelity", LEAST_POINTS)
    says = f"{value:.0%} of the images are of the class that was asked for"
    evidence = [_evidence("label_fidelity", value, 0.5, says)]
    return _confirmed(log, "ignored_labels", held, evidence)


def discriminator_overfitting(log):
    """D is surer of its own images than of others."""
    held = sustained(log.get("overfit_gap"), _over(0.7))
    if held is None:
        return None
    value = log.last("overfit_gap", LEAST_POINTS)
    says = f"held-out images are {value:.0%} of the way from trained ones to fakes"
    evidence = [_evidence("overfit_gap", value, 0.7, says)]
    sign = log.last("real_sign", LEAST_POINTS)
    if sign is not None:
        told = f"the mean sign of the logits of trained images is {sign:.2f}"
        evidence.append(_evidence("real_sign", sign, 0.6, told))
    return _confirmed(log, "discriminator_overfitting", held, evidence)


def memorisation(log):
    """Generated images copy training images."""
    series = log.get("copied_share", 2)
    if series is None or not (series.values[-2:] > 0.1).all():
        return None
    past = np.flatnonzero(series.values > 0.1)
    value = float(series.values[-1])
    says = f"{value:.0%} of the images copy a training image; by chance it is 1 %"
    evidence = [_evidence("copied_share", value, 0.1, says)]
    held = int(series.steps[past[0]]), 1.0
    return _finding(log, "memorisation", "critical", held, evidence)


def oscillation(log):
    """Scores or beliefs swing to and fro."""
    series = log.get("frechet_distance", 8)
    if series is not None:
        late = series.values[len(series) // 3 :]
        ratios = late[1:] / np.maximum(late[:-1], 1e-12)
        swings = [ratio for ratio in ratios if ratio > 1.3 or ratio < 1 / 1.3]
        turns = sum((a > 1) != (b > 1) for a, b in itertools.pairwise(swings))
        if turns >= 4 and turns >= len(late) // 3:
            says = f"the Fréchet distance turned by over 30 % {turns} times"
            evidence = [_evidence("frechet_distance", turns, 4, says)]
            held = int(series.steps[len(series) // 3]), turns / len(late)
            return _finding(log, "oscillation", "warning", held, evidence)
    belief = log.get("d_fake", 12)
    if belief is not None and _loss_name(log) not in UNBOUNDED:
        tail = belief.since(belief.steps[-1] * (1 - 2 * TAIL)).values
        swing = float(np.std(tail))
        if swing > 0.15:
            says = f"D(G(z)) swings by {swing:.2f} from one log to the next"
            evidence = [_evidence("d_fake", swing, 0.15, says)]
            held = int(belief.steps[-1] * (1 - 2 * TAIL)), 0.8
            return _finding(log, "oscillation", "warning", held, evidence)
    return None


def late_collapse(log):
    """Three evaluations in a row past 1.5 times the best before them."""
    series = log.get("frechet_distance", COLLAPSE_IN_A_ROW + 1)
    if series is None:
        return None
    best = np.minimum.accumulate(series.values)
    past = (series.values > COLLAPSE_FACTOR * best) & (best > 0)
    error = log.get("frechet_error")
    if error is not None:  # a good run's distance is near 0, and mostly chance
        chance = np.interp(series.steps, error.steps, error.values)
        past &= series.values - best > CHANCE * (
            chance + chance[np.argmin(series.values)]
        )
    in_a_row = np.convolve(past, np.ones(COLLAPSE_IN_A_ROW, int), "valid")
    where = np.flatnonzero(in_a_row == COLLAPSE_IN_A_ROW)
    if not len(where) or not past[-1]:
        return None
    # A run that mostly came back afterwards had not collapsed yet.
    later = np.cumsum(past[::-1])[::-1] / np.arange(len(past), 0, -1)
    runs = where[later[where] >= MOST]
    since = int(runs[0] if len(runs) else where[-1])
    lowest = int(np.argmin(series.values))
    value, least = float(series.values[-1]), float(series.values[lowest])
    fired = series.steps[since + COLLAPSE_IN_A_ROW - 1]
    says = (
        f"the Fréchet distance was {least:.3g} at step {series.steps[lowest]:,} and is "
        f"{value:.3g}; three in a row were past 1.5 times the best at step {fired:,}"
    )
    threshold = COLLAPSE_FACTOR * least
    evidence = [_evidence("frechet_distance", value, threshold, says)]
    held = int(series.steps[since]), float(past[since:].mean())
    return _finding(log, "late_collapse", "critical", held, evidence)


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
    if log.settings.get("precision") != "mixed_float16":
        return None
    scaled = log.settings.get("loss_scaling", True)
    change = {"precision": "mixed_bfloat16"} if scaled else {"loss_scaling": True}
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
    if fake is None or low is None or high is None or _is_mixture(log):
        return None
    if log.last_step < EARLY:
        return None
    bottom, top = low.values[-1], high.values[-1]
    threshold = float(bottom + 0.3 * (top - bottom))
    if fake.values.min() < threshold:
        return None
    value = float(fake.values[-1])
    says = f"real pixels begin at {bottom:.2f}, fakes were never below {value:.2f}"
    evidence = [_evidence("fake_low", value, threshold, says)]
    held = int(fake.steps[0]), 1.0
    return _confirmed(log, "data_range_mismatch", held, evidence)


def starved_input(log):
    """Steps wait for data."""
    series = log.get("data_wait_share", LEAST_POINTS)
    held = sustained(series, _over(0.1))
    if held is None:
        return None
    value = log.last("data_wait_share", LEAST_POINTS)
    severity = "warning" if value > 0.3 else "note"
    says = f"{value:.0%} of the time is spent waiting for the next batch"
    evidence = [_evidence("data_wait_share", value, 0.1, says)]
    return _finding(log, "starved_input", severity, held, evidence)


def undertrained(log):
    """Still getting better at the end."""
    series = log.get("frechet_distance", LEAST_POINTS)
    if series is None or late_collapse(log) is not None:
        return None
    cut = len(series) - max(len(series) // 3, 1)
    before, since = series.values[:cut].min(), series.values[cut:].min()
    if since >= STALLED * before or np.argmin(series.values) < cut:
        return None
    says = f"the Fréchet distance fell from {before:.3g} to {since:.3g} at the end"
    evidence = [_evidence("frechet_distance", float(since), STALLED * before, says)]
    changes = {}
    if log.settings.get("steps"):
        changes = {"steps": 2 * log.settings["steps"]}
    held = int(series.steps[cut]), 1.0
    return _finding(log, "undertrained", "note", held, evidence, changes)


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
