"""How do several generators stand beside each other?

A subject is a run, an artifact, a folder of images or an npz file. All are held
against the same real images, as many of each as the smallest has, and shown as
one table and one picture.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab import evaluation, inference, metrics, samples
from ganlab.data import load_data
from ganlab.errors import UserError
from ganlab.evaluation import LEAST_IMAGES, TITLES, Evaluation, Protocol, Reference
from ganlab.metrics.resampling import digits
from ganlab.train import load_gan, load_run

WORST_CLUSTERS, CLUSTERS, STRIP = 4, 20, 14


@dataclass(frozen=True)
class Subject:
    """Something that images come from.

    Args:
        path: What the user named.
        kind: `run`, `artifact` or `images`.
        images: All there are, or `None` of a generator.
        generate: Function from latents and labels to float32 images, or `None`.
        latent_dim: Integer, or `None`.
        num_classes: Integer, 0 without classes.
        data: SPEC of what it was trained on, or `None`.
        image_shape: Shape of one image.
    """

    path: Path
    kind: str
    images: np.ndarray | None
    generate: Callable | None
    latent_dim: int | None
    num_classes: int
    data: str | None
    image_shape: tuple[int, ...]

    def draw(self, count, seed, labels):
        """Images, and the labels they were asked for, or `None`."""
        if self.images is not None:
            some = np.random.default_rng(seed).permutation(len(self.images))[:count]
            return self.images[np.sort(some)], None
        if not self.num_classes:
            labels = None
        elif labels is None or labels.max() >= self.num_classes:
            labels = samples.class_labels(count, self.num_classes)
        else:
            labels = labels[:count]
        latents = samples.draw_latents(count, self.latent_dim, seed)
        drawn = self.generate(latents, labels)
        return (drawn if drawn.ndim == 2 else samples.to_uint8(drawn)), labels


@dataclass(frozen=True)
class Comparison:
    """Subjects held against the same real images.

    Args:
        reference: The `ganlab.evaluation.Reference`.
        real: `Evaluation` of one half of the real images against the other, or
            `None` of too few.
        subjects: A dict from each path, as given, to its `Evaluation`.
    """

    reference: Reference
    real: Evaluation | None
    subjects: dict[str, Evaluation]


def load_subject(path, checkpoint="newest"):
    """Finds out what a path holds, and loads it.

    Args:
        path: Run folder, artifact folder, folder of images, or npz file.
        checkpoint: `"newest"` or `"best"`, of a run.

    Returns:
        A `Subject`.

    Raises:
        UserError: if it is none of those.
    """
    path = Path(path)
    if (path / "card.json").is_file():
        artifact = inference.Artifact(path)
        training = artifact.card.get("training", {})
        shape = artifact.card["outputs"]["images"]["shape"][1:]
        return Subject(
            path,
            "artifact",
            None,
            artifact.generate,
            artifact.latent_dim,
            len(artifact.class_names),
            training.get("data"),
            tuple(shape),
        )
    if (path / "config.json").is_file():
        run = load_run(path)
        gan = load_gan(path, checkpoint)
        return Subject(
            path,
            "run",
            None,
            _generate(gan),
            gan.latent_dim,
            gan.num_classes or 0,
            run.config.data,
            gan.image_shape,
        )
    if path.is_dir():
        images = _images_of_folder(path)
    elif path.suffix == ".npz" and path.is_file():
        images = load_data(f"npz:{path}").images
    else:
        raise UserError(
            "Expected a run, an artifact, a folder of images or an .npz file. "
            f"Received: {path}"
        )
    return Subject(path, "images", images, None, None, 0, None, images.shape[1:])


def _generate(gan):
    def generate(latents, labels):
        inputs = latents if labels is None else [latents, labels]
        return gan.predict(inputs, batch_size=256, verbose=0)

    return generate


def _images_of_folder(path):
    """Images of a folder, at their own size and channels."""
    files = sorted(each for each in path.rglob("*") if each.suffix.lower() == ".png")
    files = files or sorted(each for each in path.rglob("*") if each.is_file())
    size, channels = None, None
    for file in files:
        try:
            with Image.open(file) as picture:
                size = min(picture.size)
                channels = 1 if picture.mode in ("1", "L", "I;16") else 3
            break
        except OSError:
            continue  # named and skipped when all are read
    return load_data(f"folder:{path}", image_size=size, channels=channels).images


def compare(
    paths,
    *,
    data=None,
    features=None,
    num_images=evaluation.MAX_IMAGES,
    seed=0,
    checkpoint="newest",
    progress=None,
):
    """Evaluates subjects against the same real images.

    Args:
        paths: Paths of subjects.
        data: A data SPEC, or `None` for what the first generator was trained on.
        features: SPEC of an extractor, or `None` for the default.
        num_images: Integer: images on each side, at most.
        seed: Integer.
        checkpoint: `"newest"` or `"best"`, of runs.
        progress: `None`, or a function of `(what is done, done, in all)`.

    Returns:
        A `Comparison`.

    Raises:
        UserError: if a path holds no subject, or subjects do not compare.
    """
    tell = progress or (lambda what, done, count: None)
    subjects = {str(path): load_subject(path, checkpoint) for path in paths}
    data = data or next((each.data for each in subjects.values() if each.data), None)
    if data is None:
        raise UserError(
            "Expected --data, the real images to hold these against. Received: none, "
            "and images do not say what they were trained on"
        )
    fixed = [len(each.images) for each in subjects.values() if each.images is not None]
    if min(fixed, default=LEAST_IMAGES) < LEAST_IMAGES:
        raise UserError(
            f"Expected {LEAST_IMAGES} images or more. Received: {min(fixed)}; draw more"
        )
    shape = next(iter(subjects.values())).image_shape
    size = {} if len(shape) == 1 else {"image_size": shape[0]}
    loaded = load_data(
        data, **size, progress=lambda done, count: tell("decoding", done, count)
    )
    reference = evaluation.load_reference(
        loaded,
        features=features,
        num_images=min([num_images, *fixed]),
        seed=seed,
        progress=lambda done, count: tell("real features", done, count),
    )
    for name, subject in subjects.items():
        if tuple(subject.image_shape) != reference.protocol.image_shape:
            raise UserError(
                f"Expected images of shape {reference.protocol.image_shape}, as those "
                f"of {data}. Received: {tuple(subject.image_shape)} from {name}; name "
                "other --data, or evaluate it alone"
            )
    found = {}
    for name, subject in subjects.items():
        images, labels = subject.draw(
            reference.protocol.num_images, seed, reference.labels
        )
        found[name] = evaluation.evaluate(
            reference,
            images,
            labels=labels,
            generate=subject.generate if images.ndim == 4 else None,
            latent_dim=subject.latent_dim,
            progress=_named(tell, Path(name).name),
        )
    real = None
    if len(reference.images) >= 2 * LEAST_IMAGES:
        real = evaluation.evaluate_real(reference, _named(tell, "real halves"))
    return Comparison(reference, real, found)


def _named(tell, name):
    def named(what, done, count):
        tell(f"{name}: {what}", done, count)

    return named


def read_scores(path):
    """Reads scores that `ganlab evaluate --json` printed.

    Args:
        path: A JSON file.

    Returns:
        A dict from each subject to its `Protocol` and dict of `Score`s.

    Raises:
        UserError: if the file holds no scores.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)["subjects"]
        return {
            name: (
                Protocol.from_dict(each["protocol"]),
                {k: metrics.Score(**score) for k, score in each["scores"].items()},
            )
            for name, each in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Expected scores from ganlab evaluate --json. Received: {path} ({error})"
        ) from error


