"""`ganlab verify`: where files of samples come from, and whether they are unchanged."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, say
from ganlab.errors import RunError, UserError, one_line
from ganlab.text import listed

if TYPE_CHECKING:
    from ganlab.cli.common import Commands
    from ganlab.provenance.signing import Verdict

MAX_NAMED = 3
EXAMPLES = """\
examples:
  ganlab verify samples.png
  ganlab verify pictures/*.png --trust authority.pem
  ganlab verify images.npz
  ganlab verify million

The answer is "valid" of a signature by somebody that --trust vouches for,
"valid, signer unknown" of any other whole one, "invalid" of a file that is
changed, and "not signed"; then comes what the mark in the file says, which
anybody can write. Shards are "whole" if every file has the SHA-256 that
manifest.json states. The exit code is 0 if every file is valid or whole, and 1
otherwise.
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "verify",
        run,
        summary="say where files of samples come from, and whether they are unchanged",
        usage="[OPTIONS] FILE...",
        epilog=EXAMPLES,
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, GIF or WebP pictures; .npz, .npy or .csv files, which have a "
        "mark but no signature; or a folder of shards, held to their manifest",
    )
    files.add_argument(
        "--trust",
        metavar="FILE.pem",
        help="certificates of the authorities that vouch for signers (default: none)",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Prints a line for each file.

    Raises:
        RunError: if one of them is not signed, or is invalid.
    """
    from ganlab.provenance import signing

    trusted = signing.read_trusted(options.trust) if options.trust else None
    paths = [_existing(name) for name in options.files]
    bad = 0
    for path in paths:
        if path.is_dir():
            bad += not _is_whole(path)
            continue
        verdict, stated = _examine(path, trusted)
        say(f"{path}: {verdict}; {stated}")
        bad += verdict.state not in ("trusted", "valid")
    if bad:
        raise RunError(f"{bad} of {len(paths)} without a valid signature, or damaged")


def _is_whole(folder: Path) -> bool:
    """Whether the shards of a folder are what its manifest says; says so."""
    from ganlab.shards import manifest

    damaged = manifest.damaged(folder)
    if damaged:
        say(f"{folder}: damaged: {listed(damaged, MAX_NAMED)}")
    else:
        job = manifest.read(folder)["job"]
        say(
            f"{folder}: whole; {job.get('num_images')} samples of seed "
            f"{job.get('seed')}, generator {str(job.get('generator'))[:16]}"
        )
    return not damaged


def _existing(name: str) -> Path:
    path = Path(name)
    if not path.exists():
        raise UserError(
            f"Expected a file or folder to verify. Received: {path}, which is none; "
            "name what ganlab wrote"
        )
    if path.is_dir() and not (path / "manifest.json").is_file():
        raise UserError(
            "Expected files, or a folder of shards with manifest.json. Received: "
            f"{path}; name its files: {path}/*"
        )
    return path


def _examine(path: Path, trusted: str | None) -> tuple["Verdict", str]:
    """What the signature of a file says, and what its mark says."""
    from ganlab.provenance import marks, signing

    verdict = signing.Verdict("unsigned")
    try:
        if path.suffix.lower() in signing.MEDIA_TYPES:
            verdict = signing.verify(path, trusted)
        mark = marks.read_mark(path)
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        return signing.Verdict("invalid", reason=one_line(error)), "no mark"
    if verdict.state == "invalid":
        return verdict, "nothing in it is to be believed"
    return verdict, f"it says: {mark.describe()}" if mark else "no mark"
