"""Settings in which a recipe differs from the one that a run began with."""

from collections.abc import Mapping
from typing import Any

from ganlab.config.settings import Recipe, keep_networks
from ganlab.errors import UserError

LENGTH = "steps"  # which may always change


def differences(recipe: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The settings whose values differ, but for the length, with the recipe's values.

    >>> differences({"loss": "hinge", "steps": 9}, {"loss": "wasserstein", "steps": 5})
    {'loss': 'hinge'}
    """
    return {
        name: value
        for name, value in recipe.items()
        if name != LENGTH and value != own.get(name, value)
    }


def described(changes: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Settings with the values that they get, and the run's own."""
    return ", ".join(
        f"{name}={value} (the run's: {own.get(name)})"
        for name, value in changes.items()
    )


def check_unchanged(recipe: Recipe, own: Recipe, *, change: bool = False) -> None:
    """Raises `UserError` for settings with which a run cannot go on.

    Args:
        recipe: The `Recipe` to go on with.
        own: The run's.
        change: Boolean: whether settings that leave the networks as they are may
            differ.
    """
    changes = differences(recipe.as_dict(), own.as_dict())
    if not changes or (change and keep_networks(changes)):
        return
    fix = "leave them out, or allow it with --change-settings"
    if not keep_networks(changes):
        networks = {name for name in changes if not keep_networks([name])}
        fix = f"start a new run, for {', '.join(sorted(networks))} cannot change midway"
    raise UserError(
        "Expected --resume with the settings that the run began with. Received: "
        f"{described(changes, own.as_dict())}; {fix}"
    )
