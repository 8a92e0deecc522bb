"""How far are generated images from real ones?"""

import numpy as np


def sliced_wasserstein(real, fake, *, num_projections=128, seed=0):
    """Sliced Wasserstein distance between two sets of vectors.

    Both sets are projected on random unit directions, where the distance
    between two equally large sets is that of their sorted values:

        SWD = mean over directions u of mean |sort(real u) - sort(fake u)|

    0 for equal sets; in the units of the vectors. On raw pixels it sees
    brightness, shape and lost variety, not fine texture.

    Args:
        real: Float array `(n, d)`.
        fake: Float array `(n, d)`.
        num_projections: Integer: number of directions.
        seed: Integer: seeds the directions.

    Returns:
        A float, 0 or more.

    Reference:
        [Bonneel et al., 2015](https://doi.org/10.1007/s10851-014-0506-3);
        [Karras et al., 2017](https://arxiv.org/abs/1710.10196), section 5
    """
    if real.shape != fake.shape or real.ndim != 2:
        raise ValueError(
            "Expected two arrays of one shape (n, d). "
            f"Received: {real.shape} and {fake.shape}"
        )
    directions = np.random.default_rng(seed).standard_normal(
        (real.shape[1], num_projections), dtype=np.float32
    )
    directions /= np.linalg.norm(directions, axis=0)
    gaps = np.sort(real @ directions, axis=0) - np.sort(fake @ directions, axis=0)
    return float(np.abs(gaps).mean())
