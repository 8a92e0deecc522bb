"""`ganlab export`: writes the generator of a run as an artifact, and what serves it."""

import argparse
import functools
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.artifacts.card import CARD
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
  ganlab export runs/first --web site           an artifact, and a page of it
  ganlab export saved_models/first --web site   a page of an artifact
  ganlab export saved_models/first --deploy D   image, and folders for servers
"""


def add(commands: "Commands") -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "export",
        run,
        summary="export a run's generator, and verify every format by its images",
        usage="[OPTIONS] RUN|ARTIFACT",
        epilog=EXAMPLES,
    )
    generator = parser.add_argument_group("generator")
    generator.add_argument(
        "directory",
        metavar="RUN",
        help="run folder; with --web or --deploy also the folder of an artifact",
    )
    generator.add_argument(
        "--checkpoint",
        choices=CHECKPOINTS,
        help="the newest checkpoint, or the best, of the lowest FID (default: newest)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--to", metavar="DIR", help="artifact folder (default: saved_models/RUN)"
    )
    output.add_argument(
        "--web",
        metavar="DIR",
        help="also write a page that draws samples in the browser, without a server of "
        "its own (fetches onnxruntime-web from npm once, 33 MB, hash checked)",
    )
    output.add_argument(
        "--deploy",
        metavar="DIR",
        help="also write a Dockerfile, a compose file, a manifest of Kubernetes, and "
        "folders for Triton and TensorFlow Serving",
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
    if (directory / CARD).is_file():
        _export_again(options, directory)
        return
    to = Path(options.to or Path("saved_models") / directory.resolve().name)
    import_tensorflow()
    from ganlab.artifacts import export, model_card
    from ganlab.artifacts.translators import export_translator
    from ganlab.models.saving import load_gan
    from ganlab.runs import load_run

    trained = load_run(directory, watched=True)
    export.check_new_artifact(to)
    model_card.check_license(options.license)
    translates = trained.recipe.model == "translator"
    _check_servings(options, to, translates)
    gan = load_gan(trained.folder.find_checkpoint(options.checkpoint or CHECKPOINTS[0]))
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
    _write_servings(options, to)


def _export_again(options: argparse.Namespace, artifact: Path) -> None:
    """Writes what serves an artifact that is there already, without TensorFlow."""
    of_runs = {
        "--to": options.to,
        "--checkpoint": options.checkpoint,
        "--license": options.license,
    }
    given = [name for name, value in of_runs.items() if value is not None]
    if options.web is None and options.deploy is None:
        raise UserError(
            f"Expected a run folder. Received: {artifact}, an artifact; write what "
            "serves it with --web DIR or --deploy DIR"
        )
    if given:
        raise UserError(
            "Expected --web and --deploy alone with an artifact. Received: "
            f"{', '.join(given)}; leave out what is of runs"
        )
    _check_servings(options, artifact, translates=False)
    _write_servings(options, artifact)


def _check_servings(
    options: argparse.Namespace, artifact: Path, translates: bool
) -> None:
    """Checks before an export what --web and --deploy need.

    Raises:
        UserError: if it cannot be written there, or of this run.
        RunError: if onnxruntime-web cannot be had.
    """
    from ganlab.serving import deploy, onnxruntime_web, static

    if translates and (options.web or options.deploy):
        raise UserError(
            "Expected the run of a GAN, whose samples are served. Received: a "
            "translator's; leave out --web and --deploy"
        )
    if options.web:
        static.check_new_page(options.web)
        onnxruntime_web.fetch()
    if options.deploy:
        deploy.check_new_deployment(options.deploy)
        deploy.check_model_name(artifact.resolve().name)


def _write_servings(options: argparse.Namespace, directory: Path) -> None:
    """Writes what --web and --deploy ask for, of an artifact."""
    from ganlab.artifacts.artifact import Artifact
    from ganlab.serving import deploy, static

    name = directory.resolve().name
    if options.web:
        static.write_page(Artifact(directory), name, options.web)
        say(f"page         python -m http.server --directory {options.web}")
    if options.deploy:
        deploy.write_deployment(Artifact(directory), name, options.deploy)
        say(f"deployment   docker compose --project-directory {options.deploy} up")


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
