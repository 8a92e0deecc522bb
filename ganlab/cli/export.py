"""`ganlab export`: writes the generator of a run as an artifact."""

import argparse
import functools
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.cli.common import (
    CHECKPOINTS,
    add_command,
    add_help,
    import_tensorflow,
    say,
)
from ganlab.errors import RunError, UserError
from ganlab.safety.interruption import Interrupted
from ganlab.safety.limits import limit_reached

if TYPE_CHECKING:
    from ganlab.cli.common import Commands
    from ganlab.runs import Run


EXAMPLES = """\
examples:
  ganlab export runs/first
  ganlab export runs/first --checkpoint best --to saved_models/best
  ganlab export runs/first --license apache-2.0
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "export",
        run,
        summary="export a run's generator, and verify every format by its images",
        usage="[OPTIONS] RUN",
        epilog=EXAMPLES,
    )
    generator = parser.add_argument_group("generator")
    generator.add_argument("directory", metavar="RUN", help="run folder")
    generator.add_argument(
        "--checkpoint",
        choices=CHECKPOINTS,
        default="newest",
        help="the newest checkpoint, or the best, of the lowest FID (default: newest)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--to", metavar="DIR", help="artifact folder (default: saved_models/RUN)"
    )
    output.add_argument(
        "--license",
        metavar="NAME",
        help="licence of the weights, for the card and README.md (default: not stated)",
    )
    add_help(parser)


def run(options: argparse.Namespace) -> None:
    """Exports, and prints how far the formats differ."""
    directory = Path(options.directory)
    to = Path(options.to or Path("saved_models") / directory.resolve().name)
    import_tensorflow()
    from ganlab.artifacts import export, model_card
    from ganlab.artifacts.translators import export_translator
    from ganlab.models.saving import load_gan
    from ganlab.runs import load_run

    trained = load_run(directory, watched=True)
    export.check_new_artifact(to)
    model_card.check_license(options.license)
    gan = load_gan(trained.folder.find_checkpoint(options.checkpoint))
    common: dict[str, Any] = {
        "training": {
            "data": trained.recipe.data,
            "num_images": trained.num_images,
            "step": int(gan.step.numpy()),
            "recipe": trained.recipe.as_dict()
            if trained.observed is None
            else trained.observed,
        },
        "license": options.license,
        "attribution": trained.attribution,
    }
    translates = trained.recipe.model == "translator"
    try:
        if translates:
            card = export_translator(
                gan, to, background=trained.recipe.background, **common
            )
        else:
            card = export.export_generator(
                gan,
                to,
                score=_score_function(trained, gan),
                class_names=trained.class_names,
                **common,
            )
    except KeyboardInterrupt as stop:
        message = f"stopped exporting; nothing was written to {to}"
        raise Interrupted.of(stop, message) from stop
    except Exception as error:
        limit = limit_reached(error)
        if limit is None:
            raise
        raise RunError(f"{limit}; nothing was written to {to}") from error
    parity = card["parity"]
    differences = parity["max_difference"]
    say(f"artifact     {to}")
    if translates:
        _say_translator(card, to)
        return
    samples = "samples.png" if "samples.png" in card["files"] else "samples.npy"
    say(f"samples      {to / samples}")
    say(f"keras        generator.keras {card['keras']}")
    say(
        f"parity       SavedModel {differences['saved_model']:.1e}, "
        f"ONNX {differences['onnx']:.1e} from Keras (limit {parity['tolerance']:.0e})"
    )
    for name, facts in card["formats"].items():
        say(f"{name:12} {_format_text(facts)}")
    if "training_inference_difference" in parity:
        say(
            f"batch norm   training and inference images differ by "
            f"{parity['training_inference_difference']:.3f} on average, of 2"
        )
    say(f"sample       ganlab sample {to}")


def _say_translator(card: Mapping[str, Any], to: Path) -> None:
    parity = card["parity"]
    sizes = ", ".join(f"{height} x {width}" for height, width in parity["sizes"])
    say(
        f"parity       ONNX {parity['max_difference']['onnx']:.1e} from Keras (limit "
        f"{parity['tolerance']:.0e}), of {sizes} pixels"
    )
    difference = parity["training_inference_difference"]
    say(f"dropout      off; what it would change: {difference:.3f} on average, of 2")
    say(f"filter       ganlab filter {to} IN --out OUT")


def _score_function(trained: "Run", gan: Any) -> Callable[..., Any] | None:
    """What scores each exported format; `None` where its real images are missing."""
    from ganlab import evaluation
    from ganlab.callbacks.progress import StageBars, decoding_bar
    from ganlab.callbacks.watching import load_reference
    from ganlab.data.loading import load_data
    from ganlab.evaluation.artifact_score import score_artifact
    from ganlab.networks.projection import frozen_extractors

    recipe = trained.recipe
    monitoring = trained.monitoring.replace(evaluate_images=evaluation.MAX_IMAGES)
    try:
        data = load_data(
            recipe.data,
            image_size=recipe.image_size,
            channels=recipe.channels,
            background=recipe.background,
            cache=monitoring.cache,
            max_memory=monitoring.max_data_memory,
            progress=decoding_bar(sys.stderr),
        )
        frozen = frozen_extractors(getattr(gan, "discriminator", None))
        reference = load_reference(monitoring, data, frozen, sys.stderr)
    except (UserError, RunError, OSError) as error:
        logging.getLogger("ganlab").warning("The card will state no FID: %s", error)
        return None
    if reference is None:
        return None
    bars = StageBars(sys.stderr)
    return functools.partial(score_artifact, reference, progress=bars)


def _format_text(facts: Mapping[str, Any]) -> str:
    """Size, difference and FID of one format, in one line."""
    text = f"{facts['bytes'] / 1e6:.2f} MB"
    if facts["max_difference"]:
        text += (
            f"; {facts['mean_difference']:.1e} from float32 on average, "
            f"{facts['max_difference']:.1e} at most, of 2"
        )
    if "fid" in facts:
        from ganlab import metrics

        text += f"; FID {metrics.display_score('fid', facts['fid'])}"
    return text
