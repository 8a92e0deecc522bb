"""Cards of strangers."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile_cases.case import DEEP, ESCAPES, Case
from hostile_cases.models import SAMPLE, model_of, passed_on, write_artifact


def written(text: str | bytes) -> Callable[[Path], None]:
    """Writes an artifact with the text of a card."""

    def write(folder: Path) -> None:
        write_artifact(folder, model_of(passed_on()))
        content = text if isinstance(text, bytes) else text.encode()
        (folder / "artifact" / "card.json").write_bytes(content)

    return write


def changed(**changes: Any) -> Callable[[Path], None]:
    """Writes an artifact whose card states something else."""
    return lambda folder: write_artifact(folder, model_of(passed_on()), **changes)


def huge_file(folder: Path) -> None:
    write_artifact(folder, model_of(passed_on()))
    path = folder / "artifact" / "card.json"
    card = json.loads(path.read_text())
    card["files"]["generator.keras"] = "0" * 64
    path.write_text(json.dumps(card))
    with (folder / "artifact" / "generator.keras").open("wb") as file:
        os.truncate(file.fileno(), 20_000_000_000)


def huge_model(folder: Path) -> None:
    write_artifact(folder, model_of(passed_on()))
    with (folder / "artifact" / "generator.onnx").open("r+b") as file:
        os.truncate(file.fileno(), 20_000_000_000)


def classes(names: list[str], count: int) -> dict[str, Any]:
    labels = {"shape": [None], "dtype": "int32", "range": [0, count - 1]}
    inputs = {"latents": {"shape": [None, 4]}, "labels": labels}
    return {"inputs": inputs, "class_names": names}


def card(name: str, write: Callable[[Path], None]) -> Case:
    return Case("card", name, write, SAMPLE)


IMAGES = {"shape": [None, 8, 8, 1], "range": [-1, 1]}
CASES = [
    card("200,000 levels deep", written(DEEP)),
    card("an integer of 5,000 digits", written('{"files": ' + "9" * 5000 + "}")),
    card("2 MB of it", written('{"files": "' + "x" * 2_000_000 + '"}')),
    card("bytes that are no text", written(b"\xff\xfe\x00")),
    card("an empty file", written("")),
    card("a list", written("[]")),
    card("no hashes", changed(files={})),
    card("hashes that are numbers", changed(files={"generator.onnx": 7})),
    card("5,000 class names for 10 classes", changed(**classes(["a"] * 5000, 10))),
    card("no class names for 10 classes", changed(**classes([], 10))),
    card("class names for a model without classes", changed(**classes(["a"], 1))),
    card("a class name that is a list", changed(class_names=[["a"]])),
    card("latents of 2^40", changed(inputs={"latents": {"shape": [None, 1 << 40]}})),
    card("inputs that are a text", changed(inputs="latents")),
    card("images of 2^40", changed(outputs={"images": {"shape": [None, 1 << 40]}})),
    card("a range of words", changed(outputs={"images": {**IMAGES, "range": "ab"}})),
    card(
        "a range that is not finite",
        changed(outputs={"images": {**IMAGES, "range": [0.0, float("inf")]}}),
    ),
    card("a file of 20 GB on it", huge_file),
    card("a generator of 20 GB", huge_model),
    Case(
        "card",
        "class names that clear the screen",
        changed(class_names=[ESCAPES, "b"], **{"inputs": classes([], 2)["inputs"]}),
        (*SAMPLE, "--label", "c"),
    ),
    Case(
        "card",
        "a format that clears the screen",
        changed(files={}),
        (*SAMPLE, "--out", f"a{ESCAPES}.txt"),
    ),
    Case(
        "card",
        "training data `folder:/`",
        changed(training={"data": "folder:/"}),
        ("evaluate", "artifact"),
    ),
    Case(
        "card",
        "training data that is a list",
        changed(training=["folder:/"]),
        ("evaluate", "artifact"),
    ),
]
