"""The FID on an artifact's card is that of `ganlab evaluate`."""

from pathlib import Path

import pytest

from ganlab import Artifact, evaluation, load_data
from ganlab.evaluation.artifact_score import score_artifact

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.mark.e2e
def test_the_score_is_that_of_evaluate():
    reference = evaluation.load_reference(load_data("fashion_mnist"), num_images=200)
    artifact = Artifact(SHIPPED, "int8")
    stages = []
    score = score_artifact(reference, artifact, lambda *stage: stages.append(stage))
    images = artifact.sample(200, labels=reference.labels)
    expected = evaluation.evaluate(reference, images, labels=reference.labels)
    assert score["fid"]["value"] == pytest.approx(expected.scores["fid"].value)
    assert score["fingerprint"] == reference.protocol.fingerprint
    assert stages[-1] == ("int8 features", 200, 200)
