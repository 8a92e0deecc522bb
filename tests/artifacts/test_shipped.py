"""What comes with the repository is whole, small, and draws what its picture shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import Artifact, pictures
from ganlab.artifacts.card import FORMATS
from ganlab.artifacts.export import SAMPLE_COLUMNS

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.parent for path in (ROOT / "saved_models").glob("*/card.json"))
MAX_BYTES = 3_500_000  # of the float32 file


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_picture_is_of_the_files(path, tmp_path):
    artifact = Artifact(path)
    count, labels = pictures.grid_contents(len(artifact.class_names), SAMPLE_COLUMNS)
    drawn = tmp_path / "samples.png"
    samples = artifact.sample(count, seed=0, labels=labels)
    pictures.save(samples, drawn, None, SAMPLE_COLUMNS, artifact.mark(0))
    with Image.open(drawn) as image, Image.open(path / "samples.png") as expected:
        difference = np.subtract(image, expected, dtype=int, casting="unsafe")
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_format_is_whole_scored_and_small(path, format):
    artifact = Artifact(path, format)
    assert (path / FORMATS[format]).stat().st_size < MAX_BYTES
    assert artifact.card["formats"][format]["fid"]["value"] > 0
    assert np.isfinite(artifact.generate(np.zeros((1, artifact.latent_dim)), [0])).all()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_card_names_no_folder_of_its_maker(path):
    text = (path / "card.json").read_text() + (path / "README.md").read_text()
    assert not any(place in text for place in ("/work", "/home", "/root", "/tmp"))
