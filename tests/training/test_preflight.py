"""Mistakes of a run are problems before it starts."""

import dataclasses

import numpy as np
import pytest

from ganlab.config.presets import PRESETS, get_preset
from ganlab.config.settings import Recipe
from ganlab.data.image_data import ImageData
from ganlab.training import preflight


def by_name(problems):
    return {problem.name: problem for problem in problems}


def make_data(count=400, **changes):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), np.uint8)
    data = ImageData("noise", pixels, np.arange(count) % 4, tuple("abcd"), ())
    return dataclasses.replace(data, **changes)


def test_data():
    sound = make_data()
    assert preflight.check_data(sound) == []
    flat = sound.images.copy()
    flat[:300] = 7
    problems = by_name(preflight.check_data(make_data(images=flat)))
    assert problems["constant_images"].severity == "critical"
    assert "75%" in problems["duplicated_images"].says
    tinted = np.broadcast_to(np.arange(3, dtype=np.uint8) * 9, (400, 16, 16, 3))
    shades = np.arange(200, dtype=np.uint8).repeat(2)[:, None, None, None]
    problems = by_name(preflight.check_data(make_data(images=tinted + shades)))
    assert problems["constant_images"].severity == "critical"
    problems = by_name(preflight.check_data(make_data(images=sound.images // 16)))
    assert "no pixel is above 15 of 255" in problems["unscaled_images"].says
    rare = np.where(np.arange(400) < 390, 0, np.arange(400) % 4)
    problems = by_name(preflight.check_data(make_data(labels=rare)))
    assert set(problems) == {"class_imbalance"}


@pytest.mark.e2e
@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_no_critical_problem(name):
    recipe = get_preset(name).replace(batch_size=8)
    problems = preflight.check(recipe)
    assert not [problem for problem in problems if problem.severity == "critical"]


def test_check_knows_what_a_run_would_be():
    problems = preflight.check(Recipe(batch_size=16, regularizer="r1", beta_1=0.9))
    assert [problem.name for problem in problems] == ["high_beta_1", "high_beta_1"]
