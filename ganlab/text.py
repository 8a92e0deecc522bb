"""Text that came from a file, a folder's name or a person, made safe to show.

A terminal obeys control characters: they clear it, move the cursor, or forge a line.
matplotlib reads what stands between dollars as mathematics.
"""

import json
import unicodedata
from collections.abc import Iterable

LINE_ENDS = ("Zl", "Zp")
MAX_DRAWN_LENGTH = 200


def printable(text: object) -> str:
    """Text on one line, its control characters written as JSON writes them.

    Written so are all characters that control, that show nothing or that turn the
    direction of writing (Unicode's categories C), and those that end a line.

    >>> printable("two" + chr(10) + "lines, " + chr(27) + "[2J, naïve 猫")
    'two\\\\nlines, \\\\u001b[2J, naïve 猫'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def shortened(text: object, most: int = MAX_DRAWN_LENGTH) -> str:
    """Printable text, cut to some characters.

    >>> shortened("abc", most=2)
    'a…'
    """
    line = printable(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def drawable(text: object) -> str:
    """Shortened text that matplotlib draws as it is, dollars included.

    >>> drawable("a$b$")
    'a\\\\$b\\\\$'
    """
    return shortened(text).replace("$", r"\$")


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few of many names, and how many more there are.

    >>> listed("abc"), listed("abc", most=2), listed([])
    ('a, b, c', 'a, b and 1 more', 'none')
    """
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def _escaped(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "C" or category in LINE_ENDS:
        return json.dumps(character)[1:-1]
    return character
