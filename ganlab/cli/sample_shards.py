"""`ganlab sample --shards`: options, and the job that they ask for."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.cli.common import positive, say
from ganlab.errors import UserError

if TYPE_CHECKING:
    from ganlab.artifacts.artifact import Artifact

SHARD_FORMATS = ("tar", "tfrecord", "parquet")
ONLY_WITH_SHARDS = ("shard_format", "workers", "resume")
NOT_WITH_SHARDS = ("interpolate", "sign")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of shards."""
    shards = parser.add_argument_group("shards, for a million images")
    shards.add_argument(
        "--shards",
        type=positive,
        metavar="N",
        help="write N files of many images into the folder --out, and manifest.json "
        "with their SHA-256; image i depends on generator, seed and i alone, and is "
        "another than image i without --shards",
    )
    shards.add_argument(
        "--shard-format",
        choices=SHARD_FORMATS,
        help="tar (WebDataset) and tfrecord hold PNG, parquet the pixels themselves, "
        "or samples of any shape (default: tar)",
    )
    shards.add_argument(
        "--workers",
        type=positive,
        metavar="M",
        help="processes that draw, one thread each (default: one a core)",
    )
    shards.add_argument(
        "--resume",
        action="store_true",
        default=None,
        help="go on with a folder that was begun: whole shards stay",
    )


def check_options(options: argparse.Namespace) -> None:
    """Refuses options that would have no effect.

    Raises:
        UserError: for an option of shards without --shards, or the reverse.
    """
    if options.shards is None:
        _refuse(options, ONLY_WITH_SHARDS, "--shards N", "without it")
        return
    _refuse(options, NOT_WITH_SHARDS, "no such option", "beside --shards")
    if not options.out or Path(options.out).suffix:
        raise UserError(
            "Expected --out FOLDER for shards. Received: "
            f"{options.out or 'none'}; name a folder"
        )


def _refuse(
    options: argparse.Namespace, names: tuple[str, ...], expected: str, where: str
) -> None:
    for name in names:
        if getattr(options, name) is not None:
            option = "--" + name.replace("_", "-")
            raise UserError(
                f"Expected {expected}. Received: {option} {where}; leave it out"
            )


def run_shards(options: argparse.Namespace, artifact: "Artifact") -> None:
    """Writes shards, and prints where they are."""
    from tqdm import tqdm

    from ganlab.safety.limits import usable_cores
    from ganlab.shards.job import job_of
    from ganlab.shards.sample import sample_shards

    label = None if options.label is None else artifact.label(options.label)
    job = job_of(
        artifact,
        num_images=options.num_images,
        num_shards=options.shards,
        shard_format=options.shard_format or "tar",
        seed=options.seed,
        label=label,
        truncation=options.truncation,
    )
    bar: Any = tqdm(
        total=job.num_images,
        desc="Sampling",
        unit=" images",
        unit_scale=True,
        file=sys.stderr,
        disable=None,
    )
    with bar:
        sample_shards(
            options.artifact,
            job,
            artifact.mark(options.seed),
            options.out,
            workers=options.workers or usable_cores(),
            resume=bool(options.resume),
            progress=bar.update,
        )
    say(Path(options.out) / "manifest.json")
