"""Toy 2-D mixtures: data whose modes and distances are known exactly.

    ring   8 Gaussians on the unit circle, standard deviation 0.01
    grid   25 Gaussians, 2 apart, standard deviation 0.05

Both are the benches of VEEGAN (https://arxiv.org/abs/1705.07761) and PacGAN
(https://arxiv.org/abs/1712.04086), section 4.1, with PacGAN's sizes.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mixture:
    """Equally likely isotropic Gaussians in the plane.

    Args:
        centers: Float32 array `(modes, 2)`.
        deviation: Float: standard deviation of each.
    """

    centers: np.ndarray
    deviation: float

    @property
    def extent(self) -> float:
        """Half the side of the square about 0 that pictures and scores cover."""
        return 1.25 * float(np.abs(self.centers).max()) + 3 * self.deviation

    def sample(self, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Samples the mixture.

        Returns:
            Float32 array `(count, 2)`, and the int32 mode of each `(count,)`.
        """
        generator = np.random.default_rng(seed)
        modes = generator.integers(len(self.centers), size=count, dtype=np.int32)
        noise = self.deviation * generator.standard_normal((count, 2), dtype=np.float32)
        return self.centers[modes] + noise, modes


def _ring(count: int = 8) -> np.ndarray:
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def _grid(side: int = 5, spacing: float = 2.0) -> np.ndarray:
    axis = spacing * (np.arange(side, dtype=np.float32) - (side - 1) / 2)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


MIXTURES = {"ring": Mixture(_ring(), 0.01), "grid": Mixture(_grid(), 0.05)}


def find_mixture(spec: object) -> Mixture | None:
    """The mixture that a data SPEC names, or `None`."""
    return next((MIXTURES[name] for name in MIXTURES if name == spec), None)
