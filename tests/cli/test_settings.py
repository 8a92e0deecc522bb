"""Options made from the table of settings."""

import argparse
import re

import pytest

from ganlab.cli.common import HelpFormatter
from ganlab.cli.main import main
from ganlab.cli.settings import (
    add_settings,
    help_text,
    read_settings,
    settings_epilog,
)
from ganlab.config.settings import SETTINGS, Monitoring
from ganlab.config.table import GROUPS
from ganlab.errors import UserError


def read(*arguments):
    parser = argparse.ArgumentParser(formatter_class=HelpFormatter)
    add_settings(parser)
    return read_settings(parser.parse_args(arguments))


def test_options_change_the_preset():
    chosen = read("--preset", "wgan_gp", "--batch-size", "16", "--set", "beta-1=0.3")
    assert chosen.recipe.preset == "wgan-gp"
    assert chosen.recipe.loss == "wasserstein"
    assert (chosen.recipe.batch_size, chosen.recipe.beta_1) == (16, 0.3)
    assert chosen.monitoring == Monitoring()
    assert chosen.changes == {"preset": "wgan-gp", "batch_size": 16, "beta_1": 0.3}


def test_monitoring_and_truth_values():
    chosen = read(
        "--cache", "disk", "--flip", "--no-conditional", "--set", "log_every=5"
    )
    assert chosen.monitoring == Monitoring(cache="disk", log_every=5)
    assert (chosen.recipe.flip, chosen.recipe.conditional) == (True, False)
    assert read().recipe.conditional is None


def test_every_flag_has_an_option():
    parser = argparse.ArgumentParser()
    add_settings(parser)
    options = vars(parser.parse_args([]))
    flags = {name for name, setting in SETTINGS.items() if setting.flag}
    assert options.keys() == {*flags, "epochs", "minutes", "out", "set"}
    assert {options[name] for name in flags} == {None}


def test_the_default_folder_names_preset_and_data():
    folder = read("--data", "folder:my photos/2", "--preset", "sngan").default_folder
    assert str(folder) == "runs/sngan-folder-my-photos-2"


def test_a_resumed_run_keeps_its_recipe(saved_run):
    chosen = read("--steps", "9", "--batch-size", "8", "--set", "log_every=5")
    recipe, monitoring = chosen.resumed(saved_run)
    assert recipe == saved_run.recipe.replace(steps=9)
    assert monitoring == saved_run.monitoring.replace(log_every=5)
    message = "Received: preset=sngan .the run's: dcgan.; start a new run"
    with pytest.raises(UserError, match=message):
        read("--preset", "sngan").resumed(saved_run)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("batch_size", "real images for each discriminator update (default: 64)"),
        ("flip", "mirror images left to right at random"),
        (
            "augmentation",
            "augmentation of what the discriminator is given; one of none, "
            "diffaugment, ada (default: none)",
        ),
        (
            "label_smoothing",
            "one-sided smoothing of the real target, 0 or more and under 0.5 "
            "(default: 0.0)",
        ),
    ],
)
def test_help_of_a_setting(name, text):
    assert help_text(SETTINGS[name]) == text


def test_the_epilog_names_what_has_no_option():
    epilog = settings_epilog()
    groups = "|".join(group.lower() for group in GROUPS)
    names = re.sub(rf"^  ({groups})", "", epilog, flags=re.MULTILINE)
    for name, setting in SETTINGS.items():
        assert (name in names.replace(",", " ").split()) == (not setting.flag)
    assert max(map(len, epilog.splitlines())) <= 78


@pytest.mark.parametrize("value", ["-1", "0", "many"])
def test_a_wrong_number_is_refused_by_the_parser(capsys, value):
    with pytest.raises(SystemExit) as caught:
        main(["train", "--batch-size", value])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "argument --batch-size: expected" in error
    assert error.count("\n") == 1
