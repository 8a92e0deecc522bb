"""What goes on inside both players while they train?"""

from ganlab.callbacks.periodic import Budgeted
from ganlab.callbacks.probe import Probe
from ganlab.objectives.losses import LOSSES

BUDGET = 0.03


class HealthProbe(Budgeted):
    """Looks inside both players now and then: see `ganlab.callbacks.probe`.

    The first look, before the first step, compiles and is not counted; the others
    are held to a share of the training time. Numbers go to the run log, logits as
    histograms to TensorBoard. What they mean is said by `ganlab diagnose`.

    Args:
        run_log: A `RunLog`.
        real: Float32 images in [-1, 1] that are trained on, or points; 64 are used.
        held_out: Likewise, that are not trained on; or `None`.
        labels: Int32 array of a conditional GAN, or `None`.
        held_out_labels: Likewise.
        batch_size: Integer: images a training batch has.
        every: Integer: steps between looks, at least.
        budget: Float in (0, 1]: largest share of the time.
        seed: Integer: seeds the latents.
    """

    def __init__(
        self,
        run_log,
        real,
        held_out=None,
        labels=None,
        held_out_labels=None,
        *,
        batch_size=64,
        every=100,
        budget=BUDGET,
        seed=0,
    ):
        super().__init__(every, budget)
        self.run_log = run_log
        self._images = (real, held_out, labels, held_out_labels)
        self._options = {"batch_size": batch_size, "seed": seed}
        self._probe = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self._probe is None or self._probe.gan is not self.model:
            self._probe = Probe(self.model, *self._images, **self._options)
        kinds = {cls: name for name, cls in LOSSES.items()}
        loss = type(self.model.objective.loss)
        self.run_log.event(self._acted, "began", loss=kinds.get(loss, loss.__name__))
        self.run(self._acted)
        super().on_train_begin(logs)

    def on_train_end(self, logs=None):
        self.act_at_end()

    def run(self, step):
        values, logits = self._probe.measure()
        self.run_log.scalars(step, values)
        self.run_log.histograms(step, logits)
