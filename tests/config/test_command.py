"""Settings as words of a command line, and back."""

import shlex

import pytest

from ganlab.cli.main import build_parser
from ganlab.cli.settings import read_settings
from ganlab.config.command import (
    as_assignments,
    as_options,
    parse_assignment,
    train_command,
)
from ganlab.config.presets import get_preset
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packing=2", ("packing", 2)),
        ("beta-1 = 0", ("beta_1", 0.0)),
        ("attention=true", ("attention", True)),
        ("image_size=none", ("image_size", None)),
        ("generator_normalization=none", ("generator_normalization", "none")),
        ("data=folder:a=b", ("data", "folder:a=b")),
    ],
)
def test_a_setting_is_read_by_its_type(text, expected):
    assert parse_assignment(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=1", "Unknown setting.*data, steps, seed, image_size"),
        ("preset=sngan", "Unknown setting"),
        ("packing=two", "a whole number for packing. Received: 'two'"),
        ("packing", "a whole number"),
        ("attention=yes", "true or false"),
        ("beta_1=none", "a number for beta_1"),
    ],
)
def test_a_wrong_setting_says_what_is_expected(text, message):
    with pytest.raises(UserError, match=message):
        parse_assignment(text)


@pytest.mark.parametrize(
    "recipe",
    [
        complete(Recipe(), 28, 1).replace(conditional=True),
        complete(Recipe(batch_size=16, flip=True, seed=3, beta_1=0.9), 28, 1),
        complete(get_preset("wgan-gp").replace(data="folder:my photos"), 64, 3),
        complete(get_preset("r3gan").replace(data="ring"), None, None),
        complete(get_preset("dcgan").replace(data="ring"), None, None),
        complete(get_preset("small-data").replace(dtype_policy="mixed_float16"), 28, 1),
    ],
)
def test_the_command_gives_the_same_run_with_the_change(recipe):
    """What is printed is parsed again, and gives the recipe that it was made of."""
    recipe = recipe.replace(conditional=bool(recipe.conditional))
    settings = recipe.as_dict() | Monitoring(log_every=7).as_dict()
    changes = {"loss": "hinge", "gradient_clip": 2.0}
    if recipe.regularizer == "none":
        changes["regularizer"] = "r1"  # which decides other settings, left as they are
    words = shlex.split(train_command(settings, changes, "runs/a b"))
    assert words[:2] == ["ganlab", "train"]
    options = build_parser().parse_args(words[1:])
    made = read_settings(options).recipe
    made = complete(made, recipe.image_size, recipe.channels)
    if made.conditional is None:  # then it is what the data says
        made = made.replace(conditional=recipe.image_size is not None)
    expected = recipe.replace(**changes)
    assert made == complete(expected, recipe.image_size, recipe.channels)
    assert options.out == "runs/a b-remedy"


def test_the_command_states_changes_alone():
    settings = complete(Recipe(), 28, 1).replace(conditional=True).as_dict()
    settings |= Monitoring(cache="disk", evaluate_every=50, probe_share=0.5).as_dict()
    command = train_command(settings, {"augmentation": "ada"}, "run")
    assert command == "ganlab train --augmentation ada --out run-remedy"
    assert train_command(settings, {"cache": "memory"}, "run") == (
        "ganlab train --out run-remedy"
    )
    assert train_command(settings, {"log_every": 5}, "run") == (
        "ganlab train --set log_every=5 --out run-remedy"
    )
    with pytest.raises(UserError, match="Unknown loss"):
        train_command(settings | {"loss": "mine"}, {"beta_1": 0.0}, "run")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("flip", True, ["--flip"]),
        ("flip", False, ["--set", "flip=false"]),
        ("conditional", False, ["--no-conditional"]),
        ("image_size", None, ["--set", "image_size=none"]),
        ("label_smoothing", 0.1, ["--label-smoothing", "0.1"]),
        ("attention", True, ["--set", "attention=true"]),
    ],
)
def test_options_of_a_setting(name, value, words):
    assert as_options(name, value) == words


def test_assignments_are_read_again():
    changes = {"attention": True, "gradient_clip": None, "beta_1": 0.0}
    text = as_assignments(changes)
    assert text == "attention=true gradient_clip=none beta_1=0.0"
    assert dict(map(parse_assignment, text.split())) == changes
