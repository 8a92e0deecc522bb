"""Can these features be scored?"""

import numpy as np

from ganlab.errors import UserError

CHUNK = 4096


def checked(features, name="features", least=2):
    """Returns features as an array, or raises `UserError`.

    Args:
        features: Array `(n, d)` of finite real numbers.
        name: What to call them.
        least: Integer: how many there must be.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] < 1 or features.dtype.kind not in "fiu":
        raise UserError(
            f"Expected {name} of shape (n, d). Received: {features.dtype} of shape "
            f"{features.shape}"
        )
    if len(features) < least:
        raise UserError(
            f"Expected {least} images or more in {name}. Received: {len(features)}; "
            "draw more"
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


def checked_pair(real, fake, least=2):
    """Checks real and fake features, which must have one width."""
    real = checked(real, "real features", least)
    fake = checked(fake, "fake features", least)
    if real.shape[1] != fake.shape[1]:
        raise UserError(
            "Expected real and fake features of one width, from one extractor. "
            f"Received: {real.shape[1]} and {fake.shape[1]}"
        )
    return real, fake
