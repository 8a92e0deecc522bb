"""Scores of generated against real features: pure functions, in float64."""

from ganlab.metrics.bins import bins_differ, clusters, ndb
from ganlab.metrics.classes import (
    SPLITS,
    class_diversity,
    inception_score,
    label_accuracy,
)
from ganlab.metrics.codes import active_units, kl_by_dimension, prior_gap
from ganlab.metrics.frechet import (
    Moments,
    frechet_distance,
    frechet_from_moments,
    frechet_infinity,
    frechet_score,
    moments,
)
from ganlab.metrics.kernel import kid
from ganlab.metrics.loss_terms import TERMS, loss_terms, term_name
from ganlab.metrics.manifold import (
    birthday_support,
    manifold_scores,
    repetition_scores,
)
from ganlab.metrics.pairs import PairStatistics, draw_subsets, pair_statistics
from ganlab.metrics.path_length import path_lengths
from ganlab.metrics.pixels import (
    num_distinct,
    pairwise_ratios,
    spectrum_gaps,
    squared_pixel_distances,
)
from ganlab.metrics.resampling import Score, format_number, score_of_means
from ganlab.metrics.titles import TITLES, Title, display_name, display_score
from ganlab.metrics.toy2d import grid_divergences, mode_scores, reverse_kl

__all__ = [
    "SPLITS",
    "TERMS",
    "TITLES",
    "Moments",
    "PairStatistics",
    "Score",
    "Title",
    "active_units",
    "bins_differ",
    "birthday_support",
    "class_diversity",
    "clusters",
    "display_name",
    "display_score",
    "draw_subsets",
    "format_number",
    "frechet_distance",
    "frechet_from_moments",
    "frechet_infinity",
    "frechet_score",
    "grid_divergences",
    "inception_score",
    "kid",
    "kl_by_dimension",
    "label_accuracy",
    "loss_terms",
    "manifold_scores",
    "mode_scores",
    "moments",
    "ndb",
    "num_distinct",
    "pair_statistics",
    "pairwise_ratios",
    "path_lengths",
    "prior_gap",
    "repetition_scores",
    "reverse_kl",
    "score_of_means",
    "spectrum_gaps",
    "squared_pixel_distances",
    "term_name",
]
