"""Artifacts: what they are exported to, and what is asked of them."""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from citizen_cases.case import Group, new_path
from citizen_cases.parts import compiled, conditional, generator
from ganlab import Artifact, export_generator

group = Group("artifacts")
SHIPPED = Path(__file__).parents[3] / "saved_models" / "fashion"
networks = functools.cache(compiled)
of_classes = functools.cache(conditional)
NAMES = ["a", "b", "c", "d"]


def _file() -> Any:
    path = new_path("file")
    path.write_text("x")
    return path


PATHS = {
    "none": (lambda: None, "name another"),
    "number": (lambda: 5, "name another"),
    "bytes": (lambda: b"artifact", "name another"),
    "file": (_file, "name another"),
    "below-file": (lambda: _file() / "artifact", "name another"),
    "nul": (lambda: "a\0b", "name another"),
    "too-long": (lambda: new_path("x" * 300), "name another"),
}
for title, (maker, fix) in PATHS.items():
    group.refused(fix, f"export-to-{title}", f"`export_generator` to {title}.")(
        functools.partial(lambda make: export_generator(networks(), make()), maker)
    )
OPTIONS = {
    "names-alike": ({"class_names": ["a", "a", "b", "c"]}, "rename"),
    "names-empty": ({"class_names": ["", "a", "b", "c"]}, "none empty"),
    "names-set": ({"class_names": {*NAMES}}, "pass a list"),
    "names-missing": ({"class_names": None}, "pass class_names"),
    "score-text": ({"class_names": NAMES, "score": "fid"}, "a function that"),
    "training-nan": (
        {"class_names": NAMES, "training": {"fid": float("nan")}},
        "convert them",
    ),
    "license-number": ({"class_names": NAMES, "license": 5}, "of one line"),
}


def export(options: dict[str, Any]) -> None:
    export_generator(of_classes(), new_path("artifact"), **options)


for title, (options, fix) in OPTIONS.items():
    group.refused(fix, f"export-{title}", f"`export_generator` with {title}.")(
        functools.partial(export, options)
    )


@group.refused("Expected a ganlab.GAN")
def export_network():
    """`export_generator` of a plain network."""
    export_generator(generator(), new_path("artifact"))


@group.works("in the home folder, with the names of the array", slow=True)
def export_to_tilde():
    """`export_generator` to `~/artifact`, class names as an array."""
    home, old = new_path("home"), os.environ.get("HOME")
    home.mkdir()
    os.environ["HOME"] = str(home)
    try:
        export_generator(of_classes(), "~/artifact", class_names=np.array(NAMES))
    finally:
        os.environ.pop("HOME") if old is None else os.environ.update(HOME=old)
    return list(Artifact(home / "artifact").class_names) == NAMES


@functools.cache
def shipped() -> Artifact:
    return Artifact(SHIPPED)


ASKED = {
    "threads-0": (lambda: Artifact(SHIPPED, threads=0), "threads of 1 or more"),
    "threads-text": (lambda: Artifact(SHIPPED, threads="2"), "threads of 1"),
    "threads-many": (lambda: Artifact(SHIPPED, threads=10**5), "leave them out"),
    "path-none": (lambda: Artifact(None), "name another"),
    "frames-float": (
        lambda: shipped().interpolate(0, 1, 2, 2.5),
        "2 frames or more",
    ),
    "directions-negative": (
        lambda: shipped().principal_directions(-1),
        "count of 0 or more",
    ),
    "sample-true": (lambda: shipped().sample(True), "1 image or more"),
    "sample-too-many": (
        lambda: shipped().sample(10**16),
        "fewer at a time",
    ),
    "label-beyond": (lambda: shipped().label(10), "Unknown label"),
}
for title, (run, fix) in ASKED.items():
    group.refused(fix, f"artifact-{title}", f"An artifact asked for {title}.")(run)
