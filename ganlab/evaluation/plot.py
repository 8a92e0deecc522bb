"""Chart of a comparison: scores with intervals, missed and copied images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganlab import metrics, pictures
from ganlab.data import kinds
from ganlab.evaluation.compare import Comparison
from ganlab.evaluation.reference import MIN_IMAGES, Reference
from ganlab.evaluation.scores import Evaluation
from ganlab.provenance.marks import COMPOSITE, Mark
from ganlab.text import drawable, printable

COLUMNS = 4
CLUSTERS, WORST_CLUSTERS, STRIP_LENGTH = 20, 4, 14
MAX_2D_SAMPLES = 2000
MAX_NAME_LENGTH = 24
BOTH_AXES = ("precision", "recall")  # charted against each other


def draw(comparison: Comparison, path: Path | str) -> None:
    """Draws scores with intervals, what is missed and what is copied.

    Args:
        comparison: A `ganlab.evaluation.compare.Comparison`.
        path: A `.png` file.
    """
    reference, evaluations = comparison.reference, comparison.subjects
    protocol = reference.protocol
    names = list(evaluations)
    charted = [
        name
        for name in metrics.TITLES
        if name not in BOTH_AXES
        and any(name in evaluation.scores for evaluation in evaluations.values())
    ]
    rows = -(-len(charted) // COLUMNS)
    heights = [1.4 + 0.28 * len(names)] * rows + [2.9] * len(names)
    figure = Figure(figsize=(14, sum(heights) + 0.8), dpi=100, layout="constrained")
    shape = " x ".join(map(str, protocol.image_shape))
    figure.suptitle(
        f"{protocol.num_images:,} images of {shape} against as many of "
        f"{drawable(protocol.data)}; features {drawable(protocol.extractor)}; protocol "
        f"{protocol.fingerprint[:12]}\n"
        "bars: 95 % bootstrap intervals; dashed: one half of the real images against "
        f"the other{_credit(reference.attribution)}",
        fontsize=10,
    )
    grid = figure.add_gridspec(len(heights), 12, height_ratios=heights)
    colors = [f"C{index}" for index in range(len(names))]
    for index, name in enumerate(charted):
        row, column = divmod(index, COLUMNS)
        axes = figure.add_subplot(grid[row, 3 * column : 3 * column + 3])
        _draw_score(axes, name, comparison, colors, with_names=column == 0)
    pictorial = kinds.of_shape(protocol.image_shape).pictorial
    for row, name in enumerate(names, rows):
        axes = figure.add_subplot(grid[row, :3])
        _draw_precision_recall(axes, comparison, colors, name)
        left, right = grid[row, 3:8], grid[row, 8:]
        if pictorial:
            _draw_missed(figure.add_subplot(left), reference, evaluations[name])
            _draw_copied(figure.add_subplot(right), reference, evaluations[name])
        else:
            _draw_2d_samples(figure.add_subplot(left), reference, evaluations[name])
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = Mark(source_type=COMPOSITE, attribution=reference.attribution)
    figure.savefig(path, format="png", pil_kwargs={"pnginfo": mark.png_info})


def _credit(attribution: str) -> str:
    return f"\nreal images: {drawable(attribution)}" if attribution else ""


def _draw_score(
    axes: Axes,
    name: str,
    comparison: Comparison,
    colors: Sequence[str],
    *,
    with_names: bool,
) -> None:
    evaluations, real = comparison.subjects, comparison.real
    for index, (evaluation, color) in enumerate(
        zip(evaluations.values(), colors, strict=True)
    ):
        if name not in evaluation.scores:
            continue
        score = metrics.display_score(name, evaluation.scores[name])
        axes.plot([score.low, score.high], [-index] * 2, color=color, linewidth=3)
        axes.plot(score.value, -index, "o", color=color)
        axes.annotate(
            metrics.format_number(score.value),
            (score.value, -index),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    if real is not None and name in real.scores:
        perfect = metrics.display_score(name, real.scores[name]).value
        axes.axvline(perfect, color="gray", linestyle="--", linewidth=1)
    labels = [_short(name) if with_names else "" for name in evaluations]
    axes.set_yticks([-index for index in range(len(labels))], labels, fontsize=8)
    axes.set_ylim(-len(labels) + 0.4, 0.8)
    axes.margins(x=0.2)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(axis="x", labelsize=8)
    title = metrics.display_name(name, comparison.reference.protocol.extractor)
    better = "higher" if metrics.TITLES[name].higher_is_better else "lower"
    axes.set_title(f"{drawable(title)} ({better} is better)", fontsize=8.5)


def _short(name: str) -> str:
    """The last part of a path, cut so that charts keep their room."""
    name = printable(Path(name).name)
    if len(name) > MAX_NAME_LENGTH:
        name = f"{name[: MAX_NAME_LENGTH - 1]}…"
    return drawable(name)


def _draw_precision_recall(
    axes: Axes, comparison: Comparison, colors: Sequence[str], current: str
) -> None:
    for (name, evaluation), color in zip(
        comparison.subjects.items(), colors, strict=True
    ):
        precision, recall = (evaluation.scores[key] for key in BOTH_AXES)
        axes.errorbar(
            recall.value,
            precision.value,
            xerr=_error_bars(recall),
            yerr=_error_bars(precision),
            fmt="o",
            color=color,
            alpha=1.0 if name == current else 0.25,
            capsize=3,
        )
    if comparison.real is not None:
        precision, recall = (comparison.real.scores[key] for key in BOTH_AXES)
        position = (recall.value, precision.value)
        axes.plot(*position, "*", color="gray", markersize=10)
        axes.annotate("real", position, (5, 4), textcoords="offset points")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("recall: real images it can generate", fontsize=8)
    axes.set_ylabel("precision: looks real", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title(drawable(Path(current).name), fontsize=10)


def _error_bars(score: metrics.Score) -> list[list[float]]:
    return [[score.value - score.low], [score.high - score.value]]


def _draw_2d_samples(axes: Axes, reference: Reference, evaluation: Evaluation) -> None:
    real, fake = (
        images[:MAX_2D_SAMPLES].T for images in (reference.images, evaluation.images)
    )
    axes.scatter(real[0], real[1], s=6, color="#1b7837", label="real")
    axes.scatter(fake[0], fake[1], s=3, color="#762a83", label="fake")
    axes.set_aspect("equal")
    axes.legend(fontsize=8)


def _draw_missed(axes: Axes, reference: Reference, evaluation: Evaluation) -> None:
    """Real images of the clusters that are covered worst, those missed first."""
    features = reference.features
    count = min(CLUSTERS, max(len(features) // MIN_IMAGES, 1))
    clusters, _ = metrics.clusters(features, features[:1], count)
    pairs = evaluation.pairs
    coverages = {
        int(cluster): float(pairs.covered[clusters == cluster].mean())
        for cluster in np.unique(clusters)
        if np.count_nonzero(clusters == cluster) >= MIN_IMAGES
    }
    worst = sorted(coverages, key=lambda cluster: coverages[cluster])[:WORST_CLUSTERS]
    strips = []
    for cluster in worst:
        members = np.flatnonzero(clusters == cluster)
        order = members[np.argsort(pairs.covered[members], kind="stable")]
        strips.append(_strip(reference.images[order[:STRIP_LENGTH]]))
    _show(axes, np.concatenate(strips))
    covered = ", ".join(f"{coverages[cluster]:.0%}" for cluster in worst)
    axes.set_title(f"real images it misses; coverage a row: {covered}", fontsize=9)


def _draw_copied(axes: Axes, reference: Reference, evaluation: Evaluation) -> None:
    """The generated images nearest to real ones, above them."""
    pairs = evaluation.pairs
    count = min(STRIP_LENGTH, len(evaluation.images))
    order = np.argsort(pairs.nearest_real_distance, kind="stable")
    strips = []
    for indices in (order[:count], order[len(order) // 2 :][:count]):
        strips.append(_strip(evaluation.images[indices]))
        strips.append(_strip(reference.images[pairs.nearest_real[indices]]))
    _show(axes, np.concatenate(strips))
    axes.set_title(
        "generated above its nearest real: nearest, median pairs", fontsize=9
    )


def _strip(images: np.ndarray) -> np.ndarray:
    """A row of `STRIP_LENGTH` images, white after the last."""
    strip = np.full((STRIP_LENGTH, *images.shape[1:]), 255, np.uint8)
    strip[: len(images)] = images
    return strip


def _show(axes: Axes, images: np.ndarray) -> None:
    pixels = pictures.grid(images, STRIP_LENGTH)
    axes.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
