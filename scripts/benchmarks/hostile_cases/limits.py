"""Machines without memory, disk, open files, a home or a folder that may be written."""

import os
from pathlib import Path

from hostile_cases.case import Case

SHIPPED = Path(__file__).resolve().parents[3] / "saved_models" / "fashion"
RING = ("train", "--data", "ring", "--preset", "r3gan", "--set", "log_every=5")
TRAIN = (*RING, "--set", "checkpoint_every=10", "--steps", "30", "--out")
LONG = (*RING, "--set", "checkpoint_every=10", "--steps", "100000", "--out")
SAMPLE = ("sample", str(SHIPPED), "--out")
READ_ONLY = "mkdir d; mount -t tmpfs none d; mount -o remount,ro d"
DISK = "mkdir d; mount -t tmpfs -o size={} none d"
AT_CHECKPOINT = """\
(for second in {{1..600}}
do sleep 0.1; ls run/checkpoints/step-*.keras && {{ {}; break; }}
done) > /dev/null 2>&1 &"""
NOT_TEXT = os.fsdecode(b"a\xff")


def nothing(folder: Path) -> None:
    """There is no input."""


def limit(
    name: str, before: str, *command: str, out: str = "run", taken: bool = False
) -> Case:
    return Case("limits", name, nothing, (*(command or TRAIN), out), taken, before)


CASES = [
    limit("a read-only folder to train into", READ_ONLY, out="d/run"),
    limit("a read-only folder to sample into", READ_ONLY, *SAMPLE, out="d/a.png"),
    limit("no home", "unset HOME XDG_CACHE_HOME", taken=True),
    limit("a read-only home", f"{READ_ONLY}; export HOME=$PWD/d", taken=True),
    *(
        limit(f"a disk of {size} to train on", DISK.format(size), out="d/run")
        for size in ("8k", "24k", "100k", "2m", "15m")
    ),
    *(
        limit(
            f"a disk of 8k to sample on, as {name}",
            DISK.format("8k"),
            *SAMPLE,
            out=f"d/{name}",
        )
        for name in ("a.png", "a.npy", "a.npz", "folder")
    ),
    limit(
        "a disk of 8k to interpolate on",
        DISK.format("8k"),
        *SAMPLE[:-1],
        *("--interpolate", "1", "2", "--out"),
        out="d/a.gif",
    ),
    limit(
        "an empty volume to sample into",
        DISK.format("4m"),
        *SAMPLE,
        out="d",
        taken=True,
    ),
    limit("a folder deleted in the middle", AT_CHECKPOINT.format("rm -rf run"), *LONG),
    limit("a folder moved in the middle", AT_CHECKPOINT.format("mv run r"), *LONG),
    limit("no folder for temporary files", "export TMPDIR=/nothing", taken=True),
    *(
        limit(f"{size} MB of memory to train in", f"ulimit -v {size}000")
        for size in (200, 1500, 2000, 2500)
    ),
    *(
        limit(f"{size} MB of memory to sample in", f"ulimit -v {size}000", *SAMPLE)
        for size in (150, 300)
    ),
    limit("6 open files", "ulimit -n 6"),
    limit("a name of control characters", ":", out="a\x1b[2J\nb", taken=True),
    limit("a name that is no text", ":", out=NOT_TEXT),
    limit(
        "a name that is no text to sample into",
        ":",
        *SAMPLE,
        out=f"{NOT_TEXT}.png",
        taken=True,
    ),
]
