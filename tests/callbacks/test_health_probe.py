"""The probe measures before training, now and then, and at the end."""

import numpy as np
import pytest

from ganlab.callbacks import HealthProbe
from ganlab.callbacks.probe import Probe
from ganlab.callbacks.scalars import SCALARS


@pytest.mark.e2e
def test_measurements_are_logged(
    make_gan, images, run_log, read_rows, read_events, tmp_path
):
    gan = make_gan(loss="hinge")
    probe = HealthProbe(run_log, images[0], every=2, clock=lambda: 0.0)
    gan.fit(images[0], batch_size=4, verbose=0, callbacks=[probe])
    run_log.close()
    event, *rows, _ = read_rows(tmp_path)
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


@pytest.mark.e2e
def test_the_start_is_measured_after_the_first_step(
    make_gan, images, run_log, read_rows, tmp_path, monkeypatch
):
    gan = make_gan()
    expected, _ = Probe(gan, images[0], batch_size=4).measure()
    steps, measure = [], Probe.measure

    def note_step(probe, *earlier):
        steps.append(int(gan.step.numpy()))
        return measure(probe, *earlier)

    monkeypatch.setattr(Probe, "measure", note_step)
    probe = HealthProbe(run_log, images[0], batch_size=4, every=99)
    gan.fit(images[0], batch_size=4, verbose=0, callbacks=[probe])
    run_log.close()
    assert steps == [1, 4]
    _, first, last, _ = read_rows(tmp_path)
    kept = {name: value for name, value in expected.items() if name in first}
    assert {name: first[name] for name in kept} == pytest.approx(kept, rel=1e-4)
    assert first["logit_real"] != last["logit_real"]
    assert len(kept) > 20


class _Probe:
    """Gives one measurement after the other."""

    def __init__(self, gan, lead, gains):
        self.gan = gan
        self._lead = lead
        self._gains = iter(gains)

    def trained_weights(self, role):
        return []

    def measure(self, generator_before, discriminator_before):
        values = {"gradient_norm/d": 1.0, "gradient_norm/g": 2.0}
        if generator_before is not None:
            values["g_step_gain"] = 5.0
        if discriminator_before is not None:
            values["d_gain"] = next(self._gains)
        return values, {"real": np.full((4, 1), self._lead), "fake": np.zeros((4, 1))}


@pytest.mark.parametrize(
    ("gains", "lead", "gain"),
    [
        ([0.9, 0.1, -0.9, -0.1], 2.0, 5.0),  # chance, so the lead decides
        ([0.9, 0.1, -0.9, -0.1], -2.0, -5.0),
        ([0.4, 0.5, 0.4, 0.5], -2.0, 5.0),  # the generator is ahead
        ([-0.4, -0.5, -0.4, -0.5], 2.0, -5.0),
    ],
)
def test_sides_are_those_that_the_discriminator_learns(
    make_gan, run_log, read_rows, tmp_path, monkeypatch, gains, lead, gain
):
    gan = make_gan()
    probe = HealthProbe(run_log, np.zeros((4, 8, 8, 1)), every=1, followed=True)
    monkeypatch.setattr(probe, "_probe", _Probe(gan, lead, gains))
    monkeypatch.setattr(probe, "is_due", lambda step: True)
    probe.set_model(gan)
    probe.on_train_begin()
    for batch in range(len(gains)):
        probe.on_train_batch_begin(batch)
        probe.on_train_batch_end(batch)
    run_log.close()
    row, _ = read_rows(tmp_path)[-2:]
    assert row["g_step_gain"] == gain
    assert row["logit_real"] == (lead if gain > 0 else -lead)
    assert (row["d_gradient_norm"], row["g_gradient_norm"]) == (1.0, 2.0)
