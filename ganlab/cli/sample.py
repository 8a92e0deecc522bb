"""`ganlab sample`: samples from an artifact, without TensorFlow."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganlab.cli.common import add_command, add_help, natural, positive, say
from ganlab.cli.sample_shards import add_options, check_options, run_shards

if TYPE_CHECKING:
    import numpy as np

    from ganlab.artifacts.artifact import Artifact
    from ganlab.cli.common import Commands
    from ganlab.provenance.marks import Mark

EXAMPLES = """\
examples:
  ganlab sample saved_models/fashion
  ganlab sample saved_models/fashion --label Bag --num-images 16 --out bags.png
  ganlab sample saved_models/fashion --num-images 1000 --out images.npz
  ganlab sample saved_models/fashion --format int8
  ganlab sample saved_models/fashion --interpolate 1 2 --out walk.gif
  ganlab sample saved_models/series --num-images 1000 --out series.csv
  ganlab sample saved_models/fashion --num-images 1000000 --shards 64 --out all
"""
NUM_IMAGES, NUM_IN_FRAME = 64, 16
FORMATS = ("float32", "float16", "int8")


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "sample",
        run,
        summary="sample images from an artifact, without TensorFlow",
        usage="[OPTIONS] ARTIFACT",
        epilog=EXAMPLES,
    )
    generator = parser.add_argument_group("generator")
    generator.add_argument("artifact", metavar="ARTIFACT", help="artifact folder")
    generator.add_argument(
        "--format",
        choices=FORMATS,
        default="float32",
        help="number format of the weights: int8 is smallest, and fastest on a CPU "
        "where feature maps are large; float16 is for GPUs; the card states how far "
        "their images differ (default: float32)",
    )
    images = parser.add_argument_group("images")
    images.add_argument(
        "--num-images",
        type=positive,
        metavar="N",
        help=f"number of images (default: {NUM_IMAGES}), or of those in a frame with "
        f"--interpolate (default: {NUM_IN_FRAME})",
    )
    images.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="N",
        help="seed of the latents (default: 0)",
    )
    images.add_argument(
        "--label",
        metavar="K",
        help="class, by number or name (default: every class in turn)",
    )
    images.add_argument(
        "--truncation",
        type=float,
        metavar="T",
        help="cut latents off at T: less variety (default: no truncation)",
    )
    images.add_argument(
        "--interpolate",
        type=natural,
        nargs=2,
        metavar=("SEED", "SEED"),
        help="animate the interpolation between two seeds",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="PATH",
        help="FILE.png for a grid, FILE.npy or FILE.npz for arrays, or a folder for "
        "PNG files (default: samples.png); FILE.gif or FILE.webp with --interpolate "
        "(default: samples.gif). What is no image: FILE.npy, FILE.npz or, of vectors "
        "and series, FILE.csv (default: samples.npy)",
    )
    output.add_argument(
        "--sign",
        metavar="KEY.pem",
        help="sign pictures by C2PA with your private key, which stands with its "
        "certificates in this file (default: pictures are marked, not signed)",
    )
    add_options(parser)
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Samples, and prints where the samples are."""
    from ganlab import pictures
    from ganlab.artifacts.artifact import Artifact

    check_options(options)
    artifact = Artifact(options.artifact, options.format)
    if options.shards is not None:
        options.num_images = options.num_images or NUM_IMAGES
        run_shards(options, artifact)
        _say_attribution(artifact)
        return
    animated = options.interpolate is not None
    num_images = options.num_images or (NUM_IN_FRAME if animated else NUM_IMAGES)
    columns: int | None = None
    labels: Sequence[int] | np.ndarray | None = None
    if options.label is not None:
        labels = [artifact.label(options.label)] * num_images
    elif artifact.conditional:
        columns = len(artifact.class_names)
        labels = artifact.labels(num_images)
    pictorial = artifact.kind.pictorial
    suffixes: tuple[str, ...]
    if animated:
        out = options.out or ("samples.gif" if pictorial else "samples.npy")
        suffixes = pictures.ANIMATION_SUFFIXES if pictorial else (".npy",)
        pictures.check_output(out, suffixes)
        mark = _mark(artifact, options.interpolate, out, options.sign)
        start, end = options.interpolate
        frames = artifact.interpolate(start, end, num_images, labels=labels)
        if pictorial:
            pictures.save_animation(frames, out, mark)
        else:
            pictures.save_arrays(frames, out, mark=mark)
    else:
        out = options.out or ("samples.png" if pictorial else "samples.npy")
        suffixes = pictures.array_suffixes(artifact.image_shape)
        pictures.check_output(out, pictures.PICTURE_SUFFIXES if pictorial else suffixes)
        mark = _mark(artifact, [options.seed], out, options.sign)
        samples = artifact.sample(
            num_images, options.seed, labels, truncation=options.truncation
        )
        if pictorial:
            pictures.save(samples, out, labels, columns, mark)
        else:
            pictures.save_arrays(samples, out, labels, mark)
    say(out)
    _say_attribution(artifact)


def _say_attribution(artifact: "Artifact") -> None:
    if artifact.attribution:
        say(f"trained on   {artifact.attribution}")


def _mark(
    artifact: "Artifact", seeds: Sequence[int], out: str, key: str | None
) -> "Mark":
    """What the files say of where the samples come from; signed with a key."""
    mark = artifact.mark(*seeds)
    if key is None:
        return mark
    from ganlab.provenance import signing

    signing.check_signable(out)
    return dataclasses.replace(mark, signer=signing.Signer(key))
