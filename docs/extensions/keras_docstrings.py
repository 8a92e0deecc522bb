"""Turns Keras-style docstrings, which are Markdown, into reStructuredText.

Links become reStructuredText links, and an indented formula becomes a literal
block. Napoleon reads the sections (`Args:`, `Returns:`) afterwards. A Keras model's
signature is that of its `__init__`.
"""

import inspect
import re
from typing import Any

from sphinx.application import Sphinx

LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s)]+)\)", re.DOTALL)
LITERAL = re.compile(r"(`[^`]+`)([A-Za-z]?)")
SECTION = re.compile(r"^(Args|Example|Examples|Raises|Reference|Returns|Yields):$")


def convert(lines: list[str]) -> list[str]:
    """Returns the docstring's lines as reStructuredText.

    >>> convert(["See [Keras](https://keras.io)."])
    ['See `Keras <https://keras.io>`__.']
    >>> convert(["The loss:", "", "    L_D = 0", "", "More."])
    ['The loss:', '', '::', '', '    L_D = 0', '', 'More.']
    """
    text = LITERAL.sub(_literal, "\n".join(lines))
    text = LINK.sub(_link, text)
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


def _literal(match: re.Match[str]) -> str:
    """A literal with an ending, such as a plural s, which needs an escaped space."""
    return f"{match[1]}\\ {match[2]}" if match[2] else match[1]


def _link(match: re.Match[str]) -> str:
    title = " ".join(match[1].split())
    return f"`{title} <{match[2]}>`__"


def _process(
    app: Sphinx, kind: str, name: str, object_: Any, options: Any, lines: list[str]
) -> None:
    lines[:] = convert(lines)


def _signature(
    app: Sphinx, kind: str, name: str, object_: Any, options: Any, *texts: str | None
) -> tuple[str, str] | None:
    """The signature of `__init__` where Keras hides it behind `*args, **kwargs`."""
    if kind != "class" or texts[0] != "(*args, **kwargs)":
        return None
    _, *parameters = inspect.signature(object_.__init__).parameters.values()
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in parameters
    ]
    return str(inspect.Signature(plain)), ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the conversion, before Napoleon's."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}
