"""Settings as words of a command line, and words as settings."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganlab.config.presets import PRESETS, get_preset
from ganlab.config.settings import SETTINGS, Monitoring, Recipe, split_settings
from ganlab.config.table import Setting, rows
from ganlab.errors import UserError, unknown_name

EXPECTED = {bool: "true or false", int: "a whole number", float: "a number"}


def parse_assignment(text: str) -> tuple[str, Any]:
    """Reads `NAME=VALUE` for a setting.

    >>> parse_assignment("beta_1=0.0"), parse_assignment("gradient-clip=none")
    (('beta_1', 0.0), ('gradient_clip', None))

    Raises:
        UserError: for an unknown name, with the known ones, or a value that
            is not of the setting's type.
    """
    name, _, word = text.partition("=")
    name = name.strip().replace("-", "_")
    known = [known for known in SETTINGS if known != "preset"]
    if name not in known:
        raise unknown_name("setting", name, known)
    return name, parse_value(SETTINGS[name], word.strip())


def parse_value(setting: Setting, word: str) -> Any:
    """Reads the value of a setting; `none` where it may be left unset."""
    if setting.unset and word.lower() == "none" and "none" not in setting.choices:
        return None
    if setting.sized:
        return setting.stated(word)
    try:
        if setting.kind is bool:
            return {"true": True, "false": False}[word.lower()]
        return setting.kind(word)
    except (KeyError, ValueError) as error:
        raise UserError(
            f"Expected {EXPECTED[setting.kind]} for {setting.name}. Received: {word!r}"
        ) from error


def as_word(value: Any) -> str:
    """A setting's value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def as_assignments(changes: Mapping[str, Any]) -> str:
    """Settings as `NAME=VALUE NAME=VALUE`, the values as `--set` takes them."""
    return " ".join(f"{name}={as_word(value)}" for name, value in changes.items())


def as_options(name: str, value: Any) -> list[str]:
    """The words that give a setting a value.

    >>> as_options("batch_size", 32), as_options("beta_1", 0.0)
    (['--batch-size', '32'], ['--set', 'beta_1=0.0'])
    """
    setting = SETTINGS[name]
    if setting.flag and isinstance(value, bool):
        if value:
            return [setting.option]
        if setting.unset:
            return [f"--no-{setting.option.removeprefix('--')}"]
    elif setting.flag and value is not None:
        return [setting.option, as_word(value)]
    return ["--set", f"{name}={as_word(value)}"]


def train_command(
    settings: Mapping[str, Any], changes: Mapping[str, Any], source: Path | str
) -> str:
    """The `ganlab train` command of a run with some settings changed.

    It states the settings that differ from the preset's. Of the monitoring it states
    changes alone.

    Args:
        settings: The run's settings, in one flat dict.
        changes: Settings to change. More steps alone go on in the run's folder;
            anything else begins a run in a folder whose name ends on `-remedy`.
        source: The run folder.

    Raises:
        UserError: if a setting has a value that it cannot have.
    """
    if set(changes) == {"steps"}:
        words = ["ganlab", "train", "--out", str(source), "--resume"]
        return shlex.join([*words, *as_options("steps", changes["steps"])])
    decisions, watching = split_settings(changes)
    known = {name: settings[name] for name in rows(Recipe) if name in settings}
    recipe = Recipe(**known).replace(**decisions)
    preset = recipe.preset if recipe.preset in PRESETS else "dcgan"
    words = ["ganlab", "train"]
    if preset != "dcgan":
        words += ["--preset", preset]
    implied = _implied(recipe, preset)
    for name, value in recipe.as_dict().items():
        if name != "preset" and value is not None and value != implied[name]:
            words += as_options(name, value)
    defaults = Monitoring().as_dict()
    for name, value in watching.items():
        if value != defaults[name]:
            words += as_options(name, value)
    return shlex.join([*words, "--out", f"{source}-remedy"])


def _implied(recipe: Recipe, preset: str) -> dict[str, Any]:
    """The settings that a command has without options, but for those that decide them.

    What a recipe leaves to the data follows from `data`, `regularizer`, `network` and
    `spectral_norm`: these are compared with the preset, all others with what follows.
    """
    from ganlab.config.resolve import complete  # NumPy, which --help does without
    from ganlab.data import kinds

    plain = get_preset(preset)
    deciding = ("data", "regularizer", "network", "spectral_norm")
    decided = plain.replace(**{name: getattr(recipe, name) for name in deciding})
    implied = complete(decided, recipe.image_size, recipe.channels).as_dict()
    implied |= {name: getattr(plain, name) for name in deciding}
    kind = kinds.of_spec(recipe.data)
    implied["network"] = plain.network or kind.networks[0]
    labelled = kind.applies("conditional")
    implied["conditional"] = True if labelled else recipe.conditional
    if recipe.data.startswith(("folder:", "tfds:", "emoji:")):
        implied["image_size"] = None
    return implied
