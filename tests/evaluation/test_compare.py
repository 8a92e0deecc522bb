"""Subjects side by side: the shipped generator has the scores of its card."""

import json
from pathlib import Path

import numpy as np
import pytest

from ganlab import metrics
from ganlab.errors import UserError
from ganlab.evaluation import compare, reference
from ganlab.evaluation.subjects import Subject
from ganlab.features import efficientnet
from ganlab.features.extractors import load_extractor

LITE0 = frozenset({"efficientnet-lite0"})
SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.mark.slow
def test_the_shipped_card_has_the_scores_of_the_shipped_generator():
    card = json.loads((SHIPPED / "card.json").read_text())
    kept = card["metrics"]
    comparison = compare.compare([SHIPPED])
    shipped = comparison.subjects[str(SHIPPED)]
    assert kept["protocol"] == shipped.protocol.as_dict()
    for name, score in shipped.scores.items():
        value = kept["scores"][name]["value"]
        # K-means ends elsewhere on another processor.
        tolerance = 0.1 if name == "ndb" else 0.02 * score.value
        assert value == pytest.approx(score.value, abs=tolerance)


def test_a_table_names_the_extractor_and_scales_kid():
    score = metrics.Score(0.002, 0.001, 0.003, 0.0005)
    columns = {"a\n": {"fid": score, "kid": score}, "b": {}}
    header, fid, kid = compare.table(columns, "pixels")
    assert header.split() == ["a\\n", "b"]
    assert fid.split() == ["FID[pixels]", "0.00200", "[0.00100,", "0.00300]"]
    assert kid.split() == ["KID[pixels]", "x", "1000", "2.00", "[1.00,", "3.00]"]


@pytest.mark.parametrize("value", ["good", [1.0], {}])
def test_scores_that_are_no_numbers_are_refused_as_they_are_read(tmp_path, value):
    score = {"value": value, "low": 0.0, "high": 1.0, "standard_error": 0.1}
    record = {"scores": {"fid": score}, "protocol": {}}
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"subjects": {"a": record}}))
    with pytest.raises(UserError, match=r"Expected scores from.*fid of "):
        compare.read_scores(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"subjects": {"a": 1}}'])
def test_what_holds_no_scores_is_refused(tmp_path, content):
    path = tmp_path / "scores.json"
    path.write_text(content)
    with pytest.raises(UserError, match="Expected (scores from|JSON in)"):
        compare.read_scores(path)


def test_features_that_a_subject_was_trained_on_are_refused(monkeypatch):
    images = np.zeros((8, 16, 16, 3), np.uint8)
    subject = Subject(Path("run"), images.shape[1:], images, frozen=LITE0)
    monkeypatch.setattr(compare, "load_subject", lambda *arguments: subject)
    with pytest.raises(UserError, match="that the discriminator is not made of"):
        compare.compare(["run"], data="npz:none", features="efficientnet-lite0")


@pytest.mark.parametrize(
    ("frozen", "expected"), [(frozenset(), "efficientnet-lite0"), (LITE0, "pixels")]
)
def test_no_default_features_are_those_that_a_subject_was_trained_on(
    monkeypatch, tmp_path, frozen, expected
):
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "real.npz", images=images)
    subject = Subject(Path("run"), images.shape[1:], images, frozen=frozen)
    asked = []

    def load(spec, shape):
        asked.append(spec)
        return load_extractor("pixels", shape)

    monkeypatch.setattr(efficientnet, "weights_file", lambda: Path("weights"))
    monkeypatch.setattr(reference, "load_extractor", load)
    monkeypatch.setattr(compare, "load_subject", lambda *arguments: subject)
    compare.compare(["run"], data=f"npz:{tmp_path / 'real.npz'}")
    assert asked == [expected]
