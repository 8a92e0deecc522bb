"""How does the game look in the plane?"""

import keras
import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ganlab import metrics
from ganlab.callbacks.periodic import Pictures
from ganlab.models import forward

NUM_POINTS = 2500
NUM_ARROWS = 150
RESOLUTION = 80
REAL, FAKE = "#1b7837", "#762a83"


class DecisionSurface(Pictures):
    """Draws real and fake points, the discriminator and the generator's gradient.

    As GAN Lab does: the background is the discriminator's belief, green where
    it says real and purple where it says fake, and each arrow shows where the
    generator's loss would move a fake point. Beside the picture it logs
    `modes_hit`, `high_quality_share`, `kl` and `js` of 2,500 points: see
    `ganlab.metrics`.

    A discriminator of packs is shown packs of one point repeated.

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

    def __init__(self, directory, mixture, every=500, seed=0, run_log=None):
        super().__init__(directory, every, seed, run_log)
        self.mixture = mixture
        self._real, _ = mixture.sample(NUM_POINTS, seed=seed + 1)

    def act(self, step):
        fake = self.model.sample(NUM_POINTS, self.seed)
        extent = self.mixture.extent
        scores = metrics.mode_scores(fake, self.mixture.centers, self.mixture.deviation)
        scores |= metrics.grid_divergences(self._real, fake, extent)
        self.show(step, "plane", self._draw(step, fake, scores))
        if self.run_log is not None:
            self.run_log.scalars(step, scores)

    def _belief(self, fake):
        """Sigmoid of D's logits over the plane, from halfway between both sides."""
        at = np.linspace(-self.mixture.extent, self.mixture.extent, RESOLUTION)
        plane = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
        real, fake, everywhere = (
            self._logits(keras.ops.convert_to_tensor(points, "float32")).numpy()
            for points in (self._real, fake, plane)
        )
        middle = (real.mean() + fake.mean()) / 2
        belief = 1 / (1 + np.exp(middle - everywhere.astype(np.float64)))
        return belief.reshape(RESOLUTION, RESOLUTION)

    def _logits(self, points):
        packed = keras.ops.tile(points, (1, self.model.packing))
        outputs = forward.call(self.model.discriminator, packed, None, False)
        return forward.logits_of(outputs)

    def _directions(self, fake):
        """Where the generator's loss pushes fake points: its negative gradient."""
        fake = keras.ops.convert_to_tensor(fake)
        real = keras.ops.convert_to_tensor(self._real[: len(fake)])
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = self.model.objective.loss.generator(
                self._logits(real), self._logits(fake)
            )
        return -tape.gradient(loss, fake).numpy()

    def _draw(self, step, fake, scores):
        extent = self.mixture.extent
        figure = Figure(figsize=(7, 6), dpi=100, layout="constrained")
        axes = figure.add_subplot(
            xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal"
        )
        belief = self._belief(fake)
        reach = max(float(np.abs(belief - 0.5).max()), 1e-3)
        heat = axes.imshow(
            belief,
            extent=(-extent, extent) * 2,
            origin="lower",
            cmap="PRGn",
            vmin=0.5 - reach,
            vmax=0.5 + reach,
            alpha=0.6,
        )
        figure.colorbar(heat, ax=axes, shrink=0.7, label="discriminator's belief")
        axes.scatter(*self._real[:1000].T, s=16, color=REAL, label="real")
        axes.scatter(*fake[:1000].T, s=4, color=FAKE, label="fake")
        some = fake[:NUM_ARROWS]
        moves = self._directions(some)
        longest = np.linalg.norm(moves, axis=1).max()
        if longest > 0:
            moves = moves / longest * extent / 8
            axes.quiver(
                *some.T,
                *moves.T,
                angles="xy",
                scale_units="xy",
                scale=1,
                width=0.003,
                color="black",
                label="generator's gradient",
            )
        axes.set_title(
            f"step {step}: {scores['modes_hit']} of {len(self.mixture.centers)} modes, "
            f"{scores['high_quality_share']:.0%} high quality, "
            f"JS {scores['js']:.2f}",
            fontsize=11,
        )
        axes.legend(loc="upper right", fontsize=8, markerscale=2)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
