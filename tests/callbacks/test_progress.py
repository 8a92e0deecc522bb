"""Progress is written to the stream that is named."""

import io

import pytest

from ganlab.callbacks import ProgressBar, StageBars, decoding_bar, progress


@pytest.mark.e2e
def test_a_line_names_the_step_and_the_losses(make_gan, fit):
    stream = io.StringIO()
    fit(make_gan(), [ProgressBar(10, stream)])
    last_line = stream.getvalue().strip().splitlines()[-1]
    assert last_line.startswith("10/10")
    assert "D(G(z))" in last_line


def test_short_stages_show_nothing():
    stream = io.StringIO()
    show = decoding_bar(stream)
    show(1, 2)
    show(2, 2)
    bars = StageBars(stream)
    bars("real features", 1, 2)
    bars("scores", 1, 1)
    bars.close()
    assert "Decoding" not in stream.getvalue()
    assert "scores" not in stream.getvalue()


def test_a_stage_named_by_a_file_controls_no_terminal(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    stream = io.StringIO()
    stream.isatty = lambda: True
    bars = StageBars(stream)
    bars("\x1b[2J: features", 1, 2)
    bars.close()
    assert r"\u001b[2J: features" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
