"""What a command left below the current folder: exits with 1 if it is half done."""

import sys
from pathlib import Path

from ganlab.safety.sealed import damage

HALF = [
    str(path)
    for path in Path().rglob("*")
    if path.is_file()
    and (
        (path.name.startswith(".") and path.name != ".lock")
        or (path.suffix == ".keras" and damage(path) is not None)
    )
]
print(*(f"half done: {path!r}" for path in HALF), sep="\n", end="")
sys.exit(bool(HALF))
