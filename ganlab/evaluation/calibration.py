"""Self-test of the scores, on sets of images whose faults are known.

From the real images alone, sets are made whose faults are known: none at all,
one image over and over, noise, half of the classes. A measure that is swapped,
scaled or broken cannot pass all of them.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganlab import metrics
from ganlab.data import kinds
from ganlab.errors import UserError
from ganlab.evaluation.reference import Reference
from ganlab.evaluation.scores import Progress, evaluate

MIN_IMAGES = 200
NOISE_DEVIATION = 80.0  # grey levels
GREY_LEVELS_PER_UNIT = 127.5
REPEATED_IMAGES = 4  # of the collapsed set
CLUSTERS = 10  # where there are no labels


@dataclass(frozen=True)
class Check:
    """One expectation of one set.

    Args:
        images: Name of the set.
        name: Name of the score.
        value: Float: its value.
        low: Float: the smallest value that passes.
        high: Float: the largest.
    """

    images: str
    name: str
    value: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the value lies in its range."""
        return bool(self.low <= self.value <= self.high)

    def __str__(self) -> str:
        score = metrics.Score(self.value, self.low, self.high, 0.0)
        score = metrics.display_score(self.name, score)
        expected = f"{score.low:.3f} to {score.high:.3f}"
        if math.isinf(score.high):
            expected = f"{score.low:.3f} or more"
        if math.isinf(score.low):
            expected = f"{score.high:.3f} or less"
        return (
            f"{'ok' if self.passed else 'FAIL':4}  {self.images:20}  "
            f"{metrics.display_name(self.name):24}  {score.value:9.3f}  expected "
            f"{expected}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Fields and verdict, as JSON values; an open end is null."""
        fields = dataclasses.asdict(self) | {"passed": self.passed}
        return {
            key: None if isinstance(value, float) and math.isinf(value) else value
            for key, value in fields.items()
        }


def self_test(reference: Reference, progress: Progress | None = None) -> list[Check]:
    """Scores sets of known faults against real images.

    The real images are cut in two random halves: one is the real side, and the
    sets are made from the other. Half of the classes are the half of k-means
    clusters, where there are no labels.

    Args:
        reference: A `ganlab.evaluation.Reference` of 200 images or more.
        progress: `None`, or a function of `(name of the stage, done, in all)`.

    Returns:
        A list of `Check`s.

    Raises:
        UserError: if there are fewer images.
    """
    if len(reference.images) < MIN_IMAGES:
        raise UserError(
            f"Expected {MIN_IMAGES} real images or more for the self-test. Received: "
            f"{len(reference.images)}"
        )
    first, second = reference.halves()
    repeated = np.arange(len(second.images)) % REPEATED_IMAGES
    sets = {
        "the same images": first.images,
        "other real images": second.images,
        "4 images repeated": second.images[repeated],
        "noisy": _noisy(second),
        "half of the classes": _half_of_classes(second),
    }
    scores = {}
    for name, images in sets.items():
        report = None
        if progress is not None:

            def report(stage: str, done: int, count: int, name: str = name) -> None:
                progress(f"{name}: {stage}", done, count)

        scores[name] = evaluate(first, images, progress=report).scores
    return [
        Check(images, name, scores[images][name].value, low, high)
        for images, name, low, high in _expectations(scores["other real images"])
    ]


def _noisy(half: Reference) -> np.ndarray:
    images = half.images
    noise = np.random.default_rng(0).normal(0.0, NOISE_DEVIATION, images.shape)
    if kinds.of_shape(half.protocol.image_shape).scale is None:
        return (images + noise / GREY_LEVELS_PER_UNIT).astype(np.float32)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def _half_of_classes(half: Reference) -> np.ndarray:
    """The images of the lower half of the classes."""
    classes = half.labels
    if classes is None:
        classes, _ = metrics.clusters(half.features, half.features[:1], CLUSTERS)
    return np.asarray(half.images[classes < (classes.max() + 1) / 2])


def _expectations(
    other: Mapping[str, metrics.Score],
) -> Iterator[tuple[str, str, float, float]]:
    """Set, score, and the range that its value must lie in.

    Args:
        other: Scores of the other real images.
    """
    inf = float("inf")
    fid, kid = other["fid"].value, other["kid"]
    yield "the same images", "fid", -0.01 * fid, 0.01 * fid
    yield "the same images", "kid", -inf, 0.0
    for name in ("precision", "recall", "density", "coverage"):
        yield "the same images", name, 1.0, 1.0
    yield "the same images", "copied_share", 1.0, 1.0
    yield "other real images", "copied_share", 0.0, 0.05
    yield "other real images", "coverage", 0.9, 1.0
    yield "other real images", "density", 0.8, 1.2
    yield "other real images", "ndb", 0.0, 0.2
    yield "other real images", "kid", -inf, 4 * kid.standard_error
    precision, recall = other["precision"].value, other["recall"].value
    for name in ("4 images repeated", "noisy", "half of the classes"):
        yield name, "fid", 5 * fid, inf
        yield name, "kid", kid.high, inf
    yield "4 images repeated", "duplicate_share", 1.0, 1.0
    yield "4 images repeated", "precision", 0.25, 1.0
    yield "4 images repeated", "recall", 0.0, 0.05
    yield "4 images repeated", "coverage", 0.0, 0.05
    yield "4 images repeated", "ndb", 0.85, 1.0
    yield "noisy", "precision", 0.0, 0.75 * precision
    yield "noisy", "coverage", 0.0, 0.5
    yield "noisy", "density", 0.0, 0.3
    yield "half of the classes", "precision", 0.85 * precision, 1.0
    yield "half of the classes", "recall", 0.0, 0.85 * recall
    yield "half of the classes", "coverage", 0.3, 0.75
