"""The probe measures before training, now and then, and at the end."""

import numpy as np
import pytest

from ganlab.callbacks import HealthProbe
from ganlab.callbacks.scalars import SCALARS


@pytest.mark.e2e
def test_measurements_are_logged(
    make_gan, images, run_log, read_rows, read_events, tmp_path
):
    gan = make_gan(loss="hinge")
    probe = HealthProbe(run_log, images[0], every=2, clock=lambda: 0.0)
    gan.fit(images[0], batch_size=4, verbose=0, callbacks=[probe])
    run_log.close()
    event, *rows = read_rows(tmp_path)
    assert (event["event"], event["step"], event["loss"]) == ("began", 0, "hinge")
    assert [row["step"] for row in rows] == [0, 2, 4]
    named = {key for key in rows[0] if "/" not in key}
    assert named - {"step", "seconds"} <= set(SCALARS)
    assert "logits/fake" in read_events(tmp_path).Tags()["tensors"]


@pytest.mark.e2e
def test_the_first_measurement_is_not_counted(make_gan, images, run_log):
    readings = iter(range(1000))
    probe = HealthProbe(run_log, images[0], every=99, clock=lambda: next(readings))
    gan = make_gan()
    gan.fit(images[0], batch_size=4, verbose=0, callbacks=[probe])
    assert probe.seconds == 1.0  # the one at the end


class _Probe:
    """Gives the same measurement again and again."""

    def __init__(self, gan, lead):
        self.gan = gan
        self._lead = lead

    def weights_of_generator(self):
        return []

    def measure(self, before):
        values = {"gradient_norm/d": 1.0, "gradient_norm/g": 2.0}
        if before is not None:
            values["g_step_gain"] = 5.0
        logits = {"real": np.full((4, 1), self._lead), "fake": np.zeros((4, 1))}
        return values, logits


@pytest.mark.parametrize(
    ("d_losses", "lead", "gain"),
    [
        ([1.0, 0.5, 0.5], -2.0, -5.0),  # real images have learned to be below 0
        ([1.0, 0.5, 0.5], 2.0, 5.0),
        ([1.0, 1.5, 1.5], -2.0, 5.0),  # D fails, so the sides are not known
    ],
)
def test_sides_are_those_of_a_discriminator_that_succeeds(
    make_gan, run_log, read_rows, tmp_path, monkeypatch, d_losses, lead, gain
):
    gan = make_gan()
    probe = HealthProbe(run_log, np.zeros((4, 8, 8, 1)), every=1, followed=True)
    monkeypatch.setattr(probe, "_probe", _Probe(gan, lead))
    monkeypatch.setattr(probe, "is_due", lambda step: True)
    probe.set_model(gan)
    probe.on_train_begin()
    for batch, d_loss in enumerate(d_losses):
        probe.on_train_batch_begin(batch)
        probe.on_train_batch_end(batch, {"d_loss": d_loss})
    run_log.close()
    row = read_rows(tmp_path)[-1]
    assert row["g_step_gain"] == gain
    assert row["logit_real"] == (lead if gain > 0 else -lead)
    assert (row["d_gradient_norm"], row["g_gradient_norm"]) == (1.0, 2.0)
