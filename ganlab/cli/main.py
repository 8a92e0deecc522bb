"""What does a person type?

The only file that prints or exits: results on stdout, progress and logs on
stderr; 0 done, 1 a failed run, 2 a mistake in what was asked.
"""

import argparse
import json
import logging
import os
import re
import sys
from pathlib import Path

from ganlab import __version__
from ganlab.config.choices import DTYPE_POLICIES
from ganlab.config.command import parse_assignment
from ganlab.config.presets import PRESETS, get_preset
from ganlab.config.settings import Monitoring, Recipe, split_settings
from ganlab.errors import RunError, UserError

TRAIN_EXAMPLES = """examples:
  ganlab train                            embedded Fashion-MNIST: 3 minutes on 2 cores
  ganlab train --preset r3gan --data ring two dimensions: the game, as pictures
  ganlab train --preset small-data --data folder:photos --image-size 64
  ganlab train --loss hinge --regularizer r1 --set beta_1=0
  ganlab train --data tfds:cifar10 --dtype-policy mixed_float16 --out runs/cifar
  ganlab train --out runs/cifar --resume --steps 50000
  tensorboard --logdir runs               watch every run
"""

SAMPLE_EXAMPLES = """examples:
  ganlab sample saved_models/fashion
  ganlab sample saved_models/fashion --label Bag --num-images 16 --out bags.png
  ganlab sample saved_models/fashion --num-images 1000 --out images.npz
  ganlab sample saved_models/fashion --format int8
  ganlab sample saved_models/fashion --interpolate 1 2 --out walk.gif
"""


EVALUATE_EXAMPLES = """examples:
  ganlab evaluate saved_models/fashion
  ganlab evaluate runs/first runs/second --checkpoint best
  ganlab evaluate images.npz --data fashion_mnist
  ganlab evaluate runs/first --json > first.json
  ganlab evaluate runs/second --against first.json
  ganlab evaluate --self-test            do the scores say what they should?
"""

CHECK_EXAMPLES = """examples:
  ganlab check                            the default preset on Fashion-MNIST
  ganlab check --data folder:photos --image-size 64 --set beta_1=0.9
"""

DIAGNOSE_EXAMPLES = """examples:
  ganlab diagnose runs/first              report.html, report.md and report.json in it
  ganlab diagnose runs/first runs/second  what differs
  ganlab diagnose runs/first --remedy-trials
  ganlab diagnose log.csv --json          columns step,d_loss,g_loss[,seconds][,fid]
"""

LAB_EXAMPLES = """examples:
  ganlab lab list
  ganlab lab run ring-collapse            half a minute; pictures in labs/ring-collapse
  ganlab lab run all
"""


