"""A run says how long it takes, and is as long as the time that it is given."""

import io
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import ganlab
from ganlab.config.settings import Monitoring
from ganlab.errors import UserError
from ganlab.models.saving import load_gan
from ganlab.runs import load_run
from ganlab.training import pace


def run_steps(measured, seconds, count):
    """A `Pace` after `count` steps: 10 s for the first, `seconds` for others."""
    durations = itertools.chain([10.0], itertools.repeat(seconds))
    readings = itertools.chain.from_iterable((0.0, end) for end in durations)
    steps = pace.Pace(measured, clock=lambda: next(readings))
    steps.on_train_begin()
    for batch in range(count):
        steps.on_train_batch_begin(batch)
        steps.on_train_batch_end(batch)
    return steps


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.01, 101), (2.0, 4)], ids=["fast", "slow"]
)
def test_steps_are_measured_once(seconds, steps):
    calls = []
    assert run_steps(lambda: calls.append(1), seconds, steps - 1).step
    assert not calls
    measured = run_steps(lambda: calls.append(1), seconds, steps + 5)
    assert len(calls) == 1
    assert measured.step == pytest.approx(seconds)
    assert measured.compilation == 10.0


def test_one_step_is_no_measurement():
    assert run_steps(lambda: None, 1.0, 1).step is None


def test_the_time_that_is_left_is_said(monkeypatch):
    monkeypatch.setattr(pace.Pace, "step", 0.2)
    stream = io.StringIO()
    share = pace.training_share(Monitoring(), scored=True)
    assert share == pytest.approx(0.86)
    steps = pace.announce(1000, share, stream)
    steps.set_model(SimpleNamespace(step=SimpleNamespace(numpy=lambda: 140)))
    steps.measured()
    assert "A step takes 200 ms: 860 more take about 3.3 minutes" in stream.getvalue()


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(recipe, tmp_path, minutes):
    with pytest.raises(UserError, match=r"minutes above 0\. Received"):
        ganlab.train(recipe, tmp_path / "run", minutes=minutes)


def test_a_run_has_one_length(recipe, tmp_path):
    with pytest.raises(UserError, match="epochs or minutes"):
        ganlab.train(recipe, tmp_path / "run", minutes=1, epochs=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.e2e
def test_a_run_of_minutes_is_one_of_as_many_steps(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "MAX_STEPS", 2)
    monkeypatch.setattr(pace.Pace, "step", 3000.0)  # 0.86 of 1000 minutes hold 17
    recipe = recipe.replace(final_rate_share=0.1)
    timed, counted = tmp_path / "timed", tmp_path / "counted"
    ganlab.train(recipe, timed, minutes=1000)
    assert load_run(timed).recipe.steps == 17
    ganlab.train(recipe.replace(steps=17), counted)
    one, other = (
        load_gan(folder / "checkpoints" / "best.keras") for folder in (timed, counted)
    )
    weights = (gan.generator.get_weights() for gan in (one, other))
    for weight, same in zip(*weights, strict=True):
        np.testing.assert_allclose(weight, same, atol=1e-5)
    rate = float(one.generator_optimizer.learning_rate)
    assert rate == pytest.approx(0.1 * load_run(timed).recipe.generator_learning_rate)
    again = ganlab.train(load_run(timed).recipe, timed, minutes=1000, resume=True)
    assert again.recipe.steps == load_run(timed).recipe.steps == 34
