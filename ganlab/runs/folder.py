"""The run folder: every path in it, its settings, its log and its checkpoints."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.config import legacy
from ganlab.errors import UserError, one_line
from ganlab.files import (
    append_line,
    check_new_folder,
    cut,
    remove_leftovers,
    sync,
    write_text,
)
from ganlab.runs.checkpoints import CheckpointFolder, by_step
from ganlab.safety.bounded import parse_json, read_json

LOGGER = logging.getLogger("ganlab")
EVENTS = "events.out.tfevents.*"  # TensorBoard's files


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
    - `black_box.npz`: the batch of the first step that was not finite.
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

    def write_attempt(self, number: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Writes what an abandoned attempt logged."""
        write_text(self.attempt(number), _as_lines(rows))

    def changes_of_rollbacks(self) -> list[dict[str, Any]]:
        """The changes of settings that rollbacks have made, in order."""
        rows = _whole_rows(self.read_metrics())
        return [row["change"] for row in rows if row.get("event") == "rollback"]

    @property
    def black_box(self) -> Path:
        """What the first step was given whose loss or gradient was not finite."""
        return self.path / "black_box.npz"

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

    def sizes_of_logs(self) -> dict[str, Any]:
        """Bytes of the log, and of TensorBoard's files by name; all are on the disk."""
        logs = [self.metrics] if self.holds_log() else []
        events = sorted(self.tensorboard.glob(EVENTS))
        for path in (*logs, *events):
            sync(path)
        return {
            "bytes": self.metrics.stat().st_size if logs else 0,
            "tensorboard": {path.name: path.stat().st_size for path in events},
        }

    def split_log(
        self, step: int, num_bytes: int | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What was logged until a checkpoint, and what after it; no torn lines.

        Args:
            step: The checkpoint's step.
            num_bytes: How long the log was when it was written, or `None`.
        """
        content = self.metrics.read_bytes() if self.holds_log() else b""
        lines = content.decode(errors="replace").splitlines()
        if num_bytes is not None and content[:num_bytes].endswith(b"\n"):
            earlier = content[:num_bytes].decode(errors="replace").splitlines()
            later = content[num_bytes:].decode(errors="replace").splitlines()
            return list(_whole_rows(earlier)), list(_whole_rows(later))
        rows = list(_whole_rows(lines))
        return (
            [row for row in rows if row["step"] <= step],
            [row for row in rows if row["step"] > step],
        )

    def rewind(
        self, step: int, position: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Drops what was logged after a checkpoint, for it will be written again.

        Args:
            step: The checkpoint's step.
            position: `sizes_of_logs` when it was written, and under `then` rows that
                follow; or `None` where that is not known.

        Returns:
            What was logged until then.
        """
        position = position or {}
        rows, _ = self.split_log(step, position.get("bytes"))
        rows += [row for row in position.get("then", []) if row not in rows]
        if self.holds_log() or rows:
            write_text(self.metrics, _as_lines(rows))
        if "tensorboard" in position:
            for path in self.tensorboard.glob(EVENTS):
                cut(path, position["tensorboard"].get(path.name, 0))
        for later, path in self.pictures().items():
            if later > step:
                path.unlink()
        return rows

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