def main(argv=None):
    """Runs the command line; returns the exit code."""
    parser = build_parser()
    options = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", force=True)
    try:
        options.run(options)
    except UserError as error:
        print(f"ganlab: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ganlab: {_describe(error)}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"ganlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ganlab: stopped; go on with --resume", file=sys.stderr)
        return 130
    return 0


def _describe(error):
    if error.filename is None:
        return error
    return (
        f"Expected to read or write {error.filename}. Received: {error.strerror}; "
        "check the path and its permissions"
    )


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser():
    """Returns the parser of every command."""
    parser = _Parser(
        prog="ganlab",
        description="Train GANs with Keras, know why one is failing, and ship the "
        "generator that works.",
        epilog="`ganlab COMMAND --help` says more.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_train(commands)
    _add_check(commands)
    _add_diagnose(commands)
    _add_lab(commands)
    _add_export(commands)
    _add_sample(commands)
    _add_evaluate(commands)
    _add_fetch_inception(commands)
    return parser


def _add_command(commands, name, run, summary, examples=None):
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_train(commands):
    parser = _add_command(
        commands, "train", _train, "train a GAN into a run folder", TRAIN_EXAMPLES
    )
    _add_settings(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in --out"
    )
    parser.add_argument(
        "--on-failure",
        choices=("none", "warn", "stop", "rollback"),
        default="warn",
        help="of a critical finding: warn (default), stop, or roll back to the best "
        "checkpoint with a change",
    )
    parser.add_argument(
        "--max-rollbacks",
        type=_positive,
        default=2,
        metavar="N",
        help="how often, at most (default 2)",
    )


def _add_settings(parser):
    """The options that say what a run is made of."""
    add = parser.add_argument
    add("--preset", help=f"{', '.join(PRESETS)} (default dcgan)")
    add(
        "--data",
        metavar="SPEC",
        help="fashion_mnist (embedded, the default), folder:DIR, npz:FILE, "
        "idx:DIR[:train|:test], tfds:NAME[/CONFIG][:SPLIT], or ring or grid, "
        "Gaussians in the plane",
    )
    add("--out", metavar="DIR", help="run folder (default runs/PRESET-DATA)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs", type=_positive, metavar="N", help="passes over the data"
    )
    length.add_argument(
        "--steps", type=_positive, metavar="N", help="generator updates in all"
    )
    add("--batch-size", type=_positive, metavar="N", help="real images a step")
    add(
        "--seed", type=_natural, metavar="N", help="the same seed draws the same images"
    )
    add("--image-size", type=_positive, metavar="N", help="pixels a side, 16 to 128")
    add("--channels", type=int, choices=(1, 3), help="1 for grey, 3 for colour")
    add("--flip", action="store_true", default=None, help="mirror images at random")
    add("--cache", choices=("memory", "disk"), help="where decoded images are kept")
    add("--network", metavar="NAME", help="dcgan (default), resnet or r3gan")
    add(
        "--loss",
        metavar="NAME",
        help="minimax, non_saturating, least_squares, hinge, wasserstein, "
        "relativistic or relativistic_average",
    )
    add(
        "--regularizer",
        metavar="NAME",
        help="none, gradient_penalty, r1, r2, dragan, lecam or weight_clipping; "
        "joined by +, such as r1+r2",
    )
    add("--augmentation", metavar="NAME", help="none, diffaugment or ada")
    add("--label-smoothing", type=float, metavar="S", help="one-sided, 0 to 0.5")
    add(
        "--conditional",
        action=argparse.BooleanOptionalAction,
        help="give both players the class (default: where the data has classes)",
    )
    add("--dtype-policy", metavar="NAME", help=", ".join(DTYPE_POLICIES))
    add(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="any setting, such as discriminator_steps=5; a wrong name lists all",
    )


def _add_check(commands):
    parser = _add_command(
        commands,
        "check",
        _check,
        "look for mistakes before training, with one batch",
        CHECK_EXAMPLES,
    )
    _add_settings(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _add_diagnose(commands):
    parser = _add_command(
        commands,
        "diagnose",
        _diagnose,
        "name what went wrong in a run, with evidence and a remedy",
        DIAGNOSE_EXAMPLES,
    )
    add = parser.add_argument
    add("subjects", metavar="RUN|FILE.csv", nargs="+", help="one, or two to compare")
    add("--json", action="store_true", help="print one JSON document")
    add(
        "--out",
        metavar="DIR",
        help="where report.html, .md and .json go (default: the run, or FILE-report; "
        "of a file with --json nowhere)",
    )
    add(
        "--remedy-trials",
        action="store_true",
        help="train a short branch for each remedy first, and keep the best",
    )
    add(
        "--trial-steps",
        type=_positive,
        default=1000,
        metavar="N",
        help="how far branches go (default 1000)",
    )


def _add_lab(commands):
    parser = _add_command(
        commands, "lab", _lab, "make a failure happen, and cure it", LAB_EXAMPLES
    )
    add = parser.add_argument
    add("action", choices=("list", "run"))
    add("name", nargs="?", help="a name of the list, or all")
    add("--out", metavar="DIR", help="folder of the lab (default labs/NAME)")
    add("--seed", type=_natural, default=0, metavar="N", help="default 0")
    add("--json", action="store_true", help="print one JSON document")


def _add_export(commands):
    parser = _add_command(
        commands,
        "export",
        _export,
        "export a run's generator, proven to be the same: SavedModel, Keras, and ONNX "
        "in float32, float16 and int8",
    )
    parser.add_argument("directory", metavar="RUN", help="run folder")
    parser.add_argument(
        "--to", metavar="DIR", help="artifact folder (default saved_models/RUN)"
    )
    parser.add_argument(
        "--checkpoint",
        choices=("newest", "best"),
        default="newest",
        help="best: nearest to the real images (default newest)",
    )


def _add_sample(commands):
    parser = _add_command(
        commands, "sample", _sample, "draw images, without TensorFlow", SAMPLE_EXAMPLES
    )
    add = parser.add_argument
    add("artifact", metavar="ARTIFACT", help="artifact folder")
    add("--num-images", type=_positive, metavar="N", help="how many (default 64)")
    add("--seed", type=_natural, default=0, metavar="N", help="default 0")
    add("--label", metavar="K", help="class, by number or name (default: each in turn)")
    add(
        "--format",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="int8 is smallest, and fastest on a CPU where maps are large; float16 is "
        "for GPUs; the card says how far they differ (default %(default)s)",
    )
    add(
        "--truncation",
        type=float,
        metavar="T",
        help="cut the noise off at T: less variety",
    )
    add(
        "--interpolate",
        type=_natural,
        nargs=2,
        metavar=("SEED", "SEED"),
        help="animate the way between two seeds",
    )
    add(
        "--out",
        metavar="FILE.png|FILE.npz|DIR",
        help="grid, array or folder of PNG files; FILE.gif or FILE.webp with "
        "--interpolate (default samples.png, or samples.gif)",
    )


def _add_evaluate(commands):
    parser = _add_command(
        commands,
        "evaluate",
        _evaluate,
        "score images against real ones, several side by side",
        EVALUATE_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "subjects",
        metavar="RUN|ARTIFACT|DIR|FILE.npz",
        nargs="*",
        help="runs, artifacts, folders of images, npz files",
    )
    add("--data", metavar="SPEC", help="real images (default: what it was trained on)")
    add(
        "--features",
        metavar="SPEC",
        help="fashion_mnist, inception[:FILE], keras:NAME[:WEIGHTS], model:FILE or "
        "pixels (default: the first for 28-pixel grey images; otherwise inception if "
        "fetched, or pixels)",
    )
    add(
        "--num-images",
        type=_positive,
        default=10_000,
        metavar="N",
        help="images on each side, at most (default 10,000)",
    )
    add("--seed", type=_natural, default=0, metavar="N", help="default 0")
    add(
        "--checkpoint",
        choices=("newest", "best"),
        default="newest",
        help="of a run (default newest)",
    )
    add("--json", action="store_true", help="print one JSON document")
    add(
        "--out",
        metavar="FILE.png",
        default="evaluation.png",
        help="picture of the scores (default %(default)s)",
    )
    add("--against", metavar="FILE.json", help="earlier scores, from --json, beside")
    add("--write-card", action="store_true", help="put the scores on artifacts' cards")
    add(
        "--self-test",
        action="store_true",
        help="score sets of real images with known faults instead",
    )


def _add_fetch_inception(commands):
    _add_command(
        commands,
        "fetch-inception",
        _fetch_inception,
        "download the network that published FIDs mean (91 MiB), hash checked",
    )


def _positive(text):
    return _whole_number(text, least=1)


def _natural(text):
    return _whole_number(text, least=0)


def _whole_number(text, least):
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of {least} or more, received {text!r}"
        )
    return int(text)


def _train(options):
    recipe, monitoring, given = read_settings(options)
    _import_tensorflow()
    from ganlab.diagnosis import report
    from ganlab.runs import RunFolder, load_run
    from ganlab.training.train import train

    out = _run_folder(options, recipe)
    if options.resume:
        run = load_run(out)
        recipe = _resumed(run.recipe, options.preset, given)
        monitoring = run.monitoring.replace(**split_settings(given)[1])
    else:
        RunFolder(out).check_new()
    run = train(
        recipe,
        out,
        monitoring=monitoring,
        on_failure=options.on_failure,
        max_rollbacks=options.max_rollbacks,
        epochs=options.epochs,
        resume=options.resume,
        stream=sys.stderr,
    )
    found = report.examine(run.folder.path)
    page = report.write(found, run.folder.path)
    print(f"run          {run.folder}")
    print(f"verdict      {found.verdict}")
    print(f"report       {page}")
    print(f"pictures     {run.folder.samples}")
    print(f"tensorboard  tensorboard --logdir {run.folder.tensorboard}")
    if run.data_kind.pictorial:
        print(f"export       ganlab export {run.folder}")


def read_settings(options):
    """The `Recipe` and `Monitoring` of the options, and a dict of what they gave."""
    fields = [
        "data",
        "batch_size",
        "seed",
        "image_size",
        "channels",
        "flip",
        "cache",
        "network",
        "loss",
        "label_smoothing",
        "regularizer",
        "augmentation",
        "conditional",
        "dtype_policy",
        "steps",
    ]
    given = {
        name: getattr(options, name)
        for name in fields
        if getattr(options, name) is not None
    }
    given |= dict(parse_assignment(text) for text in options.set)
    changes, watching = split_settings(given)
    recipe = get_preset(options.preset or "dcgan").replace(**changes)
    return recipe, Monitoring(**watching), given


def _run_folder(options, recipe):
    data = re.sub(r"[^a-zA-Z0-9_]+", "-", recipe.data).strip("-")
    return Path(options.out or Path("runs") / f"{recipe.preset}-{data}")


def _check(options):
    recipe, monitoring, _ = read_settings(options)
    _import_tensorflow()
    from ganlab.callbacks.progress import decoding_bar
    from ganlab.training import preflight

    found = preflight.check(recipe, monitoring.cache, decoding_bar(sys.stderr))
    if options.json:
        print(json.dumps([each.as_dict() for each in found], indent=2))
    else:
        for each in found:
            print(f"{each.severity:8}  {each.says}")
            print(f"          {each.fix}{_as_options(each.changes)}")
        if not found:
            print("nothing found: the settings, the data and one batch look right")
    if any(each.severity == "critical" for each in found):
        raise RunError("the run would fail; mend what is critical first")


def _as_options(changes):
    from ganlab.config.command import as_assignments

    said = [f"--set {each}" for each in as_assignments(changes).split()]
    return f": {' '.join(said)}" if said else ""


def _diagnose(options):
    from ganlab.diagnosis import report

    if len(options.subjects) > 2:
        raise UserError(
            "Expected one or two runs or files to diagnose. Received: "
            f"{len(options.subjects)}"
        )
    if options.remedy_trials:
        if len(options.subjects) > 1:
            raise UserError("Expected one run for --remedy-trials. Received: 2")
        _import_tensorflow()
        from ganlab.training.remedy_trials import try_remedies

        try_remedies(options.subjects[0], steps=options.trial_steps, stream=sys.stderr)
    found = [report.examine(path) for path in options.subjects]
    if len(found) == 2:
        _compare_reports(options, *found)
        return
    (found,) = found
    source = Path(options.subjects[0])
    run = source.is_dir()
    page = None
    if run or options.out or not options.json:
        out = Path(options.out or (source if run else f"{source.stem}-report"))
        page = report.write(found, out)
    if options.json:
        print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
        return
    print(found.verdict)
    for each in found.findings:
        print(f"\n{each.severity:8}  {each.failure.title}, since {each.since_step:,}")
        for one in each.evidence:
            print(f"          {one['says']}")
        print(f"          remedy: {each.failure.remedy}")
    for each in found.trials:
        distance = each["fid"]
        print(
            f"trial     {each['name']}: FID "
            f"{'none' if distance is None else f'{distance:.3g}'}"
            f"{', kept' if each['kept'] else ''}"
        )
    if found.command:
        print(f"\nchange    {found.command}")
    if found.best is not None:
        print(f"best      step {found.best['step']:,}")
    for problem in found.log.problems:
        print(f"note      {problem}")
    print(f"report    {page}")


def _compare_reports(options, first, second):
    from ganlab.diagnosis import html, report
    from ganlab.files import write_text

    out = Path(options.out or "comparison")
    text = report.compare(first, second)
    write_text(out / "comparison.md", text)
    page = out / "comparison.html"
    write_text(page, html.draw_both(first, second, text))
    if options.json:
        both = [each.as_dict() for each in (first, second)]
        print(json.dumps(both, indent=2, ensure_ascii=False))
        return
    print(text)
    print(f"report    {page}")


def _lab(options):
    from ganlab.labs.catalogue import LABS, get_lab

    if options.action == "list":
        if options.json:
            about = [{"name": each.name, "claim": each.claim} for each in LABS]
            print(json.dumps(about, indent=2))
            return
        width = max(len(each.name) for each in LABS)
        for each in LABS:
            print(f"{each.name:{width}}  {each.claim}")
        return
    if options.name is None:
        raise UserError(
            "Expected the name of a lab. Received: none; see ganlab lab list"
        )
    labs = LABS if options.name == "all" else [get_lab(options.name)]
    _import_tensorflow()
    from ganlab.labs.run import run_lab

    results = []
    for lab in labs:
        root = Path(options.out or Path("labs"))
        out = root / lab.name if len(labs) > 1 or not options.out else root
        found = run_lab(lab, out, seed=options.seed, stream=sys.stderr)
        results.append(found)
        if not options.json:
            _print_lab(lab, found, out)
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    if not all(each["shown"] for each in results):
        missed = [each["lab"] for each in results if not each["shown"]]
        raise RunError(f"not shown: {', '.join(missed)}; look at the pictures")


def _print_lab(lab, found, out):
    from ganlab.config.command import as_assignments

    print(f"{lab.name}: {lab.claim}")
    print(f"  {lab.theory}")
    for arm in ("failing", "cured"):
        print(f"  {arm:8} {found[arm]['verdict']}")
    for key in lab.log_keys:
        before, after = (found[arm]["measured"][key] for arm in ("failing", "cured"))
        shown = ["none" if each is None else f"{each:.3g}" for each in (before, after)]
        print(f"  {key:24} {shown[0]:>10} -> {shown[1]}")
    print(f"  remedy   {as_assignments(lab.remedy)}")
    print(f"  picture  {out / 'lab.png'}\n")


def _resumed(recipe, preset, given):
    """The run's recipe, with its length changed; other changes are refused."""
    changed = {
        name: value
        for name, value in {**given, **({"preset": preset} if preset else {})}.items()
        if name != "steps"
        and name in Recipe.__dataclass_fields__
        and getattr(recipe, name) != value
    }
    if changed:
        name, value = next(iter(changed.items()))
        raise UserError(
            f"Expected --resume with the run's own {name.replace('_', ' ')}, "
            f"{getattr(recipe, name)}. "
            f"Received: {value}; leave the option out, or start a new run"
        )
    return recipe.replace(steps=given.get("steps", recipe.steps))


def _export(options):
    directory = Path(options.directory)
    to = Path(options.to or Path("saved_models") / directory.resolve().name)
    _import_tensorflow()
    from ganlab.artifacts import export
    from ganlab.models.saving import load_gan
    from ganlab.runs import load_run

    run = load_run(directory)
    export.check_new_artifact(to)
    gan = load_gan(run.folder.find_checkpoint(options.checkpoint))
    card = export.export_generator(
        gan,
        to,
        score=_score_function(run),
        class_names=run.class_names,
        training={
            "data": run.recipe.data,
            "num_images": run.num_images,
            "step": int(gan.step.numpy()),
            "recipe": run.recipe.as_dict(),
        },
    )
    parity = card["parity"]
    differences = parity["max_difference"]
    print(f"artifact     {to}")
    print(f"pictures     {to / 'samples.png'}")
    print(
        f"parity       SavedModel {differences['saved_model']:.1e}, "
        f"ONNX {differences['onnx']:.1e} from Keras (limit {parity['tolerance']:.0e})"
    )
    for precision, about in card["formats"].items():
        print(f"{precision:12} {_describe_precision(about)}")
    print(
        f"batch norm   training and inference images differ by "
        f"{parity['training_inference_difference']:.3f} on average, of 2"
    )
    print(f"sample       ganlab sample {to}")


def _score_function(run):
    """What scores each exported format; `None` where its real images are missing."""
    from functools import partial

    from ganlab import evaluation
    from ganlab.callbacks.progress import decoding_bar
    from ganlab.data.loading import load_data
    from ganlab.evaluation.artifact_score import score_artifact
    from ganlab.training.data import load_reference

    recipe = run.recipe
    monitoring = run.monitoring.replace(evaluate_images=evaluation.MAX_IMAGES)
    try:
        data = load_data(
            recipe.data,
            image_size=recipe.image_size,
            channels=recipe.channels,
            cache=monitoring.cache,
            progress=decoding_bar(sys.stderr),
        )
        reference = load_reference(monitoring, data, sys.stderr)
    except (UserError, OSError) as error:
        logging.getLogger("ganlab").warning("The card will state no FID: %s", error)
        return None
    return partial(score_artifact, reference)


def _describe_precision(about):
    """Size, differences and distance of one precision's file, in one line."""
    said = f"{about['bytes'] / 1e6:.2f} MB"
    if about["max_difference"]:
        said += (
            f"; {about['mean_difference']:.1e} from float32 on average, "
            f"{about['max_difference']:.1e} at most, of 2"
        )
    if "fid" in about:
        from ganlab import metrics

        score = metrics.display_score("fid", about["fid"])
        said += f"; FID {score}"
    return said


def _sample(options):
    from ganlab import pictures
    from ganlab.artifacts.artifact import Artifact

    artifact = Artifact(options.artifact, options.format)
    animated = options.interpolate is not None
    num_images = options.num_images or (16 if animated else 64)
    columns, labels = None, None
    if options.label is not None:
        labels = [artifact.label(options.label)] * num_images
    elif artifact.conditional:
        columns = len(artifact.class_names)
        labels = artifact.labels(num_images)
    if animated:
        out = options.out or "samples.gif"
        pictures.check_output(out, pictures.ANIMATION_SUFFIXES)
        start, end = options.interpolate
        frames = artifact.interpolate(start, end, num_images, labels=labels)
        pictures.save_animation(frames, out)
    else:
        out = options.out or "samples.png"
        pictures.check_output(out)
        images = artifact.sample(
            num_images, options.seed, labels, truncation=options.truncation
        )
        pictures.save(images, out, labels=labels, columns=columns)
    print(out)


def _evaluate(options):
    if bool(options.subjects) == options.self_test:
        raise UserError(
            "Expected something to evaluate, such as saved_models/fashion, or "
            f"--self-test. Received: {' '.join(options.subjects) or 'neither'}"
            f"{' and --self-test' if options.self_test else ''}"
        )
    if Path(options.out).suffix != ".png":
        raise UserError(f"Expected a picture FILE.png. Received: --out {options.out}")
    _import_tensorflow()
    from ganlab.callbacks import StageBars

    bars = StageBars(sys.stderr)
    try:
        (_self_test if options.self_test else _compare)(options, bars)
    finally:
        bars.close()


def _compare(options, bars):
    from ganlab.evaluation import compare, plot

    earlier = compare.read_scores(options.against) if options.against else {}
    if options.write_card:
        compare.check_cards(options.subjects)
    found = compare.compare(
        options.subjects,
        data=options.data,
        features=options.features,
        num_images=options.num_images,
        seed=options.seed,
        checkpoint=options.checkpoint,
        progress=bars,
    )
    bars.close()
    for protocol, _ in earlier.values():
        found.reference.protocol.check_comparable(protocol)
    compare.warn_of_few(found)
    plot.draw(found, options.out)
    if options.write_card:
        for name, each in found.subjects.items():
            compare.write_card(name, each)
    if options.json:
        print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
        return
    protocol = found.reference.protocol
    columns = {name: each.scores for name, each in found.subjects.items()}
    columns |= {f"{name} (earlier)": scores for name, (_, scores) in earlier.items()}
    if found.real is not None:
        columns["real halves"] = found.real.scores
    print(compare.table(columns, protocol.extractor))
    print()
    print(f"images       {protocol.num_images:,} on each side, of {protocol.data}")
    print(f"features     {protocol.extractor}; resizing: {protocol.resizer}")
    print(f"protocol     {protocol.fingerprint[:12]}")
    print("brackets     95 % bootstrap intervals")
    print(f"picture      {options.out}")


def _self_test(options, bars):
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
    failed = [each for each in checks if not each.passed]
    if options.json:
        print(json.dumps([each.as_dict() for each in checks], indent=2))
    else:
        for each in checks:
            print(each)
        print(f"{len(checks) - len(failed)} of {len(checks)} as expected")
    if failed:
        raise RunError(f"{len(failed)} scores are not what they should be")


def _fetch_inception(options):
    from ganlab.callbacks.progress import StageBars
    from ganlab.features import inception_weights

    bars = StageBars(sys.stderr)
    try:
        print(
            inception_weights.fetch(
                progress=lambda done, count: bars("bytes", done, count)
            )
        )
    finally:
        bars.close()


def _import_tensorflow():
    """Imports it without the lines that it writes before logging can be set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
