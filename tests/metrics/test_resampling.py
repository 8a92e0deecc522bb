"""Bootstrap intervals are as wide as fresh draws spread."""

import numpy as np
import pytest

from ganlab import metrics


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


@pytest.mark.e2e
@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_intervals_are_as_wide_as_fresh_draws_spread(shift):
    """Scores of 40 fresh draws spread as the bootstrap of one says."""

    def scores(seed):
        real = normal(300, 8, seed=1000 + 2 * seed)
        fake = normal(300, 8, seed=1001 + 2 * seed, shift=shift)
        pairs = metrics.pair_statistics(real, fake, seed=seed)
        return metrics.manifold_scores(pairs) | {
            "frechet": metrics.frechet_score(real, fake),
            "kid": pairs.kid,
        }

    drawn = [scores(seed) for seed in range(40)]
    for name in drawn[0]:
        spread = np.std([draw[name].value for draw in drawn], ddof=1)
        claimed = np.median([draw[name].standard_error for draw in drawn])
        # The balls of a manifold are not drawn anew; equal distributions leave the
        # KID without a linear part, which the bootstrap then doubles.
        widest = 2.5 if name == "kid" and not shift else 2.0
        assert 0.5 < claimed / spread < widest, name


def test_a_score_moves_and_scales_with_its_interval():
    score = metrics.Score(2.0, 1.0, 4.0, 0.5)
    assert score.moved_to(3.0) == metrics.Score(3.0, 2.0, 5.0, 0.5)
    assert score.scaled(10) == metrics.Score(20.0, 10.0, 40.0, 5.0)
    assert str(score) == "2.00 [1.00, 4.00]"


def test_a_mean_has_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    score = metrics.score_of_means(values)
    assert score.value == pytest.approx(values.mean())
    assert score.standard_error == pytest.approx(values.std() / 20, rel=0.15)
    assert score.low < score.value < score.high
