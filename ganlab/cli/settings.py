"""Options made from the table of settings, and the settings that they choose."""

import argparse
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.cli.common import natural, positive, positive_number
from ganlab.config.command import parse_assignment
from ganlab.config.differences import check_unchanged
from ganlab.config.presets import PRESETS, get_preset
from ganlab.config.settings import SETTINGS, Monitoring, Recipe, split_settings
from ganlab.config.table import GROUPS, Setting

if TYPE_CHECKING:
    from ganlab.runs import Run

TYPES: dict[type, Callable[[str], Any]] = {int: positive, float: float, str: str}
PLACEHOLDERS = {int: "N", float: "X", str: "NAME"}


@dataclass(frozen=True)
class ChosenSettings:
    """The settings that options choose.

    Args:
        recipe: The `Recipe`: the preset's, changed.
        monitoring: The `Monitoring`.
        changes: A dict of the settings that options give.
    """

    recipe: Recipe
    monitoring: Monitoring
    changes: dict[str, Any]

    @property
    def default_folder(self) -> Path:
        """The run folder where none is named."""
        data = re.sub(r"[^a-zA-Z0-9_]+", "-", self.recipe.data).strip("-")
        return Path("runs") / f"{self.recipe.preset}-{data}"

    def resumed(self, run: "Run", *, change: bool = False) -> tuple[Recipe, Monitoring]:
        """Recipe and monitoring of a run that goes on.

        Args:
            run: The `Run`.
            change: Boolean: whether settings that leave the networks as they are may
                differ from the run's.

        Raises:
            UserError: if another setting of the recipe than its length is changed.
        """
        changes, monitoring = split_settings(self.changes)
        recipe = run.recipe.replace(**changes)
        check_unchanged(recipe, run.recipe, change=change)
        return recipe, run.monitoring.replace(**monitoring)


def read_settings(options: argparse.Namespace) -> ChosenSettings:
    """Returns the settings that parsed options choose."""
    changes = {
        name: getattr(options, name)
        for name, setting in SETTINGS.items()
        if setting.flag and getattr(options, name) is not None
    }
    changes |= dict(parse_assignment(text) for text in options.set)
    decisions, watching = split_settings(changes)
    preset = get_preset(decisions.pop("preset", SETTINGS["preset"].default))
    if "preset" in changes:
        changes["preset"] = preset.preset
    return ChosenSettings(preset.replace(**decisions), Monitoring(**watching), changes)


def add_settings(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the options of settings, in groups; returns the first group, of the run."""
    flags = [setting for setting in SETTINGS.values() if setting.flag]
    groups = []
    for name in GROUPS:
        settings = [setting for setting in flags if setting.group == name]
        if not settings:
            continue
        group = parser.add_argument_group(name.lower())
        groups.append(group)
        for setting in settings:
            if setting.name == "steps":
                length = group.add_mutually_exclusive_group()
                _add_option(length, setting)
                length.add_argument(
                    "--epochs",
                    type=positive,
                    metavar="N",
                    help="length of the run in passes over the data instead",
                )
                length.add_argument(
                    "--minutes",
                    type=positive_number,
                    metavar="X",
                    help="length of the run in minutes instead, about: its first steps "
                    "are measured, and as many are trained as fit",
                )
            else:
                _add_option(group, setting)
    groups[0].add_argument(
        "--out", metavar="DIR", help="run folder (default: runs/PRESET-DATA)"
    )
    every = parser.add_argument_group("every other setting")
    every.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="give any setting a value, such as discriminator_steps=5; `ganlab train "
        "--help` lists them at its end",
    )
    return groups[0]


def _add_option(group: argparse._ActionsContainer, setting: Setting) -> None:
    if setting.kind is bool:
        action = argparse.BooleanOptionalAction if setting.unset else "store_true"
        group.add_argument(
            setting.option, action=action, default=None, help=help_text(setting)
        )
        return
    kind = natural if setting.minimum == 0 and setting.kind is int else None
    if setting.name == "channels":
        group = group.add_mutually_exclusive_group()
        group.add_argument(
            "--alpha",
            dest=setting.name,
            action="store_const",
            const=4,
            help="keep the opacity of transparent pictures: --channels 4",
        )
    group.add_argument(
        setting.option,
        type=str if setting.sized else kind or TYPES[setting.kind],
        metavar=setting.metavar or PLACEHOLDERS[setting.kind],
        help=help_text(setting),
    )


def help_text(setting: Setting) -> str:
    """What a setting decides, its values and its default, as argparse takes it."""
    names = [str(choice) for choice in setting.choices]
    text = setting.help
    if setting.name == "preset":
        names = list(PRESETS)
    if setting.name != "channels" and names:
        text += f"; one of {', '.join(names)}"
    if setting.separator:
        text += f" or several joined by {setting.separator}"
    if setting.bounds and setting.bounds not in ("0 or more", "1 or more"):
        text += f", {setting.bounds}"
    if setting.kind is not bool or setting.unset:
        text += f" (default: {setting.default_text})"
    return text.replace("%", "%%")


def settings_epilog() -> str:
    """The names that `--set` takes beside those of options, by group."""
    lines = ["settings of --set, beside those above:"]
    for group in GROUPS:
        names = [
            setting.name
            for setting in SETTINGS.values()
            if setting.group == group and not setting.flag
        ]
        if names:
            text = f"{group.lower():12}{', '.join(names)}"
            lines += textwrap.wrap(
                text, 78, initial_indent="  ", subsequent_indent=" " * 14
            )
    return "\n".join(lines)
