"""Every score is taken, seeded, and of the right classes."""

import json

import numpy as np
import pytest

from ganlab import evaluation, metrics
from ganlab.data import image_data


@pytest.mark.e2e
def test_every_score_is_taken_and_in_range(evaluated):
    assert list(evaluated.scores) == [
        name for name in metrics.TITLES if name in evaluated.scores
    ]
    assert set(evaluated.scores) == set(metrics.TITLES)
    for name, score in evaluated.scores.items():
        assert score.low <= score.value <= score.high, name
    assert 0.85 < evaluated.scores["label_accuracy"].value < 1.0
    assert sum(evaluated.details["class_shares"].values()) == pytest.approx(1.0)
    assert set(evaluated.details["class_diversity"]) == set(
        evaluated.details["class_shares"]
    )
    json.dumps(evaluated.as_dict())


@pytest.mark.e2e
def test_the_same_seed_gives_the_same_scores(reference, evaluated):
    again = evaluation.evaluate(reference, evaluated.images, labels=reference.labels)
    for name, score in again.scores.items():
        assert score == evaluated.scores[name]


@pytest.mark.e2e
def test_scores_are_those_of_the_metrics(reference, evaluated):
    features, _ = reference.extractor.extract(evaluated.images)
    assert evaluated.scores["fid"].value == pytest.approx(
        metrics.frechet_distance(reference.features, features)
    )


@pytest.mark.e2e
def test_constant_images_have_numbers(reference):
    flat = evaluation.evaluate(reference, np.full((1000, 28, 28, 1), 7, np.uint8))
    assert flat.scores["recall"].value == 0.0
    assert flat.scores["coverage"].value == 0.0
    assert flat.scores["duplicate_share"].value == 1.0
    assert flat.scores["inception_score"].value == pytest.approx(1.0, abs=1e-5)
    assert flat.details["birthday_support"] == 1.0


@pytest.mark.e2e
def test_classes_of_another_data_set_are_not_taken_for_fashion(fashion):
    shuffled = np.random.default_rng(0).permutation(fashion.labels)
    other = image_data.ImageData(
        "digits", fashion.images, shuffled, fashion.class_names, ()
    )
    reference = evaluation.load_reference(other, num_images=300)
    evaluated = evaluation.evaluate(
        reference, fashion.images[:300], labels=shuffled[:300]
    )
    assert reference.accuracy < 0.3
    assert "label_accuracy" not in evaluated.scores
    assert "class_shares" not in evaluated.details
