"""What do the scores of several generators look like?"""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ganlab import evaluation, metrics, pictures
from ganlab.evaluation import LEAST_IMAGES, TITLES
from ganlab.metrics.resampling import digits

WORST_CLUSTERS, CLUSTERS, STRIP = 4, 20, 14


def draw(comparison, path):
    """Draws scores with intervals, what is missed and what is copied.

    Args:
        comparison: A `ganlab.evaluation.compare.Comparison`.
        path: A `.png` file.
    """
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
    names = [_short(name) for name in found]
    axes.set_yticks([-place for place in range(len(names))], names, fontsize=8)
    axes.set_ylim(-len(names) + 0.4, 0.8)
    axes.margins(x=0.2)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(f"{title} ({'higher' if more else 'lower'} is better)", fontsize=8.5)


def _short(name, most=16):
    """The last part of a path, cut so that charts keep their room."""
    name = Path(name).name
    return name if len(name) <= most else f"{name[: most - 1]}…"


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
    pixels = pictures.grid(images, columns)
    axes.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
