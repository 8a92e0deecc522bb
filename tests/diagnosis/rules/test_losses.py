"""What both losses tell by themselves."""

from pathlib import Path

import numpy as np
import pytest

from ganlab.diagnosis import Log, Series, diagnose
from ganlab.diagnosis.rules import losses

STEPS = np.arange(100, 4001, 100)
RISE, FALL = np.linspace(1.0, 2.0, 40), np.linspace(1.0, 0.01, 40)
FAST = np.geomspace(1.0, 1e-6, 40)
ONCE = np.arange(40) == 0


def make_losses(d_loss, g_loss):
    noise = 1.0 + 1e-4 * np.random.default_rng(0).normal(size=(2, 40))
    series = {
        "d_loss": Series(STEPS, d_loss * noise[0]),
        "g_loss": Series(STEPS, g_loss * noise[1]),
    }
    return Log(Path("losses.csv"), series, foreign=True)


@pytest.mark.parametrize(
    ("name", "d_loss", "g_loss"),
    [
        ("frozen_network", 2.0, 0.9),
        ("generator_domination", 1.386, 0.69 + 0.05 * np.sin(STEPS)),
        ("generator_domination", 0.693, 0.69 + 0.05 * np.sin(STEPS)),
        ("generator_domination", 1.39 * RISE, 0.69 * FALL),
        ("overlong_steps", np.where(ONCE, 1e5, 0.5), 0.7 + 0.2 * RISE),
        ("overlong_steps", np.where(STEPS < 2500, 0.5, 300.0), 0.7 + 0.2 * RISE),
        ("unconstrained_critic", -2000.0 * RISE, 1000.0 * RISE),
        ("inverted_objective", FAST, 0.7 * FAST),
        ("inverted_objective", FAST, -5.0 * RISE),
    ],
)
def test_losses_alone_name_a_failure(name, d_loss, g_loss):
    assert diagnose(make_losses(d_loss, g_loss))[0].name == name


@pytest.mark.parametrize(
    ("d_loss", "g_loss"),
    [
        (1.0 + 0.1 * np.sin(STEPS), 1.2),  # cross-entropy
        (1.9 - 0.3 * np.sin(STEPS / 900), np.linspace(-0.2, 0.6, 40)),  # hinge
        (-8.0 * FALL, -5.0 * np.sin(STEPS / 500)),  # Wasserstein
        (0.45 * RISE, 4.4 * FALL + 0.7),  # the discriminator was ahead at first
        (np.where(ONCE, 300.0, 1.3), 0.7 * RISE),  # a penalty that is soon paid
    ],
)
def test_usual_losses_are_healthy(d_loss, g_loss):
    assert diagnose(make_losses(d_loss, g_loss)) == []


def test_few_losses_say_nothing():
    log = make_losses(1.386, 0.693)
    short = {name: Series(s.steps[:5], s.values[:5]) for name, s in log.series.items()}
    log = Log(Path("losses.csv"), short, foreign=True)
    for rule in (losses.neither_moves, losses.never_led, losses.outrun, losses.leapt):
        assert rule(log) is None
