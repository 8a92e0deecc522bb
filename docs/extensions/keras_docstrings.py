"""Turns Keras-style docstrings, which are Markdown, into reStructuredText.

Links become reStructuredText links, and an indented formula becomes a literal
block. Napoleon reads the sections (`Args:`, `Returns:`) afterwards.
"""

import re
from typing import Any

from sphinx.application import Sphinx

LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)", re.DOTALL)
SECTION = re.compile(r"^[A-Z][A-Za-z ]*:$")


def convert(lines: list[str]) -> list[str]:
    """Returns the docstring's lines as reStructuredText.

    >>> convert(["See [Keras](https://keras.io)."])
    ['See `Keras <https://keras.io>`__.']
    >>> convert(["The loss:", "", "    L_D = 0", "", "More."])
    ['The loss:', '', '::', '', '    L_D = 0', '', 'More.']
    """
    text = LINK.sub(_link, "\n".join(lines))
    converted: list[str] = []
    in_section = in_block = False
    for line in text.split("\n"):
        indented = line.startswith("    ")
        if SECTION.match(line):
            in_section = True
        elif line and not indented:
            in_section = False
        starts_block = indented and not in_section and not in_block
        if starts_block and (not converted or not converted[-1]):
            converted += ["::", ""]
            in_block = True
        elif line and not indented:
            in_block = False
        converted.append(line)
    return converted


def _link(match: re.Match[str]) -> str:
    title = " ".join(match[1].split())
    return f"`{title} <{match[2]}>`__"


def _process(
    app: Sphinx, kind: str, name: str, object_: Any, options: Any, lines: list[str]
) -> None:
    lines[:] = convert(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the conversion, before Napoleon's."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    return {"parallel_read_safe": True}
