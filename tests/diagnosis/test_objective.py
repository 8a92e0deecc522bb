"""A loss is told by its value, whatever it is called."""

import numpy as np
import pytest

from ganlab import metrics
from ganlab.diagnosis import Log, Series
from ganlab.diagnosis.objective import (
    compare,
    generator_losses,
    least_parting_loss,
)

STEPS = np.arange(0, 601, 20)


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def make_log(real, fake, g_loss, d_loss=None, source="run"):
    """A log of answers at `STEPS`, and of losses of the same answers."""
    series = {}
    for side, answers in (("real", real), ("fake", fake)):
        rows = [metrics.loss_terms(row) for row in answers]
        for name in rows[0]:
            values = np.array([row[name] for row in rows])
            series[f"answers/{side}/{name}"] = Series(STEPS, values)
    for name, values in (("g_loss", g_loss), ("d_loss", d_loss)):
        if values is not None:
            middles = (values[1:] + values[:-1]) / 2
            series[name] = Series(STEPS[1:], middles)
    return Log(source, series)


@pytest.fixture
def answers():
    """Scores of real and of fake images that move apart."""
    random = np.random.default_rng(0)
    lead = np.linspace(0.0, 3.0, len(STEPS))[:, None]
    return (sign * lead + random.normal(size=(len(STEPS), 32)) for sign in (1, -1))


@pytest.mark.parametrize(
    ("squash", "loss", "target", "sign", "told"),
    [
        (False, "logits", 1.0, 1, {"logits"}),
        (True, "probabilities", 1.0, 1, {"probabilities"}),
        (True, "probabilities", 0.0, -1, {"probabilities"}),
        (True, "mean", 1.0, 1, {"mean"}),
        (True, "squares", 1.0, 1, {"squares"}),
        (False, "mean", 1.0, 1, {"mean"}),
    ],
    ids=["logits", "probabilities", "saturating", "squashed", "squares", "scores"],
)
def test_the_generators_loss_by_its_value(answers, squash, loss, target, sign, told):
    real, fake = (sigmoid(side) if squash else side for side in answers)
    term = metrics.TERMS[loss][target]
    g_loss = sign * np.array([term(row).mean() for row in fake])
    assert generator_losses(make_log(real, fake, g_loss)) == told


def test_a_value_of_no_usual_loss_tells_nothing(answers):
    real, fake = answers
    assert generator_losses(make_log(real, fake, np.full(len(STEPS), 40.0))) == set()


def test_the_least_loss_that_parts_is_the_discriminators_own(answers):
    real, fake = (np.clip(side / 9.0 + 0.5, 0.0, 1.0) for side in answers)
    d_loss = np.array(
        [
            np.mean((one - 1.0) ** 2) + np.mean(other**2)
            for one, other in zip(real, fake, strict=True)
        ]
    )
    log = make_log(real, fake, None, d_loss)
    logged, least = least_parting_loss(log, {"squares"})
    assert (least.values <= logged.values / 2 + 1e-9).all()


def test_without_answers_nothing_is_compared(answers):
    losses = np.ones(len(STEPS))
    log = Log("run", {"g_loss": Series(STEPS, losses)})
    assert compare(log, "g_loss") is None
    assert generator_losses(log) == set()
    real, fake = answers
    assert compare(make_log(real, fake, losses), "d_loss") is None
