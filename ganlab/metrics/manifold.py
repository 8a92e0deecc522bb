"""Precision, recall, density, coverage, duplicates and copies of pair statistics."""

from ganlab.metrics.pairs import PairStatistics
from ganlab.metrics.resampling import Score, score_of_means


def manifold_scores(pairs: PairStatistics, seed: int = 0) -> dict[str, Score]:
    """Precision, recall, density and coverage.

    Balls around each image reach to its k-th nearest other of its set. Precision
    is the fraction of fake images within a ball around a real one, recall that of
    real images within a ball around a fake one (k = 3, border included). Density
    counts the real balls that a fake image lies in, over k, and passes 1 where
    fakes crowd; coverage is the fraction of real images with a fake one in their
    ball (k = 5, border left out). Two large draws of one distribution have a
    density of 1 and a coverage of 1 - 2⁻⁵ = 0.97.

    Returns:
        A dict of `Score`s.

    Reference:
        [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), equations
        1 and 2; [Naeem et al., 2020](https://arxiv.org/abs/2002.09797),
        equations 3 and 4
    """
    return {
        "precision": score_of_means(pairs.precise, seed),
        "recall": score_of_means(pairs.recalled, seed),
        "density": score_of_means(pairs.density, seed),
        "coverage": score_of_means(pairs.covered, seed),
    }


def repetition_scores(pairs: PairStatistics, seed: int = 0) -> dict[str, Score]:
    """How often generated images repeat each other, or real ones.

    Two images are taken for the same if they are nearer than all but 1 % of
    real images are to their nearest real one. So a perfect generator scores 0.01
    in each, if it is given as many images as there are real ones.

    - `duplicate_share`: generated images that are the same as another.
    - `copied_share`: generated images that are the same as a real one. Where
      the real images are those it was trained on, it has memorised them.

    Returns:
        A dict of `Score`s.

    Reference:
        [Arora and Zhang, 2017](https://arxiv.org/abs/1706.08224), who look at
        the nearest pairs by eye
    """
    same = pairs.same_distance
    return {
        "duplicate_share": score_of_means(pairs.fake_radii[:, 0] <= same, seed),
        "copied_share": score_of_means(pairs.nearest_real_distance <= same, seed),
    }


def birthday_support(pairs: PairStatistics) -> float:
    """How many different images a generator has, by the birthday paradox.

        support ≈ s (s - 1) / (2 pairs that are the same)

    for `s` draws of a uniform choice among `support` images; what is the same
    is told as in `repetition_scores`.

    Returns:
        A float; infinity if no two are the same.

    Reference:
        [Arora and Zhang, 2017](https://arxiv.org/abs/1706.08224), section 2
    """
    count = len(pairs.precise)
    if not pairs.same_pairs:
        return float("inf")
    return count * (count - 1) / (2 * pairs.same_pairs)
