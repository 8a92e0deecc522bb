"""Is every kind of image drawn, as asked, and in its variety?"""

import numpy as np

from ganlab.errors import UserError
from ganlab.metrics.resampling import Score, resampled_counts, score_of_means
from ganlab.metrics.validation import CHUNK, checked, checked_pair

SPLITS = 10
STARTS = 5


def inception_score(shares, seed=0, splits=SPLITS):
    """Inception score, of any classifier.

        exp(mean over x of KL(p(y | x), p(y)))

    From 1, where the classifier answers alike whatever it sees, to the number of
    classes, where it is sure of each image and all classes are drawn equally.
    It sees neither variety within a class nor the real images. The value is
    the mean over splits, as the field reports it; fewer images a split lower it.

    Args:
        shares: Float array `(n, classes)`: the classifier's probabilities.
        seed: Integer: seeds the order before splitting, and the bootstrap.
        splits: Integer.

    Returns:
        A `Score`.

    Reference:
        [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4
    """
    shares = checked(shares, "class probabilities", splits)
    if shares.min() < 0 or np.abs(shares.sum(axis=1) - 1).max() > 1e-3:
        raise UserError(
            "Expected class probabilities of 0 or more that add up to 1. Received: "
            f"{shares.min():.3g} at least, sums to {shares.sum(axis=1).max():.3g} at "
            "most; apply softmax to logits"
        )
    order = np.random.default_rng(seed).permutation(len(shares))
    parts = np.zeros((splits, len(shares)))
    for row, part in zip(parts, np.array_split(order, splits), strict=True):
        row[part] = 1 / len(part)
    drawn = resampled_counts(len(shares), seed) / len(shares)
    scores = _class_scores(shares, np.concatenate([parts, drawn]))
    value, replicates = scores[:splits].mean(), scores[splits:]
    # The replicates are of all images at once; the splits' level is the value's.
    return Score.of(value, replicates * (value / replicates.mean()))


def _class_scores(shares, weights):
    """Of rows of weights over images that each add up to 1."""
    marginals, doubt = np.zeros((len(weights), shares.shape[1])), np.zeros(len(weights))
    for first in range(0, len(shares), CHUNK):
        some = np.asarray(shares[first : first + CHUNK], np.float64)
        weight = weights[:, first : first + CHUNK]
        marginals += weight @ some
        doubt -= weight @ _times_log(some).sum(axis=1)
    return np.exp(-_times_log(marginals).sum(axis=1) - doubt)


def _times_log(shares):
    return shares * np.log(np.where(shares > 0, shares, 1.0))


def label_accuracy(answers, labels, seed=0):
    """The share of images that a classifier takes for what was asked for.

    Args:
        answers: Integer array `(n,)`: what the classifier says.
        labels: Integer array `(n,)`: what was asked for.
        seed: Integer: seeds the bootstrap.

    Returns:
        A `Score` in [0, 1]. Real images score the classifier's accuracy.
    """
    return score_of_means(np.equal(answers, labels), seed)


def class_diversity(real, fake, real_classes, fake_classes, seed=0):
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
    real, fake = checked_pair(real, fake)
    found, values = {}, np.full(len(fake), np.nan)
    for each in np.intersect1d(real_classes, fake_classes):
        ours, theirs = (
            np.asarray(features[np.equal(classes, each)], np.float64)
            for features, classes in ((real, real_classes), (fake, fake_classes))
        )
        if min(len(ours), len(theirs)) < 2:
            continue
        spread = ours.var(axis=0, ddof=1).sum()
        if spread == 0:
            continue
        squared = np.square(theirs - theirs.mean(axis=0)).sum(axis=1)
        ratios = squared * (len(theirs) / (len(theirs) - 1)) / spread
        values[np.equal(fake_classes, each)] = ratios
        found[int(each)] = float(ratios.mean())
    if not found:
        return None, {}
    known = ~np.isnan(values)
    classes, sizes = np.unique(np.asarray(fake_classes)[known], return_counts=True)
    share = known.sum() / (len(sizes) * sizes)
    weight = share[np.searchsorted(classes, np.asarray(fake_classes)[known])]
    return score_of_means(values[known] * weight, seed), found


def ndb_scores(real, fake, *, bins=100, level=0.05, seed=0):
    """NDB: in how many regions do real and fake images differ in number?

    Real images are clustered by k-means, and each image of either set counts in
    the cluster whose centre is nearest. A bin differs if the two-sample z test
    of its shares says so at `level`, so that of two draws of one distribution
    about 5 % do. K-means ends elsewhere from each start (and, by rounding, on
    each processor), so the share is the mean over five starts.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(m, d)`.
        bins: Integer: clusters; at most one for every 10 real images.
        level: Float: of the test.
        seed: Integer: seeds k-means and the bootstrap.

    Returns:
        A `Score`: the share of bins that differ, in [0, 1]. Its interval is that
        of one start, whose bins are drawn anew.

    Reference:
        [Richardson and Weiss, 2018](https://arxiv.org/abs/1805.12462), section 3
    """
    real, fake = checked_pair(real, fake)
    bins = max(min(bins, len(real) // 10), 2)
    shares, replicates = [], []
    for start in range(STARTS):
        real_bins, fake_bins = (
            np.bincount(each, minlength=bins)
            for each in clusters(real, fake, bins, seed + start)
        )
        differing = _differing(real_bins, fake_bins, level)
        shares.append(differing.mean())
        replicates.append(resampled_counts(bins, [seed, start]) @ differing / bins)
    return Score.of(np.mean(shares), np.concatenate(replicates))


def clusters(real, fake, num_clusters, seed=0):
    """The k-means cluster of each real and each fake image; real ones decide.

    Returns:
        Two integer arrays, `(n,)` and `(m,)`.
    """
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(
        num_clusters, random_state=seed, n_init=1, batch_size=2048
    ).fit(np.asarray(real, np.float32))
    return tuple(means.predict(np.asarray(each, np.float32)) for each in (real, fake))


def _differing(real_counts, fake_counts, level):
    from scipy.stats import norm

    real_total, fake_total = real_counts.sum(), fake_counts.sum()
    pooled = (real_counts + fake_counts) / (real_total + fake_total)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / real_total + 1 / fake_total))
    gap = np.abs(real_counts / real_total - fake_counts / fake_total)
    return 2 * norm.sf(gap / np.where(spread > 0, spread, 1.0)) < level


def path_lengths(before, after, epsilon, seed=0):
    """Perceptual path length, in the features that are given.

        mean |f(G(slerp(z, z', t + ε))) - f(G(slerp(z, z', t)))|² / ε²

    How far images move for a small step between two latents: a smooth
    generator's moves little everywhere. The upper and lower 1 % are left out,
    as the paper's code does.

    Args:
        before: Float array `(n, d)`: features at `t`.
        after: Float array `(n, d)`: features at `t + ε`.
        epsilon: Float: the step, as a share of the way between two latents.
        seed: Integer: seeds the bootstrap.

    Returns:
        A `Score` in squared units of the features.

    Reference:
        [Karras et al., 2018](https://arxiv.org/abs/1812.04948), section 4.1, with
        LPIPS in place of the features
    """
    before, after = checked_pair(before, after)
    moved = np.square(np.asarray(after, np.float64) - before).sum(axis=1) / epsilon**2
    low, high = np.quantile(moved, [0.01, 0.99])
    return score_of_means(moved[(moved >= low) & (moved <= high)], seed)
