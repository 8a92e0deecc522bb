"""Writes the parts of reference pages that the code itself states.

Each file of `docs/_generated` is included by a page of `docs/reference`: settings,
findings, log keys, every command's `--help`, and the public names of each module.
"""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

import ganlab
from ganlab.callbacks.scalars import SCALARS
from ganlab.config.reference import settings_table
from ganlab.diagnosis.reference import findings_sections, findings_table
from ganlab.labs import LABS

MODULES = (
    "artifacts",
    "augmentation",
    "callbacks",
    "diagnosis",
    "evaluation",
    "features",
    "labs",
    "likelihoods",
    "losses",
    "metrics",
    "networks",
    "pictures",
    "regularizers",
    "sampling",
    "schedules",
)


def log_keys_table() -> str:
    """Returns a table of every logged number: key, TensorBoard tag and meaning."""
    lines = ["| key | tag in TensorBoard | meaning |", "|---|---|---|"]
    for key, (tag, description) in SCALARS.items():
        topic, _, network = tag.partition("/")
        network = network.split("_")[0]
        if not description:
            description = f"{topic.replace('_', ' ').capitalize()} of the {network}."
        elif description == "Likewise.":
            description = f"The same of the {network}."
        lines.append(f"| `{key}` | `{tag}` | {description} |")
    return "\n".join(lines)


def labs_table() -> str:
    """Returns a table of the labs: name, claim, and the finding that fires."""
    lines = ["| lab | claim | finding |", "|---|---|---|"]
    lines += [f"| `{lab.name}` | {lab.claim} | `{lab.finding}` |" for lab in LABS]
    return "\n".join(lines)


def commands() -> list[str]:
    """Returns the names of ganlab's commands, in the order of `ganlab --help`."""
    return re.findall(r"^    ([a-z][a-z-]*)(?= |$)", help_text(), re.MULTILINE)


def help_text(*command: str) -> str:
    """Returns what `ganlab COMMAND --help` prints, 88 columns wide."""
    environment = os.environ | {"COLUMNS": "88", "NO_COLOR": "1"}
    printed = subprocess.run(
        [sys.executable, "-m", "ganlab", *command, "--help"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return printed.stdout.rstrip()


def command_line() -> str:
    """Returns one section a command, with its help text."""
    sections = ["```text", help_text(), "```", ""]
    for name in commands():
        sections += [f"## ganlab {name}", "", "```text", help_text(name), "```", ""]
    return "\n".join(sections)


def public_names(module: ModuleType) -> list[str]:
    """Returns the names that a module offers: `__all__`, or what it defines."""
    if hasattr(module, "__all__"):
        names = list(module.__all__)
    else:
        names = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__
            and not name.startswith("_")
        ]
    return [name for name in names if callable(getattr(module, name))]


def api(alias: str) -> str:
    """Returns autodoc directives for the public names of `ganlab.ALIAS`."""
    module = getattr(ganlab, alias, None) or importlib.import_module(f"ganlab.{alias}")
    lines = ["```{eval-rst}"]
    for name in public_names(module):
        value = getattr(module, name)
        lines.append(directive(f"ganlab.{alias}.{name}", value))
    return "\n".join([*lines, "```"])


def directive(path: str, value: object) -> str:
    """Returns the autodoc directive of a class or a function."""
    if inspect.isclass(value):
        return f".. autoclass:: {path}\n   :members:\n"
    return f".. autofunction:: {path}\n"


def write_pages(app: Sphinx) -> None:
    """Writes `docs/_generated`, where a file's content has changed."""
    folder = Path(app.srcdir) / "_generated"
    pages = {
        "settings": settings_table,
        "findings": findings_table,
        "findings_sections": findings_sections,
        "labs": labs_table,
        "log_keys": log_keys_table,
        "command_line": command_line,
    }
    texts = {name: make() for name, make in pages.items()}
    texts |= {f"api_{alias}": api(alias) for alias in MODULES}
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text + "\n":
            path.write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx looks for documents."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
