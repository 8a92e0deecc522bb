"""Which modes are hit, in the plane and among counted classes?"""

import numpy as np


def mode_scores(points, centers, deviation):
    """Modes that are hit, and the share of points near one.

    A point is of high quality within 3 standard deviations of its nearest
    centre; a mode is hit if such a point has it nearest. A perfect generator's
    share in the plane is 1 - exp(-9/2) = 0.989.

    Args:
        points: Float array `(n, 2)`.
        centers: Float array `(modes, 2)`.
        deviation: Float: standard deviation of every mode.

    Returns:
        A dict: `modes_hit`, an integer, and `high_quality_share` in [0, 1].

    Reference:
        [Srivastava et al., 2017 (VEEGAN)](https://arxiv.org/abs/1705.07761), section 4
    """
    gaps = np.linalg.norm(points[:, None] - centers[None], axis=-1)
    good = gaps.min(axis=1) <= 3 * deviation
    hit = np.unique(gaps.argmin(axis=1)[good])
    return {"modes_hit": len(hit), "high_quality_share": float(good.mean())}


def grid_divergences(real, fake, extent, *, bins=40):
    """KL and JS divergence of points, counted on a square grid.

        KL = sum over cells of r log(r / f),  JS = (KL(r, m) + KL(f, m)) / 2

    with `m = (r + f) / 2`. Half a point is added to each cell, so that an
    empty one leaves KL finite; points beyond the grid count in its border.

    Args:
        real: Float array `(n, 2)`.
        fake: Float array `(m, 2)`.
        extent: Float: the grid spans `[-extent, extent]` on both axes.
        bins: Integer: cells a side.

    Returns:
        A dict: `kl`, 0 or more, and `js`, from 0 to ln 2, in nats.

    Reference:
        [Kahng et al., 2018 (GAN Lab)](https://arxiv.org/abs/1809.01587)
    """
    shares = []
    for points in (real, fake):
        inside = np.clip(points, -extent, np.nextafter(extent, 0))
        square = [(-extent, extent), (-extent, extent)]
        counts, _, _ = np.histogram2d(
            inside[:, 0], inside[:, 1], bins=bins, range=square
        )
        shares.append((counts + 0.5) / (counts + 0.5).sum())
    r, f = shares
    middle = (r + f) / 2
    js = (_relative_entropy(r, middle) + _relative_entropy(f, middle)) / 2
    return {"kl": _relative_entropy(r, f), "js": js}


def reverse_kl(answers, num_modes):
    """KL divergence from the modes of generated samples to equal shares.

        KL(f, u) = sum over modes of f log(f num_modes)

    0 for equal shares, `log(num_modes)` for one mode alone. `n` samples of
    equal shares give about `(num_modes - 1) / (2 n)`.

    Args:
        answers: Integer array `(n,)`: the mode of each sample, from 0.
        num_modes: Integer.

    Returns:
        A float, in nats.

    Reference:
        [Metz et al., 2016 (Unrolled GAN)](https://arxiv.org/abs/1611.02163),
        section 3.3.1
    """
    shares = np.bincount(answers, minlength=num_modes) / len(answers)
    return _relative_entropy(shares, np.full(num_modes, 1 / num_modes))


def _relative_entropy(p, q):
    here = p > 0
    return float(np.sum(p[here] * np.log(p[here] / q[here])))
