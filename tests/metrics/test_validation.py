"""Features that cannot be scored are refused in one line."""

import numpy as np
import pytest

from ganlab import metrics
from ganlab.errors import UserError


def normal(count, dim, seed=0, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale + shift


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (normal(1, 3), normal(9, 3), "2 images or more in real features. Received: 1"),
        (
            normal(9, 3),
            normal(9, 4),
            "one width, from one extractor. Received: 3 and 4",
        ),
        (normal(9, 3), np.full((9, 3), np.nan), "NaN or infinity for image 0"),
        (normal(9, 3), np.full((9, 3), np.inf), "finite fake features"),
        (normal(9, 3)[0], normal(9, 3), r"shape \(n, d\)"),
        (normal(9, 3).astype(complex), normal(9, 3), "complex128"),
    ],
)
def test_a_mistake_in_features_is_one_line(real, fake, message):
    for function in (metrics.frechet_distance, metrics.frechet_score):
        with pytest.raises(UserError, match=message) as caught:
            function(real, fake)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError):
        metrics.pair_statistics(real, fake)
