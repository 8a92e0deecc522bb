"""The run folder: every path in it, its settings, its log and its checkpoints."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganlab.bounded import parse_json, read_json
from ganlab.checkpoints import CheckpointFolder, by_step
from ganlab.config import legacy
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.errors import UserError, one_line
from ganlab.files import (
    append_line,
    check_new_folder,
    remove_leftovers,
    write_text,
)


@dataclass(frozen=True)
class RunFolder(CheckpointFolder):
    """Names, reads and writes the files of one run.

    - `config.json`: the settings and what the data is.
    - `metrics.jsonl`: a JSON object a line: numbers of a step, or an event.
    - `tensorboard/`: the same numbers, with pictures and histograms.
    - `checkpoints/`: `step-0000500.keras` and so on; `best.keras` with `best.png`.
    - `samples/`: `step-0000500.png` and so on.
    - `quality.json`, `quality.md`: scores of the best and the last step.
    - `report.json`, `report.md`, `report.html`: the diagnosis.
    - `attempts/1.jsonl` and so on: what was logged after the step gone back to.
    - `trials/`: run folders of remedies tried, one a seed, and `trials.json`.

    Args:
        path: The folder. Nothing is made before something is written.
    """

    path: Path

    def __init__(self, path: Path | str) -> None:
        object.__setattr__(self, "path", Path(path))

    def __str__(self) -> str:
        return str(self.path)

    @property
    def config(self) -> Path:
        """The file of the settings."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """The file of numbers and events."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The folder for TensorBoard."""
        return self.path / "tensorboard"

    @property
    def samples(self) -> Path:
        """The folder of pictures."""
        return self.path / "samples"

    @property
    def trials(self) -> Path:
        """The folder of remedies that were tried."""
        return self.path / "trials"

    def quality(self, suffix: str) -> Path:
        """The scores at the run's end, as `json` or `md`."""
        return self.path / f"quality.{suffix}"

    def report(self, suffix: str) -> Path:
        """The diagnosis, as `json`, `md` or `html`."""
        return self.path / f"report.{suffix}"

    def trial(self, name: str, seed: int) -> RunFolder:
        """The run folder of one remedy that was tried, with one seed."""
        return RunFolder(self.trials / name.replace(" ", "-") / f"seed-{seed}")

    def attempt(self, number: int) -> Path:
        """What an abandoned attempt logged; attempts count from 1."""
        return self.path / "attempts" / f"{number}.jsonl"

    def relative(self, path: Path) -> str:
        """A path of this folder as its pages link to it."""
        return path.relative_to(self.path).as_posix()

    def holds_run(self) -> bool:
        """Whether settings of a run are here."""
        return self.config.is_file()

    def holds_log(self) -> bool:
        """Whether a run has logged something here."""
        return self.metrics.is_file()

    def check_new(self) -> None:
        """Raises `UserError` unless a run may be written here."""
        holds = "a run" if self.config.exists() else "something else"
        fix = "name another with --out, or go on with --resume"
        check_new_folder(self.path, "run", f"holds {holds}", fix)

    def remove_leftovers(self) -> None:
        """Removes what a crash left half written."""
        for folder in (self.path, self.checkpoints, self.samples):
            remove_leftovers(folder)

    def read_config(self) -> dict[str, Any]:
        """What `config.json` holds, its settings under today's names.

        Raises:
            OSError: if there is no such file.
            ValueError, KeyError, TypeError: if it does not hold a run's config.
        """
        content = read_json(self.config)
        recipe, monitoring = legacy.read_settings(content)
        return {**content, "recipe": recipe, "monitoring": monitoring}

    def write_config(self, content: Mapping[str, Any]) -> None:
        """Writes `config.json`."""
        write_text(self.config, json.dumps(content, indent=2) + "\n")

    def read_metrics(self) -> list[str]:
        """The lines of `metrics.jsonl`; none if there is no such file."""
        if not self.holds_log():
            return []
        return self.metrics.read_text(encoding="utf-8", errors="replace").splitlines()

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Adds one line to `metrics.jsonl`; values that are not finite are refused."""
        line = json.dumps(row, allow_nan=False)
        self.path.mkdir(parents=True, exist_ok=True)
        append_line(self.metrics, line)

    def trim_metrics(
        self, step: int, later_to: Path | None = None
    ) -> list[dict[str, Any]]:
        """Drops the lines after a step, which will be written again, and torn ones.

        Args:
            step: The last step that is kept.
            later_to: A file for the lines that are dropped, or `None`.

        Returns:
            What was logged until then.
        """
        rows = list(_whole_rows(self.read_metrics()))
        earlier = [row for row in rows if row["step"] <= step]
        if self.holds_log():
            write_text(self.metrics, _as_lines(earlier))
        if later_to is not None:
            later = [row for row in rows if row["step"] > step]
            write_text(later_to, _as_lines(later))
        return earlier

    def picture(self, step: int) -> Path:
        """Where the picture of a step goes."""
        return self.samples / f"step-{step:07d}.png"

    def pictures(self) -> dict[int, Path]:
        """Pictures by step, in order."""
        return by_step(self.samples.glob("step-*.png"))

    def write_quality(self, scores: Mapping[str, Any], page: str) -> None:
        """Writes the scores at the run's end, and a page of them."""
        write_text(self.quality("json"), json.dumps(scores, indent=2) + "\n")
        write_text(self.quality("md"), page)

    def read_quality_page(self) -> str:
        """The page of scores; empty if there is none."""
        path = self.quality("md")
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace")

    def write_trials(self, trials: Iterable[Mapping[str, Any]]) -> None:
        """Writes how the remedies that were tried compare."""
        text = json.dumps(list(trials), indent=2, ensure_ascii=False) + "\n"
        write_text(self.trials / "trials.json", text)

    def read_trials(self) -> list[dict[str, Any]]:
        """How the remedies that were tried compare; empty if none was."""
        path = self.trials / "trials.json"
        if not path.is_file():
            return []
        trials = read_json(path)
        try:
            return [legacy.current_trial(trial) for trial in trials]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"Expected trials of remedies in {path}. Received: {one_line(error)}; "
                "remove the file, or try the remedies again"
            ) from error


def _whole_rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows that are whole, of lines of which a crash may have torn some."""
    for line in lines:
        with contextlib.suppress(ValueError):
            row = parse_json(line)
            if isinstance(row, dict) and {"step", "seconds"} <= set(row):
                yield row


def _as_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


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
                "observed": None if self.observed is None else dict(self.observed),
            }
        )


def load_run(directory: Path | str, *, watched: bool = False) -> Run:
    """Reads the settings of a run folder.

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
            Recipe(**content["recipe"]),
            Monitoring(**content["monitoring"]),
            content["num_images"],
            tuple(content["class_names"]),
            tuple(content["skipped"]),
            tuple(content.get("class_counts", ())),
            observed=content.get("observed"),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Expected a run's recipe in {folder.config}. Received: {error}"
        ) from error
