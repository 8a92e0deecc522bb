"""Draws the discriminator's decision surface over a toy 2-D mixture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ganlab import metrics
from ganlab.callbacks.periodic import PictureCallback
from ganlab.callbacks.run_log import RunLog
from ganlab.data.toy2d import Mixture
from ganlab.models import forward
from ganlab.provenance.marks import COMPOSITE, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUM_SAMPLES = 2500
NUM_DRAWN = 1000
NUM_ARROWS = 150
RESOLUTION = 80
MIN_CONTRAST = 1e-3  # of the belief around one half, so that noise is not magnified
REAL, FAKE = "#1b7837", "#762a83"


class DecisionSurface(PictureCallback):
    """Draws real and fake samples, the decision surface and the generator's gradient.

    As GAN Lab does: the background is the discriminator's belief, green where
    it says real and purple where it says fake, and each arrow shows where the
    generator's loss would move a fake sample. Beside the picture it logs
    `modes_hit`, `high_quality_share`, `kl` and `js` of 2,500 samples: see
    `ganlab.metrics`.

    A discriminator of packs sees packs of one sample repeated.

    Args:
        directory: The run's folder.
        mixture: The `ganlab.data.toy2d.Mixture` that is learned.
        every: Integer: steps between pictures. One is drawn before the first
            step and one after the last.
        seed: Integer: seeds the latents.
        run_log: A `RunLog`, or `None`.

    Reference:
        [Kahng et al., 2018 (GAN Lab)](https://arxiv.org/abs/1809.01587)
    """

    def __init__(
        self,
        directory: Path | str,
        mixture: Mixture,
        every: int = 500,
        seed: int = 0,
        run_log: RunLog | None = None,
    ) -> None:
        super().__init__(directory, every, seed, run_log, Mark(source_type=COMPOSITE))
        self.mixture = mixture
        self._real, _ = mixture.sample(NUM_SAMPLES, seed=seed + 1)

    def run(self, step: int) -> None:
        fake = self.model.sample(NUM_SAMPLES, self.seed)
        mixture = self.mixture
        scores = metrics.mode_scores(fake, mixture.centers, mixture.deviation)
        scores |= metrics.grid_divergences(self._real, fake, mixture.extent)
        title = (
            f"step {step}: {scores['modes_hit']} of {len(mixture.centers)} modes, "
            f"{scores['high_quality_share']:.0%} high quality, "
            f"JS {scores['js']:.2f}"
        )
        self.save_picture(step, "decision_surface", self._draw(title, fake))
        if self.run_log is not None:
            self.run_log.scalars(step, scores)

    def _belief(self, fake: np.ndarray) -> np.ndarray:
        """Sigmoid of the logits on a grid, from halfway between real and fake."""
        ticks = np.linspace(-self.mixture.extent, self.mixture.extent, RESOLUTION)
        grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        real_logits, fake_logits, grid_logits = (
            self._logits(keras.ops.convert_to_tensor(samples, "float32")).numpy()
            for samples in (self._real, fake, grid)
        )
        middle = (real_logits.mean() + fake_logits.mean()) / 2
        belief = 1 / (1 + np.exp(middle - grid_logits.astype(np.float64)))
        return belief.reshape(RESOLUTION, RESOLUTION)

    def _logits(self, samples: Any) -> Any:
        packed = keras.ops.tile(samples, (1, self.model.packing))
        discriminator = self.model.discriminator
        outputs = forward.call(discriminator, packed, labels=None, training=False)
        return forward.logits_of(outputs)

    def directions(self, fake: np.ndarray) -> np.ndarray:
        """Where the generator's loss moves fake samples: its negative gradient."""
        fake_samples = keras.ops.convert_to_tensor(fake)
        real_samples = keras.ops.convert_to_tensor(self._real[: len(fake)])
        with tf.GradientTape() as tape:
            tape.watch(fake_samples)
            loss = self.model.objective.loss.generator(
                self._logits(real_samples), self._logits(fake_samples)
            )
        return -tape.gradient(loss, fake_samples).numpy()

    def _draw(self, title: str, fake: np.ndarray) -> np.ndarray:
        """The picture as a uint8 array `(600, 700, 3)`."""
        # Runs on images draw none, and start sooner without matplotlib.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        extent = self.mixture.extent
        figure = Figure(figsize=(7, 6), dpi=100, layout="constrained")
        axes = figure.add_subplot(
            xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal"
        )
        belief = self._belief(fake)
        contrast = max(float(np.abs(belief - 0.5).max()), MIN_CONTRAST)
        surface = axes.imshow(
            belief,
            extent=(-extent, extent, -extent, extent),
            origin="lower",
            cmap="PRGn",
            vmin=0.5 - contrast,
            vmax=0.5 + contrast,
            alpha=0.6,
        )
        figure.colorbar(surface, ax=axes, shrink=0.7, label="discriminator's belief")
        real_x, real_y = self._real[:NUM_DRAWN].T
        axes.scatter(real_x, real_y, s=16, color=REAL, label="real")
        fake_x, fake_y = fake[:NUM_DRAWN].T
        axes.scatter(fake_x, fake_y, s=4, color=FAKE, label="fake")
        self._draw_arrows(axes, fake[:NUM_ARROWS])
        axes.set_title(title, fontsize=11)
        axes.legend(loc="upper right", fontsize=8, markerscale=2)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def _draw_arrows(self, axes: "Axes", fake: np.ndarray) -> None:
        directions = self.directions(fake)
        longest = np.linalg.norm(directions, axis=1).max()
        if longest == 0:
            return
        arrows = directions / longest * self.mixture.extent / 8
        axes.quiver(
            *fake.T,
            *arrows.T,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.003,
            color="black",
            label="generator's gradient",
        )
