"""Scores are logged within a budget, and the best checkpoint is kept."""

import itertools
import json

import keras
import numpy as np
import pytest

from ganlab import evaluation, metrics
from ganlab.callbacks import Evaluate, evaluate
from ganlab.callbacks.scalars import SCALARS
from ganlab.errors import UserError
from ganlab.runs import RunFolder


def no_time():
    """A clock that stands still: every evaluation is within its budget."""
    return 0.0


@pytest.fixture
def reference(noise, monkeypatch, tmp_path):
    """The noise itself, by its pixels."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return evaluation.load_reference(noise, features="pixels")


@pytest.fixture
def set_fids(monkeypatch):
    """A function that gives the next evaluations their FIDs."""
    evaluate = evaluation.evaluate

    def set_to(*fids):
        remaining = iter(fids)

        def with_fid(*arguments, **options):
            scored = evaluate(*arguments, **options)
            fid = next(remaining)
            scored.scores["fid"] = metrics.Score(fid, fid - 0.01, fid + 0.01, 0.005)
            return scored

        monkeypatch.setattr(evaluation, "evaluate", with_fid)

    return set_to


@pytest.mark.e2e
def test_evaluate_keeps_the_best_and_reports(
    make_gan, fit, reference, run_log, read_rows, set_fids, tmp_path
):
    fids = [0.5, 0.2, 0.4, 0.3, 0.6]
    set_fids(*fids)
    callback = Evaluate(
        tmp_path, reference, every=2, budget=1.0, run_log=run_log, clock=no_time
    )
    fit(make_gan(3), [callback])
    rows = read_rows(tmp_path)
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 10]
    assert [row["fid"] for row in rows] == fids
    assert set(rows[0]) - {"step", "seconds", "protocol"} <= set(SCALARS)
    assert rows[0]["protocol"] == reference.protocol.fingerprint
    folder = RunFolder(tmp_path)
    best = folder.read_best()
    assert best["step"] == 4
    assert best["protocol"]["fingerprint"] == reference.protocol.fingerprint
    assert keras.saving.load_model(folder.find_checkpoint("best")).step == 4
    assert (tmp_path / "checkpoints" / "best.png").exists()
    report = json.loads((tmp_path / "quality.json").read_text())
    assert (report["best"]["step"], report["last"]["step"]) == (4, 10)
    page = (tmp_path / "quality.md").read_text()
    assert "best, step 4" in page
    assert "--checkpoint best" in page
    assert "0.200 [0.190, 0.210]" in page
    assert "(checkpoints/best.png)" in page


@pytest.mark.e2e
def test_training_ends_once_a_score_is_reached(
    make_gan, fit, reference, run_log, read_rows, set_fids, tmp_path
):
    set_fids(0.5, 0.3, 0.2, 0.1)
    until = "fid", 0.3
    options = {"budget": 1.0, "run_log": run_log, "clock": no_time, "until": until}
    fit(make_gan(3), [Evaluate(tmp_path, reference, every=2, **options)])
    *scores, reached = read_rows(tmp_path)
    assert [row["fid"] for row in scores] == [0.5, 0.3]
    assert (reached["step"], reached["event"]) == (4, "reached")
    assert (reached["score"], reached["value"]) == until
    assert RunFolder(tmp_path).read_best()["step"] == 4


@pytest.mark.parametrize(
    ("until", "message"),
    [
        (("fud", 1.0), "Unknown score. Expected one of: fid, kid, .* 'fud'"),
        (("path_length", 1.0), "Unknown score"),
        (("fid", float("nan")), "a finite fid to train until. Received: nan"),
    ],
)
def test_what_is_no_score_is_never_reached(until, message):
    with pytest.raises(UserError, match=message):
        evaluate.check_until(until)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("fid", 0.5, 0.49), ("recall", 0.5, 0.51), ("kid", 500.0, 499.0)],
)
def test_a_score_is_reached_by_its_direction_and_unit(name, good, bad):
    scores = {name: metrics.Score(0.5, 0.4, 0.6, 0.05)}
    assert evaluate.is_reached((name, good), scores)
    assert not evaluate.is_reached((name, bad), scores)


def test_scores_to_train_until_are_of_every_evaluation(reference, noise):
    scored = evaluation.evaluate(reference, noise.images)
    assert set(evaluate.UNTIL) <= set(scored.scores)


@pytest.mark.e2e
def test_evaluate_holds_to_its_budget(make_gan, fit, reference, tmp_path):
    # Each reading of the clock takes a second, and so does each evaluation.
    clock = itertools.count()
    steps = []

    class Counted(Evaluate):
        def run(self, step):
            steps.append(step)
            super().run(step)

    callback = Counted(
        tmp_path, reference, every=1, budget=0.1, clock=lambda: float(next(clock))
    )
    fit(make_gan(3), [callback], epochs=12)
    # Of ten readings one may be an evaluation, but for the first and the last.
    assert steps[0] == 1
    assert steps[-1] == 60
    assert 3 <= len(steps) <= 8
    assert np.diff(steps[:-1]).min() >= 8


@pytest.mark.e2e
def test_a_best_of_another_protocol_is_replaced(
    make_gan, fit, noise, reference, set_fids, tmp_path
):
    folder = RunFolder(tmp_path)
    set_fids(0.1, 0.9)
    fit(make_gan(3), [Evaluate(tmp_path, reference, every=99)])
    assert folder.read_best()["scores"]["fid"]["value"] == 0.1
    other = evaluation.load_reference(noise, features="pixels", num_images=30)
    fit(make_gan(3), [Evaluate(tmp_path, other, every=99)])
    assert folder.read_best()["scores"]["fid"]["value"] == 0.9


def test_features_that_the_discriminator_is_made_of_are_refused(
    make_gan, reference, monkeypatch, tmp_path
):
    name = reference.protocol.extractor
    monkeypatch.setattr(evaluate, "frozen_extractors", lambda network: {name})
    callback = Evaluate(tmp_path, reference)
    callback.set_model(make_gan())
    with pytest.raises(UserError, match=f"is not made of.*Received: {name}"):
        callback.on_train_begin()


def test_what_a_translator_makes_is_scored(reference, monkeypatch, tmp_path):
    class Negative:
        def translate(self, sources):
            return 255 - sources

    given = []

    def record(reference, images, labels):
        given.append((images, labels))
        raise InterruptedError

    monkeypatch.setattr(evaluation, "evaluate", record)
    sources = np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1)
    callback = Evaluate(tmp_path, reference, sources=sources)
    callback.set_model(Negative())
    with pytest.raises(InterruptedError):
        callback.run(1)
    ((images, labels),) = given
    np.testing.assert_array_equal(images, 255 - sources)
    assert labels is None
