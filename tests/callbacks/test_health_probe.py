"""The probe measures before training, now and then, and at the end."""

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