def as_dict(comparison):
    """Subjects and real halves as JSON values; `read_scores` reads them."""
    return {
        "subjects": {
            name: each.as_dict() for name, each in comparison.subjects.items()
        },
        "real_halves": None if comparison.real is None else comparison.real.as_dict(),
    }


def check_cards(paths):
    """Raises `UserError` unless every path is an artifact."""
    for path in paths:
        inference.read_card(path)


def write_card(directory, found):
    """Puts an `Evaluation` on an artifact's card, under `metrics`."""
    card = inference.read_card(directory)
    card["metrics"] = found.as_dict()
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (Path(directory) / "card.json").write_text(text, encoding="utf-8")


def table(columns):
    """Scores side by side, as lines of text.

    Args:
        columns: A dict from each name to its dict of `Score`s.

    Returns:
        A string.
    """
    rows = [["", *columns]]
    for name, (title, _) in TITLES.items():
        if any(name in scores for scores in columns.values()):
            cells = (
                str(evaluation.shown_score(name, scores[name]))
                if name in scores
                else ""
                for scores in columns.values()
            )
            rows.append([title, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def warn_of_few(comparison):
    """Logs what a reader of the scores should know."""
    dim, count = (
        comparison.reference.features.shape[1],
        len(comparison.reference.images),
    )
    if count <= dim:
        logging.getLogger("ganlab").warning(
            "%d images are no more than their %d features: the Fréchet distance is "
            "far too high; read the kernel distance, or add images",
            count,
            dim,
        )


def draw(comparison, path):
    """Draws scores with intervals, what is missed and what is copied.

    Args:
        comparison: A `Comparison`.
        path: A `.png` file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    reference, found = comparison.reference, comparison.subjects
    names, columns = list(found), 4
    shown = [
        name
        for name in TITLES
        if name not in ("precision", "recall")
        and any(name in each.scores for each in found.values())
    ]
    rows = -(-len(shown) // columns)
    heights = [0.9 + 0.28 * len(names)] * rows + [2.9] * len(names)
    figure = Figure(figsize=(14, sum(heights) + 0.8), dpi=100, layout="constrained")
    about = reference.protocol
    shape = " x ".join(map(str, about.image_shape))
    figure.suptitle(
        f"{about.num_images:,} images of {shape} against as many of {about.data}; "
        f"features {about.extractor}; protocol {about.fingerprint[:12]}\n"
        "bars: 95 % intervals; dashed: one half of the real images against the other",
        fontsize=10,
    )
    grid = figure.add_gridspec(len(heights), 12, height_ratios=heights)
    colors = [f"C{index}" for index in range(len(names))]
    for place, name in enumerate(shown):
        row, column = divmod(place, columns)
        axes = figure.add_subplot(grid[row, 3 * column : 3 * column + 3])
        _draw_scores(axes, name, comparison, colors)
    for row, name in enumerate(names, rows):
        axes = figure.add_subplot(grid[row, :3])
        _draw_precision_recall(axes, comparison, colors, name)
        wide = (grid[row, 3:8], grid[row, 8:])
        if len(about.image_shape) == 3:
            for place, draw_strip in zip(
                wide, (_draw_missed, _draw_copied), strict=True
            ):
                draw_strip(figure.add_subplot(place), reference, found[name])
        else:
            _draw_points(figure.add_subplot(wide[0]), reference, found[name])
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path)


def _draw_scores(axes, name, comparison, colors):
    title, more = TITLES[name]
    found, real = comparison.subjects, comparison.real
    for place, (each, color) in enumerate(zip(found.values(), colors, strict=True)):
        if name not in each.scores:
            continue
        score = evaluation.shown_score(name, each.scores[name])
        axes.plot([score.low, score.high], [-place] * 2, color=color, linewidth=3)
        axes.plot(score.value, -place, "o", color=color)
        axes.annotate(
            digits(score.value),
            (score.value, -place),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    if real is not None and name in real.scores:
        perfect = evaluation.shown_score(name, real.scores[name]).value
        axes.axvline(perfect, color="gray", linestyle="--", linewidth=1)
    names = [Path(name).name for name in found]
    axes.set_yticks([-place for place in range(len(names))], names, fontsize=8)
    axes.set_ylim(-len(names) + 0.4, 0.8)
    axes.margins(x=0.2)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(f"{title} ({'higher' if more else 'lower'} is better)", fontsize=8.5)


def _draw_precision_recall(axes, comparison, colors, current):
    both = ("precision", "recall")
    for (name, each), color in zip(comparison.subjects.items(), colors, strict=True):
        precision, recall = (each.scores[key] for key in both)
        axes.errorbar(
            recall.value,
            precision.value,
            xerr=_arms(recall),
            yerr=_arms(precision),
            fmt="o",
            color=color,
            alpha=1.0 if name == current else 0.25,
            capsize=3,
        )
    if comparison.real is not None:
        precision, recall = (comparison.real.scores[key].value for key in both)
        axes.plot(recall, precision, "*", color="gray", markersize=10)
        axes.annotate("real", (recall, precision), (5, 4), textcoords="offset points")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("recall: real images it can draw", fontsize=8)
    axes.set_ylabel("precision: looks real", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title(Path(current).name, fontsize=10)


def _arms(score):
    return [[score.value - score.low], [score.high - score.value]]


def _draw_points(axes, reference, each):
    axes.scatter(*reference.images[:2000].T, s=6, color="#1b7837", label="real")
    axes.scatter(*each.images[:2000].T, s=3, color="#762a83", label="fake")
    axes.set_aspect("equal")
    axes.legend(fontsize=8)


def _draw_missed(axes, reference, each):
    """Real images of the clusters that are covered worst, those missed first."""
    real, _ = metrics.clusters(reference.features, reference.features[:1], CLUSTERS)
    shares = {
        cluster: each.pairs.covered[real == cluster].mean()
        for cluster in np.unique(real)
        if np.count_nonzero(real == cluster) >= LEAST_IMAGES
    }
    worst = sorted(shares, key=shares.get)[:WORST_CLUSTERS]
    rows = []
    for cluster in worst:
        inside = np.flatnonzero(real == cluster)
        order = inside[np.argsort(each.pairs.covered[inside], kind="stable")][:STRIP]
        blank = np.full((STRIP, *reference.images.shape[1:]), 255, np.uint8)
        blank[: len(order)] = reference.images[order]
        rows.append(blank)
    _show(axes, np.concatenate(rows), STRIP)
    covered = ", ".join(f"{shares[cluster]:.0%}" for cluster in worst)
    axes.set_title(f"real images it misses; coverage a row: {covered}", fontsize=9)


def _draw_copied(axes, reference, each):
    """The generated images nearest to real ones, above them."""
    count = min(STRIP, len(each.images))
    order = np.argsort(each.pairs.nearest_real_distance, kind="stable")
    rows = []
    for some in (order[:count], order[len(order) // 2 :][:count]):
        theirs = reference.images[each.pairs.nearest_real[some]]
        for images in (each.images[some], theirs):
            blank = np.full((STRIP, *images.shape[1:]), 255, np.uint8)
            blank[: len(images)] = images
            rows.append(blank)
    _show(axes, np.concatenate(rows), STRIP)
    axes.set_title(
        "generated above its nearest real: nearest, median pairs", fontsize=9
    )


def _show(axes, images, columns):
    pixels = samples.grid(images, columns)
    axes.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()


__all__ = [
    "Comparison",
    "Subject",
    "as_dict",
    "check_cards",
    "compare",
    "draw",
    "load_subject",
    "read_scores",
    "table",
    "warn_of_few",
    "write_card",
]
