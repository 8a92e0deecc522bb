"""Scores of generated images against real ones."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganlab import metrics, sampling
from ganlab.evaluation.protocol import Protocol
from ganlab.evaluation.reference import Reference
from ganlab.features.extractors import class_probabilities

PATH_STEP = 1e-4
PATH_IMAGES = 1000
MIN_CLASSIFIER_ACCURACY = 0.5  # under it, a classifier's classes are not the data's

Progress = Callable[[str, int, int], None]
Generate = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class Evaluation:
    """Scores of one set of images.

    Args:
        protocol: The `Protocol`.
        scores: A dict from a name in `ganlab.metrics.TITLES` to a
            `ganlab.metrics.Score`.
        details: A dict of what is known beside them: `birthday_support`,
            `fewer_images_than_features`, and by class `class_shares` and
            `class_diversity`.
        images: The images that were scored.
        pairs: The `ganlab.metrics.PairStatistics` of real images and these.
    """

    protocol: Protocol
    scores: dict[str, metrics.Score]
    details: dict[str, Any]
    images: np.ndarray
    pairs: metrics.PairStatistics

    def as_dict(self) -> dict[str, Any]:
        """Protocol, scores and details as JSON values."""
        return {
            "protocol": self.protocol.as_dict(),
            "scores": {
                name: dataclasses.asdict(score) for name, score in self.scores.items()
            },
            "details": self.details,
        }


def evaluate(
    reference: Reference,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    generate: Generate | None = None,
    latent_dim: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Scores images against real ones.

    Args:
        reference: A `Reference`; as many of its images as there are others count.
        images: Uint8 array `(m, height, width, channels)`, 6 or more; 2-D samples
            are float32 `(m, 2)`.
        labels: Int array `(m,)`: the classes that were asked for, or `None`.
        generate: Function from latents and labels to float32 images, for the
            path length, or `None`.
        latent_dim: Integer: size of its latents.
        progress: `None`, or a function of `(name of the stage, done, in all)`.

    Returns:
        An `Evaluation`.

    Raises:
        UserError: for images of another shape than the real ones, too few, or
            features that are not finite.
    """
    images = np.asarray(images)
    reference = reference.matched(images)
    protocol, seed = reference.protocol, reference.protocol.seed
    images = images[: protocol.num_images]
    if labels is not None:
        labels = np.asarray(labels)[: len(images)]
    report = progress or (lambda stage, done, count: None)
    features, logits = reference.extractor.extract(
        images, lambda done, count: report("features", done, count)
    )
    pairs = metrics.pair_statistics(
        reference.features,
        features,
        seed=seed,
        progress=lambda done, count: report("pairs", done, count),
    )
    fid = metrics.frechet_score(reference.features, features, seed)
    scores = {"fid": fid}
    limit = metrics.frechet_infinity(reference.features, features, seed, fid.value)
    if limit is not None:
        scores["fid_infinity"] = fid.moved_to(limit)
    scores["kid"] = pairs.kid
    scores |= metrics.manifold_scores(pairs, seed)
    scores["ndb"] = metrics.ndb(reference.features, features, seed=seed)
    scores |= metrics.repetition_scores(pairs, seed)
    support = metrics.birthday_support(pairs)
    details: dict[str, Any] = {
        "birthday_support": float(support) if np.isfinite(support) else None,
        "fewer_images_than_features": bool(len(images) <= features.shape[1]),
    }
    for class_scores, class_details in (
        _diversity(reference, features, logits, labels),
        _classifier_scores(reference, logits, labels),
    ):
        scores |= class_scores
        details |= class_details
    if generate is not None and latent_dim is not None:
        scores["path_length"] = _path_length(reference, generate, latent_dim, labels)
    return Evaluation(protocol, scores, details, images, pairs)


def evaluate_real(reference: Reference, progress: Progress | None = None) -> Evaluation:
    """Scores one random half of the real images against the other.

    It is what a perfect generator would score, at half as many images.
    """
    first, second = reference.halves()
    return evaluate(first, second.images, labels=second.labels, progress=progress)


ScoresAndDetails = tuple[dict[str, metrics.Score], dict[str, Any]]


def _diversity(
    reference: Reference,
    features: np.ndarray,
    logits: np.ndarray | None,
    labels: np.ndarray | None,
) -> ScoresAndDetails:
    """Diversity within the classes of the labels, or else of the classifier."""
    names: tuple[str, ...]
    if labels is not None and reference.labels is not None:
        real_classes, fake_classes = reference.labels, labels
        names = reference.class_names
    elif logits is not None and reference.logits is not None:
        real_classes = reference.logits.argmax(axis=1)
        fake_classes = logits.argmax(axis=1)
        names = reference.extractor.class_names
    else:
        real_classes = np.zeros(len(reference.features), int)
        fake_classes = np.zeros(len(features), int)
        names = ("all",)
    diversity, ratios = metrics.class_diversity(
        reference.features,
        features,
        real_classes,
        fake_classes,
        reference.protocol.seed,
    )
    if diversity is None:
        return {}, {}
    by_class = {
        names[index] if index < len(names) else str(index): ratio
        for index, ratio in ratios.items()
    }
    return {"class_diversity": diversity}, {"class_diversity": by_class}


def _classifier_scores(
    reference: Reference, logits: np.ndarray | None, labels: np.ndarray | None
) -> ScoresAndDetails:
    """Scores of the classifier's answers, where the extractor has a classifier."""
    scores: dict[str, metrics.Score] = {}
    if logits is None:
        return scores, {}
    seed, accuracy = reference.protocol.seed, reference.accuracy
    if len(logits) >= metrics.SPLITS:
        scores["inception_score"] = metrics.inception_score(
            class_probabilities(logits), seed
        )
    if accuracy is None or accuracy <= MIN_CLASSIFIER_ACCURACY:
        return scores, {}
    predicted = logits.argmax(axis=1)
    counts = np.bincount(predicted, minlength=len(reference.class_names))
    fractions = {
        name: float(count / len(predicted))
        for name, count in zip(reference.class_names, counts, strict=False)
    }
    if labels is not None:
        scores["label_accuracy"] = metrics.label_accuracy(predicted, labels, seed)
    return scores, {"class_shares": fractions}


def _path_length(
    reference: Reference,
    generate: Generate,
    latent_dim: int,
    labels: np.ndarray | None,
) -> metrics.Score:
    """Path length between random pairs of latents of one class each."""
    seed = reference.protocol.seed
    count = min(PATH_IMAGES, reference.protocol.num_images)
    start, end = (
        sampling.draw_latents(count, latent_dim, seed + 1 + k) for k in range(2)
    )
    positions = np.random.default_rng(seed).uniform(size=count)
    labels = None if labels is None else labels[:count]

    def features_at(positions: np.ndarray) -> np.ndarray:
        latents = sampling.slerp(start, end, positions)
        images = np.clip(generate(latents, labels), -1.0, 1.0)
        features, _ = reference.extractor.extract(images)
        return np.asarray(features)

    before, after = features_at(positions + 0.0), features_at(positions + PATH_STEP)
    return metrics.path_lengths(before, after, PATH_STEP, seed)
