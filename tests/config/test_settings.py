"""The table of settings: checks, docstrings, and names equal to the registries."""

import dataclasses
import inspect
import math

import pytest

from ganlab.config.presets import get_preset
from ganlab.config.settings import (
    SETTINGS,
    Monitoring,
    Recipe,
    keep_networks,
    split_settings,
)
from ganlab.config.table import GROUPS
from ganlab.errors import UserError


def test_recipe_round_trip():
    original = get_preset("dcgan").replace(data="folder:a", seed=3)
    assert Recipe(**original.as_dict()) == original
    with pytest.raises(UserError, match="batch size of 1 or more. Received: 0"):
        original.replace(batch_size=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "hingy"}, "Unknown loss. Expected one of: minimax, .*'hingy'"),
        ({"regularizer": "r1+r3"}, "Unknown regularizer.*none, gradient.*'r3'"),
        ({"augmentation_policy": "color,blur"}, "Unknown augmentation_policy.*'blur'"),
        ({"channels": 5}, "Unknown channels. Expected one of: 1, 2, 3, 4. Received: 5"),
        ({"label_smoothing": 0.7}, "of 0 or more and under 0.5. Received: 0.7"),
        ({"image_size": 8}, "image size of 16 to 512. Received: 8"),
        ({"image_size": "48x8"}, "image size of 16 to 512. Received: 48x8"),
        ({"image_size": "48x"}, "height and width as 48x96. Received: '48x'"),
        ({"instance_noise": -1.0}, "instance noise of 0 or more. Received: -1.0"),
        ({"steps": 0}, "steps of 1 or more. Received: 0"),
        ({"generator_filters": float("nan")}, "generator filters, an integer"),
    ],
)
def test_a_wrong_recipe_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        Recipe(**changes)


def test_hyphens_and_joined_names_are_known():
    recipe = Recipe(loss="least-squares", regularizer="r1+gradient-penalty")
    assert recipe.loss == "least-squares"
    assert Recipe(augmentation_policy="cutout").augmentation_policy == "cutout"


def test_the_table_is_complete():
    for setting in SETTINGS.values():
        assert setting.group in GROUPS
        assert setting.help
        assert setting.kind in (bool, int, float, str)
        assert (setting.default is None) <= bool(setting.unset)
    assert set(SETTINGS) == {
        field.name for cls in (Recipe, Monitoring) for field in dataclasses.fields(cls)
    }


@pytest.mark.parametrize("cls", [Recipe, Monitoring])
def test_docstrings_are_made_from_the_table(cls):
    documented = inspect.getdoc(cls)
    for field in dataclasses.fields(cls):
        assert f"\n    {field.name}: " in documented
    assert max(map(len, cls.__doc__.splitlines())) <= 88


def test_settings_are_split_by_what_they_decide():
    settings = {"loss": "hinge", "log_every": 5, "cache": "disk", "steps": 9}
    assert split_settings(settings) == (
        {"loss": "hinge", "steps": 9},
        {"log_every": 5, "cache": "disk"},
    )


def test_what_keeps_the_networks():
    assert keep_networks(["loss", "beta_1", "generator_learning_rate"])
    for name in ("upsampling", "packing", "cache", "dtype_policy", "steps", "seeds"):
        assert not keep_networks(["loss", name])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("generator_learning_rate", (-1.0, math.nan, math.inf)),
        ("discriminator_learning_rate", (-1e-9, -math.inf)),
        ("beta_1", (2, 1.0, -0.1, math.nan)),
        ("beta_2", (1.5, -1)),
        ("final_beta_2", (1.0,)),
        ("ema_decay", (1.0, 2.0)),
        ("gradient_clip", (0.0, -1.0)),
        ("final_rate_share", (-0.5,)),
        ("final_weight_share", (-0.5, math.inf)),
        ("regularizer_weight", (math.inf, math.nan)),
    ],
)
def test_numbers_that_no_training_can_take_are_refused(name, values):
    for value in values:
        with pytest.raises(UserError, match=f"Expected {name.replace('_', ' ')}.*Rec"):
            Recipe(**{name: value})


@pytest.mark.parametrize(
    ("given", "stated"),
    [
        pytest.param((48, 96), "48x96", id="pair"),
        pytest.param("48x96", "48x96", id="text"),
        pytest.param([64, 64], 64, id="list"),
        pytest.param("64x64", 64, id="square"),
        pytest.param(64, 64, id="integer"),
    ],
)
def test_a_size_is_stated_in_one_form(given, stated):
    assert Recipe(image_size=given).image_size == stated
