"""A run: its folder, its settings and its data."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganlab.config.differences import differences
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError
from ganlab.runs.folder import RunFolder
from ganlab.safety.sealed import read_notes

LOGGER = logging.getLogger("ganlab")


@dataclass(frozen=True)
class Run:
    """A run: its folder, its settings and its data.

    Args:
        folder: The `RunFolder`.
        recipe: The `Recipe`, with what the data decided filled in.
        monitoring: The `Monitoring` that watched it.
        num_images: Integer: how many images it trains on.
        class_names: A name for each class; empty if not conditional.
        skipped: Names of images that could not be read.
        class_counts: How many images each class has; empty without classes.
        attribution: Who made the images, and their licence; empty if it is not said.
        failure: The `ganlab.diagnosis.Finding` that ended training, or `None`.
        observed: Settings that a `Monitor` knew of a run without a recipe, or `None`.
    """

    folder: RunFolder
    recipe: Recipe
    monitoring: Monitoring
    num_images: int
    class_names: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    attribution: str = ""
    failure: Any = None
    observed: Mapping[str, Any] | None = None

    @property
    def num_classes(self) -> int | None:
        """Classes of a conditional GAN, or `None`."""
        return len(self.class_names) or None

    def with_recipe(self, recipe: Recipe, folder: RunFolder | None = None) -> Run:
        """The same run under another recipe, and perhaps in another folder."""
        folder = self.folder if folder is None else folder
        return replace(self, recipe=recipe, folder=folder, failure=None)

    @property
    def data_kind(self) -> DataKind:
        """The kind of data that it trains on."""
        return kinds.of_record((self.observed or {}).get("data_kind"), self.recipe.data)

    @property
    def settings(self) -> dict[str, Any]:
        """Recipe and monitoring as one flat dict of JSON values."""
        return self.recipe.as_dict() | self.monitoring.as_dict()

    def save(self) -> None:
        """Writes the settings into the folder."""
        self.folder.write_config(
            {
                "recipe": self.recipe.as_dict(),
                "monitoring": self.monitoring.as_dict(),
                "data_kind": self.data_kind.name,
                "num_images": self.num_images,
                "class_names": list(self.class_names),
                "skipped": list(self.skipped),
                "class_counts": list(self.class_counts),
                "attribution": self.attribution,
                "observed": None if self.observed is None else dict(self.observed),
            }
        )


def load_run(directory: Path | str, *, watched: bool = False) -> Run:
    """Reads the settings of a run folder.

    Settings of the recipe that are not those of its newest checkpoint, but for the
    length, are named in a warning, and the checkpoint's are taken.

    Raises:
        UserError: for none, or one that a `Monitor` watched, unless `watched`.
    """
    folder = RunFolder(directory)
    if not folder.holds_run():
        raise UserError(
            f"Expected a run folder, with {folder.config.name}. Received: {directory}; "
            "make one with `ganlab train --out DIR`"
        )
    try:
        content = folder.read_config()
        if content.get("observed") is not None and not watched:
            raise UserError(
                f"Expected a run of `ganlab train`. Received: {directory}, which a "
                "Monitor watched; train it on by its own script"
            )
        return Run(
            folder,
            Recipe(**_trained_settings(folder, content["recipe"])),
            Monitoring(**content["monitoring"]),
            content["num_images"],
            tuple(content["class_names"]),
            tuple(content["skipped"]),
            tuple(content.get("class_counts", ())),
            content.get("attribution", ""),
            observed=content.get("observed"),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Expected a run's recipe in {folder.config}. Received: {error}"
        ) from error


def _trained_settings(folder: RunFolder, recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe's settings by the newest checkpoint, where they differ."""
    checkpoint = folder.newest_checkpoint()
    trained = None if checkpoint is None else read_notes(checkpoint).get("recipe")
    if trained is None:
        return recipe
    changes = differences(trained, recipe)
    if changes:
        LOGGER.warning(
            "%s is not what %s was trained with, which is taken: %s",
            folder.config,
            checkpoint.name if checkpoint else "",
            ", ".join(f"{name}={value}" for name, value in changes.items()),
        )
    return recipe | changes
