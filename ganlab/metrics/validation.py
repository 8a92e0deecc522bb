"""Checks that features can be scored."""

import numpy as np

from ganlab.errors import UserError

CHUNK = 4096


def check_features(
    features: np.ndarray, name: str = "features", minimum: int = 2
) -> np.ndarray:
    """Returns features as an array, or raises `UserError`.

    Args:
        features: Array `(n, d)` of finite real numbers.
        name: What the message calls them.
        minimum: Integer: smallest `n`.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] < 1 or features.dtype.kind not in "fiu":
        raise UserError(
            f"Expected {name} of shape (n, d). Received: {features.dtype} of shape "
            f"{features.shape}"
        )
    if len(features) < minimum:
        raise UserError(
            f"Expected {minimum} images or more in {name}. Received: {len(features)}; "
            "sample more"
        )
    for first in range(0, len(features), CHUNK):
        finite = np.isfinite(features[first : first + CHUNK]).all(axis=1)
        if not finite.all():
            raise UserError(
                f"Expected finite {name}. Received: NaN or infinity for image "
                f"{first + int(np.argmin(finite))}; look for it in the generator or "
                "the extractor"
            )
    return features


def check_pair(
    real: np.ndarray, fake: np.ndarray, minimum: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Checks real and fake features, which must have one width."""
    real = check_features(real, "real features", minimum)
    fake = check_features(fake, "fake features", minimum)
    if real.shape[1] != fake.shape[1]:
        raise UserError(
            "Expected real and fake features of one width, from one extractor. "
            f"Received: {real.shape[1]} and {fake.shape[1]}"
        )
    return real, fake
