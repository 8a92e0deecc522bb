"""Real images, and the shipped generator scored against them."""

from pathlib import Path

import pytest

from ganlab import evaluation, load_data
from ganlab.evaluation.subjects import load_subject

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="session")
def fashion():
    return load_data("fashion_mnist")


@pytest.fixture(scope="session")
def reference(fashion):
    return evaluation.load_reference(fashion, num_images=1000)


@pytest.fixture(scope="session")
def evaluated(reference):
    artifact = load_subject(SHIPPED)
    images, labels = artifact.sample(1000, 0, reference.labels)
    return evaluation.evaluate(
        reference,
        images,
        labels=labels,
        generate=artifact.source.generate,
        latent_dim=artifact.source.latent_dim,
    )
