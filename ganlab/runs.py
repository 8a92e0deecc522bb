"""The run folder: its paths, its recipe and its checkpoints."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganlab.config import legacy
from ganlab.config.settings import Monitoring, Recipe
from ganlab.errors import UserError


@dataclass(frozen=True)
class Run:
    """What a run folder says of itself.

    Args:
        directory: The folder.
        recipe: The `Recipe`, with what the data decided filled in.
        monitoring: The `Monitoring` that watched it.
        num_images: Integer: how many images it trains on.
        class_names: A name for each class; empty if not conditional.
        skipped: Names of images that could not be read.
        class_counts: How many images each class has; empty without classes.
        failure: The `ganlab.diagnosis.Finding` that ended training, or `None`.
    """

    directory: Path
    recipe: Recipe
    monitoring: Monitoring
    num_images: int
    class_names: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    failure: Any = None

    def with_recipe(self, recipe, directory=None):
        """The same run under another recipe, and perhaps in another folder."""
        directory = self.directory if directory is None else directory
        return replace(self, recipe=recipe, directory=directory, failure=None)

    @property
    def settings(self) -> dict[str, Any]:
        """Recipe and monitoring as one flat dict of JSON values."""
        return self.recipe.as_dict() | self.monitoring.as_dict()

    def save(self):
        """Writes `config.json`."""
        about = {
            "recipe": self.recipe.as_dict(),
            "monitoring": self.monitoring.as_dict(),
            "num_images": self.num_images,
            "class_names": list(self.class_names),
            "skipped": list(self.skipped),
            "class_counts": list(self.class_counts),
        }
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "config.json"
        path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_run(directory):
    """Reads a run folder's `config.json`.

    Raises:
        UserError: if the folder holds no run.
    """
    directory = Path(directory)
    path = directory / "config.json"
    if not path.is_file():
        raise UserError(
            f"Expected a run folder, with config.json. Received: {directory}; "
            "make one with `ganlab train --out DIR`"
        )
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        recipe, monitoring = legacy.read_settings(about)
        return Run(
            directory,
            Recipe(**recipe),
            Monitoring(**monitoring),
            about["num_images"],
            tuple(about["class_names"]),
            tuple(about["skipped"]),
            tuple(about.get("class_counts", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"Expected a run's recipe in {path}. Received: {error}"
        ) from error


def newest(directory):
    """Returns the path of the newest checkpoint, or `None`."""
    return max(Path(directory).glob("step-*.keras"), default=None)


def find_checkpoint(directory, which="newest"):
    """Returns the path of a run's newest or best checkpoint.

    Args:
        directory: The run folder.
        which: `"newest"` or `"best"`.

    Raises:
        UserError: if there is none.
    """
    folder = Path(directory) / "checkpoints"
    path = folder / "best.keras" if which == "best" else newest(folder)
    if path is None or not path.is_file():
        raise UserError(
            f"Expected a checkpoint in {folder}. Received: none; the run was stopped "
            "before its first"
        )
    return path
