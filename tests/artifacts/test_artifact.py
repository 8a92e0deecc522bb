"""Loading, refusing and sampling an artifact."""

import numpy as np
import pytest

from ganlab.artifacts.artifact import Artifact
from ganlab.errors import UserError


@pytest.mark.parametrize(
    "name", ["generator.onnx", "generator.keras", "saved_model/saved_model.pb"]
)
def test_one_changed_byte_is_refused(artifact_copy, name):
    content = bytearray((artifact_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (artifact_copy / name).write_bytes(content)
    with pytest.raises(UserError, match=f"SHA-256.*{name}"):
        Artifact(artifact_copy)


def test_an_artifact_needs_its_card_and_its_onnx_file_alone(artifact_copy):
    (artifact_copy / "generator.keras").unlink()
    assert Artifact(artifact_copy).sample(1).shape == (1, 16, 16, 3)
    (artifact_copy / "generator.onnx").unlink()
    with pytest.raises(UserError, match=r"generator\.onnx.*export the run again"):
        Artifact(artifact_copy)
    (artifact_copy / "card.json").unlink()
    with pytest.raises(UserError, match=r"card\.json"):
        Artifact(artifact_copy)


def test_a_card_without_hashes_is_refused(artifact_copy):
    (artifact_copy / "card.json").write_text('{"class_names": [], "files": {}}')
    with pytest.raises(UserError, match="SHA-256"):
        Artifact(artifact_copy)


def test_an_unknown_format_is_refused(exported):
    with pytest.raises(UserError, match="float32, float16, int8"):
        Artifact(exported[1], "int4")


def test_labels_by_number_and_name(exported):
    artifact = Artifact(exported[1])
    assert artifact.label("B") == artifact.label("1") == artifact.label(1) == 1
    for wrong in ("3", "-1", "dog", ""):
        with pytest.raises(UserError, match="0 a, 1 b, 2 c"):
            artifact.label(wrong)
    with pytest.raises(UserError, match="2 labels from 0 to 2"):
        artifact.sample(2, labels=[0, 3])


def test_interpolation_begins_and_ends_at_its_seeds(exported):
    artifact = Artifact(exported[1])
    frames = artifact.interpolate(1, 2, num_images=3, num_frames=4)
    assert frames.shape == (4, 3, 16, 16, 3)
    for frame, seed in ((frames[0], 1), (frames[-1], 2)):
        assert np.abs(frame.astype(int) - artifact.sample(3, seed)).max() <= 1
