"""`ganlab evaluate`: scores images against real ones."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.cli.common import (
    CHECKPOINTS,
    add_command,
    add_help,
    import_tensorflow,
    natural,
    positive,
    print_json,
    say,
)
from ganlab.errors import RunError, UserError

if TYPE_CHECKING:
    from ganlab.callbacks import StageBars
    from ganlab.cli.common import Commands

EXAMPLES = """\
examples:
  ganlab evaluate saved_models/fashion
  ganlab evaluate runs/first runs/second --checkpoint best
  ganlab evaluate images.npz --data fashion_mnist
  ganlab evaluate runs/first --json > first.json
  ganlab evaluate runs/second --against first.json
  ganlab evaluate --self-test            test the scores themselves
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "evaluate",
        run,
        summary="score images against real ones, several side by side",
        usage="[OPTIONS] [RUN|ARTIFACT|DIR|FILE.npz ...]",
        epilog=EXAMPLES,
    )
    images = parser.add_argument_group("images")
    images.add_argument(
        "subjects",
        metavar="RUN|ARTIFACT|DIR|FILE.npz",
        nargs="*",
        help="run folders, artifacts, folders of images or of shards, npz files",
    )
    images.add_argument(
        "--checkpoint",
        choices=CHECKPOINTS,
        default="newest",
        help="checkpoint of runs: the newest, or the best, of the lowest FID "
        "(default: newest)",
    )
    images.add_argument(
        "--self-test",
        action="store_true",
        help="score sets of real images with known faults instead",
    )
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument(
        "--data",
        metavar="SPEC",
        help="real images (default: those that a run was trained on, or an artifact if "
        "they come with ganlab)",
    )
    protocol.add_argument(
        "--features",
        metavar="SPEC",
        help="fashion_mnist, efficientnet-lite0, inception[:FILE], "
        "keras:NAME[:WEIGHTS], model:FILE or pixels (default: fashion_mnist for "
        "grey images of 28 pixels; otherwise inception if fetched, efficientnet-lite0 "
        "if installed, or pixels)",
    )
    protocol.add_argument(
        "--num-images",
        type=positive,
        default=10_000,
        metavar="N",
        help="largest number of images on each side (default: 10,000)",
    )
    protocol.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="N",
        help="seed of latents and of subsets (default: 0)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--against", metavar="FILE.json", help="compare with scores saved by --json"
    )
    output.add_argument(
        "--write-card",
        action="store_true",
        help="write the scores to the cards of artifacts",
    )
    output.add_argument(
        "--out",
        metavar="FILE.png",
        default="evaluation.png",
        help="picture of the scores (default: evaluation.png)",
    )
    output.add_argument("--json", action="store_true", help="print one JSON document")
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Scores and prints, or tests the scores."""
    if bool(options.subjects) == options.self_test:
        raise UserError(
            "Expected something to evaluate, such as saved_models/fashion, or "
            f"--self-test. Received: {' '.join(options.subjects) or 'neither'}"
            f"{' and --self-test' if options.self_test else ''}"
        )
    if Path(options.out).suffix != ".png":
        raise UserError(f"Expected a picture FILE.png. Received: --out {options.out}")
    import_tensorflow()
    from ganlab.callbacks import StageBars

    bars = StageBars(sys.stderr)
    try:
        (_self_test if options.self_test else _compare)(options, bars)
    finally:
        bars.close()


def _compare(options: argparse.Namespace, bars: "StageBars") -> None:
    from ganlab.evaluation import compare, plot

    earlier = compare.read_scores(options.against) if options.against else {}
    if options.write_card:
        compare.check_cards(options.subjects)
    comparison = compare.compare(
        options.subjects,
        data=options.data,
        features=options.features,
        num_images=options.num_images,
        seed=options.seed,
        checkpoint=options.checkpoint,
        progress=bars,
    )
    bars.close()
    protocol = comparison.reference.protocol
    for earlier_protocol, _ in earlier.values():
        protocol.check_comparable(earlier_protocol)
    compare.warn_of_few(comparison)
    plot.draw(comparison, options.out)
    if options.write_card:
        for name, evaluation in comparison.subjects.items():
            compare.write_card(name, evaluation)
    if options.json:
        print_json(comparison.as_dict())
        return
    columns = {
        name: evaluation.scores for name, evaluation in comparison.subjects.items()
    }
    columns |= {f"{name} (earlier)": scores for name, (_, scores) in earlier.items()}
    if comparison.real is not None:
        columns["real halves"] = comparison.real.scores
    say(*compare.table(columns, protocol.extractor), "")
    say(f"images       {protocol.num_images:,} on each side, of {protocol.data}")
    say(f"features     {protocol.extractor}; resizing: {protocol.resizer}")
    say(f"protocol     {protocol.fingerprint[:12]}")
    say("brackets     95 % bootstrap intervals")
    say(f"picture      {options.out}")


def _self_test(options: argparse.Namespace, bars: "StageBars") -> None:
    from ganlab.data.loading import load_data
    from ganlab.evaluation import calibration, load_reference

    reference = load_reference(
        load_data(options.data or "fashion_mnist"),
        features=options.features,
        num_images=options.num_images,
        seed=options.seed,
        progress=lambda done, count: bars("real features", done, count),
    )
    checks = calibration.self_test(reference, bars)
    bars.close()
    failed = [check for check in checks if not check.passed]
    if options.json:
        print_json([check.as_dict() for check in checks])
    else:
        for check in checks:
            say(check)
        say(f"{len(checks) - len(failed)} of {len(checks)} as expected")
    if failed:
        raise RunError(f"{len(failed)} scores are not what they should be")
