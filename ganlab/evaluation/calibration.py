"""Do the scores say what they should of sets whose answer is known?

From the real images alone, sets are made whose faults are known: none at all,
one image over and over, noise, half of the classes. A measure that is swapped,
scaled or broken cannot pass all of them.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from ganlab import evaluation, metrics
from ganlab.errors import UserError

NOISE = 80.0  # standard deviation in grey levels
LEAST_IMAGES = 200
SPOTS = 4  # images that the collapsed set repeats


@dataclass(frozen=True)
class Check:
    """One expectation of one set.

    Args:
        images: Which set.
        name: Which score.
        value: Float: what it was.
        low: Float: what it should be at least.
        high: Float: what it should be at most.
    """

    images: str
    name: str
    value: float
    low: float
    high: float

    @property
    def passed(self):
        """Whether the value lies in its range."""
        return bool(self.low <= self.value <= self.high)

    def __str__(self):
        scale = 1000 if self.name == "kid" else 1
        value, low, high = (scale * each for each in (self.value, self.low, self.high))
        expected = f"{low:.3f} to {high:.3f}"
        if math.isinf(high):
            expected = f"{low:.3f} or more"
        if math.isinf(low):
            expected = f"{high:.3f} or less"
        return (
            f"{'ok' if self.passed else 'FAIL':4}  {self.images:20}  "
            f"{evaluation.TITLES[self.name][0]:24}  {value:9.3f}  expected {expected}"
        )

    def as_dict(self):
        """Fields and verdict, as JSON values; an open end is null."""
        found = dataclasses.asdict(self) | {"passed": self.passed}
        return {
            key: None if isinstance(value, float) and math.isinf(value) else value
            for key, value in found.items()
        }


def self_test(reference, progress=None):
    """Scores sets of known faults against real images.

    The real images are cut in two random halves; one is the real side, the
    other is what the sets are made from. Half of the classes are the half of k-means
    clusters, where there are no labels.

    Args:
        reference: A `ganlab.evaluation.Reference` of 200 images or more.
        progress: `None`, or a function of `(what is done, done, in all)`.

    Returns:
        A list of `Check`s.

    Raises:
        UserError: if there are fewer images.
    """
    if len(reference.images) < LEAST_IMAGES:
        raise UserError(
            f"Expected {LEAST_IMAGES} real images or more for the self-test. Received: "
            f"{len(reference.images)}"
        )
    first, second = evaluation.halves(reference)
    sets = {
        "the same images": first.images,
        "other real images": second.images,
        "4 images repeated": second.images[np.arange(len(second.images)) % SPOTS],
        "noisy": _noisy(second.images),
        "half of the classes": _half_of_classes(second),
    }
    found = {}
    for name, images in sets.items():
        tell = None
        if progress is not None:

            def tell(what, done, count, name=name):
                progress(f"{name}: {what}", done, count)

        found[name] = evaluation.evaluate(first, images, progress=tell).scores
    return [
        Check(images, name, found[images][name].value, low, high)
        for images, name, low, high in _expected(found)
    ]


def _noisy(images):
    noise = np.random.default_rng(0).normal(0.0, NOISE, images.shape)
    if images.dtype != np.uint8:
        return (images + noise / 127.5).astype(np.float32)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def _half_of_classes(half):
    """The images of the lower half of the classes."""
    classes = half.labels
    if classes is None:
        classes, _ = metrics.clusters(half.features, half.features[:1], 10)
    return half.images[classes < (classes.max() + 1) / 2]


def _expected(found):
    """Set, score, and the range that its value must lie in."""
    other = found["other real images"]
    inf = float("inf")
    distance, kernel = other["fid"].value, other["kid"]
    yield "the same images", "fid", -0.01 * distance, 0.01 * distance
    yield "the same images", "kid", -inf, 0.0
    for name in ("precision", "recall", "density", "coverage"):
        yield "the same images", name, 1.0, 1.0
    yield "the same images", "copied_share", 1.0, 1.0
    yield "other real images", "copied_share", 0.0, 0.05
    yield "other real images", "coverage", 0.9, 1.0
    yield "other real images", "density", 0.8, 1.2
    yield "other real images", "ndb", 0.0, 0.2
    yield "other real images", "kid", -inf, 4 * kernel.standard_error
    precision, recall = other["precision"].value, other["recall"].value
    for name in ("4 images repeated", "noisy", "half of the classes"):
        yield name, "fid", 5 * distance, inf
        yield name, "kid", kernel.high, inf
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
