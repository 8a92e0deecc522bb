"""Which loss does a model train, told by its value?

The probe logs what every usual loss would be of the discriminator's answers. The loss
that a `train_step` reports is compared with them: whatever it is called, and however
it is written, it is the one whose value it has.
"""

from dataclasses import dataclass

import numpy as np

from ganlab import metrics
from ganlab.diagnosis.log import Log, Series

MIN_POINTS = 6
NEAR = 0.1  # of its size: training batches differ from the probe's images
SURE = 2.0  # times as far off is another loss


@dataclass(frozen=True)
class Compared:
    """A logged loss, and what usual losses would have been at its steps.

    Args:
        loss: `Series` of the loss.
        terms: By side (`real` or `fake`), loss and target, float arrays at its steps.
    """

    loss: Series
    terms: dict[tuple[str, str, float], np.ndarray]


def compare(log: Log, name: str) -> Compared | None:
    """Compares a loss with the answers that the probe got about the same steps.

    A logged loss is a mean over the steps since the last one, so that it belongs to
    their middle, where terms are interpolated.

    Args:
        log: The `Log`.
        name: `d_loss` or `g_loss`.

    Returns:
        A `Compared`, or `None` where too little was logged.
    """
    series = log.get(name, MIN_POINTS)
    if series is None:
        return None
    middles = (series.steps + np.concatenate([[0], series.steps[:-1]])) / 2.0
    terms, kept = {}, np.ones(len(series), bool)
    for loss, targets in metrics.TERMS.items():
        for target in targets:
            for side in ("real", "fake"):
                term = log.get(f"answers/{side}/{metrics.term_name(loss, target)}", 2)
                if term is None:
                    return None
                kept &= (middles >= term.steps[0]) & (middles <= term.steps[-1])
                terms[side, loss, target] = np.interp(middles, term.steps, term.values)
    if kept.sum() < MIN_POINTS:
        return None
    return Compared(
        Series(series.steps[kept], series.values[kept]),
        {key: values[kept] for key, values in terms.items()},
    )


def generator_losses(log: Log) -> set[str]:
    """Losses, keys of `metrics.TERMS`, that the generator's may be by its value.

    An empty set where nothing is known, or where no usual loss has that value.
    """
    compared = compare(log, "g_loss")
    if compared is None:
        return set()
    errors: dict[str, float] = {}
    for (side, loss, _), values in compared.terms.items():
        if side == "fake":
            error = min(
                _error(compared.loss.values, sign * values) for sign in (1.0, -1.0)
            )
            errors[loss] = min(error, errors.get(loss, error))
    least = min(errors.values())
    if least > NEAR:
        return set()
    return {loss for loss, error in errors.items() if error < max(NEAR, SURE * least)}


def least_parting_loss(log: Log, losses: set[str]) -> tuple[Series, Series] | None:
    """The discriminator's loss, and the least that parts real from fake answers.

    Each of the losses with any two targets that differ is one, as a mean of both
    sides; a penalty or a sum makes it larger.

    Args:
        log: The `Log`.
        losses: Keys of `metrics.TERMS`, at least one.

    Returns:
        Two `Series` at the same steps, or `None` where too little was logged.
    """
    compared = compare(log, "d_loss")
    if compared is None:
        return None
    parting = [
        (of_real + of_fake) / 2.0
        for (side, loss, target), of_real in compared.terms.items()
        for (other_side, other, fake_target), of_fake in compared.terms.items()
        if (side, other_side) == ("real", "fake")
        and loss == other
        and loss in losses
        and target != fake_target
    ]
    least = np.min(parting, axis=0)
    return compared.loss, Series(compared.loss.steps, least)


def _error(logged: np.ndarray, expected: np.ndarray) -> float:
    """Root mean square of the difference over that of both, 0 where they are equal."""
    size = np.sqrt(np.mean(np.square(logged)) + np.mean(np.square(expected)))
    difference = np.sqrt(np.mean(np.square(logged - expected)))
    return float(difference / max(size, 1e-12))
