"""Run folders of strangers, scores to compare with, and settings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.runs import Run, RunFolder
from hostile_cases.case import DEEP, ESCAPES, Case

DIAGNOSE = ("diagnose", "run")
ROWS = [
    {"step": 10 * k, "seconds": k, "d_loss": 1.0, "g_loss": 1.0} for k in range(1, 20)
]
TRIAL = {"name": "a", "changes": {}, "verdict": None, "ratio": None, "score": 1.0}
TRIAL |= {"score_name": "fid", "steps": 10, "branches": [], "kept": False}


def write_run(folder: Path, name: str = "run") -> Path:
    """Writes a run that was never trained, with a log; returns its folder."""
    recipe = complete(Recipe(batch_size=8, steps=200), 28, 1)
    run = Run(
        RunFolder(folder / name), recipe, Monitoring(), 12, ("a", "b"), (), (6, 6)
    )
    run.save()
    for row in ROWS:
        run.folder.append_metrics(row)
    return folder / name


def file_of(name: str, text: str | bytes) -> Callable[[Path], None]:
    """Writes a run with the content of one of its files."""

    def write(folder: Path) -> None:
        path = write_run(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def trial_of(**changes: Any) -> Callable[[Path], None]:
    return file_of("trials/trials.json", json.dumps([TRIAL | changes]))


def setting_of(**changes: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = write_run(folder) / "config.json"
        config = json.loads(path.read_text())
        config["recipe"] |= changes
        path.write_text(json.dumps(config))

    return write


def row_of(text: str) -> Callable[[Path], None]:
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    return file_of("metrics.jsonl", f"{rows}{text}\n{rows}")


def named(name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_run(folder, name)
        write_run(folder)

    return write


def scores_of(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "scores.json").write_text(text) and None


def run(name: str, write: Callable[[Path], None], *, taken: bool = True) -> Case:
    """A run that is diagnosed; what cannot be read of it is left out and said."""
    return Case("run", name, write, DIAGNOSE, taken)


def scores(name: str, text: str) -> Case:
    command = ("evaluate", "images.npz", "--against", "scores.json")
    return Case("scores", name, scores_of(text), command)


def setting(text: str, name: str = "") -> Case:
    command = ("train", "--set", text, "--out", "run")
    return Case("settings", name or f"`{text}`", lambda folder: None, command)


WORDS = {"value": "good", "low": 0, "high": 1, "standard_error": 0}
CASES = [
    run("a `config.json` 200,000 levels deep", file_of("config.json", DEEP)),
    run("an empty `config.json`", file_of("config.json", "")),
    run("a `config.json` of bytes", file_of("config.json", b"\xff\x00\xfe")),
    run("a batch size that is a text", setting_of(batch_size="64")),
    run("a learning rate that is not finite", setting_of(beta_1=float("inf"))),
    run("a setting of control characters", setting_of(data=ESCAPES)),
    run("a setting that there is not", setting_of(**{ESCAPES: 1})),
    run(
        "an integer of 5,000 digits in its log", row_of('{"step": ' + "9" * 5000 + "}")
    ),
    run("a line of its log 200,000 levels deep", row_of(DEEP)),
    run("a step that is a text", row_of('{"step": "ten", "d_loss": 1}')),
    run("trials that are a number", file_of("trials/trials.json", "3")),
    run("trials 200,000 levels deep", file_of("trials/trials.json", DEEP)),
    run("a trial whose score is a text", trial_of(score="good")),
    run("a trial whose branches are a number", trial_of(branches=3)),
    run("a trial whose ratio is a number", trial_of(ratio=3)),
    run("a report of scores of bytes", file_of("quality.md", b"\xff\x1b[2J")),
    Case(
        "run",
        "names that are mathematics, compared",
        named(r"$\frac{"),
        ("diagnose", r"$\frac{", "run"),
        taken=True,
    ),
    Case(
        "run",
        "a name that clears the screen, compared",
        named(ESCAPES),
        ("diagnose", ESCAPES, "run"),
        taken=True,
    ),
    Case(
        "run",
        "a damaged checkpoint, exported",
        file_of("checkpoints/step-0000100.keras", b"PK\x03\x04 damaged"),
        ("export", "run"),
    ),
    scores(
        "words for numbers", json.dumps({"subjects": {"a": {"scores": {"fid": WORDS}}}})
    ),
    scores("200,000 levels deep", DEEP),
    scores("a list", "[]"),
    *(setting(f"generator_learning_rate={text}") for text in ("-1", "nan", "inf")),
    *(setting(text) for text in ("beta_1=2", "batch_size=nan")),
    setting("steps=" + "9" * 5000, "steps of 5,000 digits"),
    setting(f"loss={ESCAPES}", "a loss that clears the screen"),
]
