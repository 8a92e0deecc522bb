"""Logs of other trainers: what is not understood is said, and nothing is judged."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

from hostile_cases.case import DEEP, ESCAPES, Case

ROWS = [(step, 1.0 + step / 1000, 2.0 - step / 1000) for step in range(0, 1000, 10)]


def file_of(name: str, content: str | bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)

    return write


def table(*names: str, rows: list = ROWS) -> str:
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def csv(name: str, content: str | bytes, *, taken: bool = True) -> Case:
    return Case(
        "CSV", name, file_of("log.csv", content), ("diagnose", "log.csv"), taken
    )


def lines(name: str, content: str, *, taken: bool = True) -> Case:
    write = file_of("log.jsonl", content)
    return Case("JSON lines", name, write, ("diagnose", "log.jsonl"), taken)


def events(name: str, content: bytes) -> Case:
    write = file_of("events.out.tfevents.1.host", content)
    return Case("events", name, write, ("diagnose", "."), taken=True)


NAMES = ("step", "d_loss", "g_loss")
RECORDS = [json.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS]
CASES = [
    csv("a quote that is not closed in 200 kB", '"step,' + "x" * 200_000),
    csv("one line of 5 MB", "step,d_loss\n" + "1" * 5_000_000),
    csv(
        "a number of 5,000 digits",
        table(*NAMES, rows=[("9" * 5000, 1, 1), *ROWS]),
    ),
    csv("a column of control characters", table("step", f"d{ESCAPES[:4]}", "g_loss")),
    csv("a column of mathematics", table("step", r"$\frac{", "g_loss")),
    csv("100,000 columns", ",".join(f"c{k}" for k in range(100_000)) + "\n1\n"),
    csv("bytes of zero", b"step,d_loss,g_loss\n" + b"\x00" * 5000),
    csv("bytes that are no text", bytes(range(256)) * 40),
    csv(
        "numbers that are not finite",
        table(*NAMES, rows=[(1, "inf", "nan"), *ROWS]),
    ),
    csv("an empty file", ""),
    lines("a line 200,000 levels deep", "\n".join([*RECORDS, DEEP])),
    lines(
        "a step of 5,000 digits",
        "\n".join(['{"step": ' + "9" * 5000 + "}", *RECORDS]),
    ),
    lines("200,000 levels of names", '{"a":' * 200_000),
    lines("lines that are lists", "[1]\n" * 500),
    events("bytes that are no events", b"no events at all" * 100),
    events("a record of 2^60 bytes", struct.pack("<QI", 1 << 60, 0) + b"x" * 100),
    events("an empty file", b""),
    Case(
        "events",
        "a folder of control characters",
        lambda folder: (folder / ESCAPES).mkdir(),
        ("diagnose", ESCAPES),
    ),
]
