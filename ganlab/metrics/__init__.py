"""How far is what is generated from what is real?

Pure functions from arrays to numbers, in float64.
"""

from ganlab.metrics.classes import (
    SPLITS,
    class_diversity,
    clusters,
    inception_score,
    label_accuracy,
    ndb_scores,
    path_lengths,
)
from ganlab.metrics.frechet import (
    Moments,
    frechet_distance,
    frechet_from_moments,
    frechet_infinity,
    frechet_score,
    moments,
)
from ganlab.metrics.pairs import (
    Pairs,
    birthday_support,
    compare,
    draw_subsets,
    kid,
    manifold_scores,
    repetition_scores,
)
from ganlab.metrics.pixels import spectra, spread
from ganlab.metrics.resampling import Score, score_of_means
from ganlab.metrics.toy2d import grid_divergences, mode_scores, reverse_kl

__all__ = [
    "SPLITS",
    "Moments",
    "Pairs",
    "Score",
    "birthday_support",
    "class_diversity",
    "clusters",
    "compare",
    "draw_subsets",
    "frechet_distance",
    "frechet_from_moments",
    "frechet_infinity",
    "frechet_score",
    "grid_divergences",
    "inception_score",
    "kid",
    "label_accuracy",
    "manifold_scores",
    "mode_scores",
    "moments",
    "ndb_scores",
    "path_lengths",
    "repetition_scores",
    "reverse_kl",
    "score_of_means",
    "spectra",
    "spread",
]
