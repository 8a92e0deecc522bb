"""`ganlab filter`: applies a translator to pictures, without TensorFlow."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, say
from ganlab.errors import RunError, UserError

if TYPE_CHECKING:
    from ganlab.artifacts.filtered_files import BeforeAfter
    from ganlab.artifacts.picture_filter import PictureFilter
    from ganlab.cli.common import Commands

EXAMPLES = """\
examples:
  ganlab filter saved_models/colours photo.jpg --out coloured.jpg
  ganlab filter saved_models/colours photos --out coloured --sheet sheet.png
  ganlab filter saved_models/colours photos --out coloured --resume
"""
FAILED = "%s is left out: %s"


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "filter",
        run,
        summary="apply a translator to pictures of any size, without TensorFlow",
        usage="[OPTIONS] ARTIFACT IN --out OUT",
        epilog=EXAMPLES,
    )
    given = parser.add_argument_group("input")
    given.add_argument(
        "artifact", metavar="ARTIFACT", help="artifact folder of a translator"
    )
    given.add_argument("source", metavar="IN", help="picture, or folder of pictures")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="OUT",
        required=True,
        help="file of a picture (.jpg, .png, .webp), or folder of a folder; names, "
        "opacity and EXIF stay, other formats are written as PNG",
    )
    output.add_argument(
        "--resume", action="store_true", help="skip pictures that are there already"
    )
    output.add_argument(
        "--sheet",
        metavar="FILE.png",
        help="a sheet of the first 16 pictures before and after",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Filters, and prints where the pictures are.

    Raises:
        RunError: if one of them cannot be read.
    """
    from ganlab import pictures
    from ganlab.artifacts.filtered_files import pictures_of, save_sheet
    from ganlab.artifacts.picture_filter import PictureFilter

    source, out = Path(options.source), Path(options.out)
    files = pictures_of(source)
    targets = _targets(files, source, out, options.resume)
    if options.sheet is not None:
        pictures.check_output(options.sheet, (".png",))
    translator = PictureFilter(options.artifact)
    todo = {file: to for file, to in targets.items() if not to.exists()}
    pairs, failed = _filter(translator, todo)
    if options.sheet is not None and pairs:
        save_sheet(pairs, Path(options.sheet), translator.mark)
        say(f"sheet        {options.sheet}")
    say(f"pictures     {out}")
    skipped = len(targets) - len(todo)
    say(f"filtered     {len(todo) - failed}" + (f", {skipped} skipped" * bool(skipped)))
    if translator.attribution:
        say(f"trained on   {translator.attribution}")
    if failed:
        raise RunError(f"{failed} of {len(files)} pictures cannot be read")


def _targets(
    files: list[Path], source: Path, out: Path, resume: bool
) -> dict[Path, Path]:
    """Where each picture goes.

    Raises:
        UserError: if nothing may be written there.
    """
    from ganlab.artifacts.filtered_files import KEPT, output_of
    from ganlab.files import check_new_folder

    if source.is_dir():
        if not resume:
            check_new_folder(
                out, "folder", "exists", "name another with --out, or add --resume"
            )
        return {file: output_of(file, source, out) for file in files}
    if out.suffix.lower() not in KEPT:
        raise UserError(
            f"Expected an output of {', '.join(KEPT)}. Received: {out}; rename it"
        )
    if out.exists() and not resume:
        raise UserError(
            f"Expected a new file. Received: {out}, which exists; name another with "
            "--out, or add --resume"
        )
    return {source: out}


def _filter(
    translator: "PictureFilter", todo: dict[Path, Path]
) -> tuple[list["BeforeAfter"], int]:
    """Filters pictures, and says which cannot be read; the first few, and how many."""
    from tqdm import tqdm

    from ganlab.artifacts.filtered_files import MAX_SHOWN, filter_file
    from ganlab.data.decoding import why_not
    from ganlab.safety.limits import is_of_machine

    pairs: list[BeforeAfter] = []
    failed = 0
    for file, target in tqdm(todo.items(), "filtered", file=sys.stderr, unit="picture"):
        try:
            pair = filter_file(translator, file, target)
        except UserError:
            raise
        except Exception as error:  # Pillow's readers raise any
            if is_of_machine(error):
                raise
            logging.getLogger("ganlab").warning(FAILED, file, why_not(error))
            failed += 1
            continue
        if len(pairs) < MAX_SHOWN:
            pairs.append(pair)
    return pairs, failed
