"""Reads what anybody may have written, within limits of bytes, depth and digits."""

import json
import re
from pathlib import Path
from typing import Any

from ganlab.errors import UserError, one_line

MAX_DEPTH = 64  # of lists and objects within one another
MAX_DIGITS = 40  # of an integer
MAX_JSON_BYTES = 1 << 24
BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file.

    Raises:
        ValueError: if there are more than `max_bytes`, whatever the file's size says.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"more than {max_bytes:,} bytes")
    return content


def parse_json(text: str) -> Any:
    """The value of a JSON text, which recursive functions may then walk.

    Raises:
        ValueError: if it is no JSON, is nested deeper than `MAX_DEPTH`, or holds an
            integer of more than `MAX_DIGITS` digits.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH}")
    return _DECODER.decode(text)


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The value of a JSON file in UTF-8.

    Raises:
        UserError: if there are more than `max_bytes`, or `parse_json` refuses it.
        OSError: if it cannot be read.
    """
    try:
        return parse_json(read_bytes(path, max_bytes).decode("utf-8-sig"))
    except ValueError as error:
        raise UserError(
            f"Expected JSON in {path}. Received: {one_line(error)}; put back the file "
            "as it was written"
        ) from error


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _is_deep(text: str) -> bool:
    """Whether lists and objects of a JSON text lie too deep within one another."""
    depth = 0
    for token in BRACKETS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in ("]", "}"):
            depth -= 1
    return False
