"""Scores of classes: Inception score, label accuracy, diversity within classes."""

import numpy as np

from ganlab.errors import UserError
from ganlab.metrics.resampling import Score, resampled_counts, score_of_means
from ganlab.metrics.validation import CHUNK, check_features, check_pair

SPLITS = 10


def inception_score(
    probabilities: np.ndarray, seed: int = 0, splits: int = SPLITS
) -> Score:
    """Inception score, of any classifier.

        exp(mean over x of KL(p(y | x), p(y)))

    From 1, where the classifier answers alike whatever it sees, to the number of
    classes, where it is sure of each image and all classes are equally frequent.
    It sees neither variety within a class nor the real images. The value is
    the mean over splits, as the field reports it; fewer images a split lower it.

    Args:
        probabilities: Float array `(n, classes)`, of the classifier.
        seed: Integer: seeds the order before splitting, and the bootstrap.
        splits: Integer.

    Returns:
        A `Score`.

    Reference:
        [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4
    """
    probabilities = check_features(probabilities, "class probabilities", splits)
    sums = probabilities.sum(axis=1)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        raise UserError(
            "Expected class probabilities of 0 or more that add up to 1. Received: "
            f"{probabilities.min():.3g} at least, sums to {sums.max():.3g} at "
            "most; apply softmax to logits"
        )
    count = len(probabilities)
    order = np.random.default_rng(seed).permutation(count)
    split_weights = np.zeros((splits, count))
    for weights, indices in zip(
        split_weights, np.array_split(order, splits), strict=True
    ):
        weights[indices] = 1 / len(indices)
    replicate_weights = resampled_counts(count, seed) / count
    scores = _inception_scores(
        probabilities, np.concatenate([split_weights, replicate_weights])
    )
    value, replicates = scores[:splits].mean(), scores[splits:]
    # The replicates are of all images at once; the splits' level is the value's.
    return Score.of(value, replicates * (value / replicates.mean()))


def _inception_scores(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One score for each row of weights over images; a row adds up to 1."""
    marginals = np.zeros((len(weights), probabilities.shape[1]))
    conditional_entropy = np.zeros(len(weights))
    for first in range(0, len(probabilities), CHUNK):
        chunk = np.asarray(probabilities[first : first + CHUNK], np.float64)
        chunk_weights = weights[:, first : first + CHUNK]
        marginals += chunk_weights @ chunk
        conditional_entropy -= chunk_weights @ _times_log(chunk).sum(axis=1)
    marginal_entropy = -_times_log(marginals).sum(axis=1)
    return np.asarray(np.exp(marginal_entropy - conditional_entropy))


def _times_log(probabilities: np.ndarray) -> np.ndarray:
    return probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0))


def label_accuracy(predicted: np.ndarray, labels: np.ndarray, seed: int = 0) -> Score:
    """The fraction of images that a classifier takes for their label.

    Args:
        predicted: Integer array `(n,)`: the classifier's classes.
        labels: Integer array `(n,)`: the classes that were asked for.
        seed: Integer: seeds the bootstrap.

    Returns:
        A `Score` in [0, 1]. Real images score the classifier's accuracy.
    """
    return score_of_means(np.equal(predicted, labels), seed)


def class_diversity(
    real: np.ndarray,
    fake: np.ndarray,
    real_classes: np.ndarray,
    fake_classes: np.ndarray,
    seed: int = 0,
) -> tuple[Score | None, dict[int, float]]:
    """How varied each class is, against real images of that class.

        mean |x - m_c|² of fake images / mean |x - m_c|² of real ones

    with `m_c` the mean of the image's class in its own set; over images of all
    classes, each class weighing the same. 1 is as varied as real images; 0 is one
    image a class.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(m, d)`.
        real_classes: Integer array `(n,)`.
        fake_classes: Integer array `(m,)`.
        seed: Integer: seeds the bootstrap.

    Returns:
        A `Score`, and a dict from each class to its ratio; `None` and an empty
        dict if no class has two images in both sets and varies in the real one.

    Reference:
        [Odena et al., 2016](https://arxiv.org/abs/1610.09585), section 4.2, who
        take the mean MS-SSIM of pairs within a class for it
    """
    real, fake = check_pair(real, fake)
    by_class: dict[int, float] = {}
    values = np.full(len(fake), np.nan)
    for label in np.intersect1d(real_classes, fake_classes):
        real_class, fake_class = (
            np.asarray(features[np.equal(classes, label)], np.float64)
            for features, classes in ((real, real_classes), (fake, fake_classes))
        )
        if min(len(real_class), len(fake_class)) < 2:
            continue
        variance = real_class.var(axis=0, ddof=1).sum()
        if variance == 0:
            continue
        squared = np.square(fake_class - fake_class.mean(axis=0)).sum(axis=1)
        ratios = squared * (len(fake_class) / (len(fake_class) - 1)) / variance
        values[np.equal(fake_classes, label)] = ratios
        by_class[int(label)] = float(ratios.mean())
    if not by_class:
        return None, {}
    scored = ~np.isnan(values)
    scored_classes = np.asarray(fake_classes)[scored]
    classes, sizes = np.unique(scored_classes, return_counts=True)
    class_weights = scored.sum() / (len(sizes) * sizes)
    weights = class_weights[np.searchsorted(classes, scored_classes)]
    return score_of_means(values[scored] * weights, seed), by_class
