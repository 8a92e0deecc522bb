"""The card: contents, round trip, hashes."""

import json
from pathlib import Path

import pytest

from ganlab import Artifact
from ganlab.artifacts import card
from ganlab.errors import UserError

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


def test_the_card_describes_inputs_and_outputs():
    contents = card.describe_generator(
        latent_shapes=[(8,), (4, 4, 1)],
        image_shape=(16, 16, 3),
        output_range=(0.0, 1.0),
        class_names=("a", "b"),
        parameters=10,
        opset=18,
        training={"data": "noise"},
        license="mit",
    )
    assert contents["inputs"]["latents"]["shape"] == [None, 8]
    assert contents["inputs"]["latents_1"]["shape"] == [None, 4, 4, 1]
    assert list(contents["inputs"]) == ["latents", "latents_1", "labels"]
    assert contents["inputs"]["labels"]["range"] == [0, 1]
    assert "error on CPUs" in contents["inputs"]["labels"]["out_of_range"]
    assert contents["outputs"]["images"]["range"] == [0.0, 1.0]
    assert (contents["license"], contents["data_license"]) == ("mit", None)
    assert card.read_output(contents) == ((16, 16, 3), (0.0, 1.0))
    assert contents["outputs"]["images"]["shape"] == [None, 16, 16, 3]
    assert contents["class_names"] == ["a", "b"]
    assert contents["training"] == {"data": "noise"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("fashion_mnist", "mit"),
        ("tfds:fashion_mnist:train", "mit"),
        ("folder:fashion_mnist", None),
        ("ring", None),
        (None, None),
    ],
)
def test_licences_of_known_data(spec, expected):
    assert card.data_license(spec) == expected


def test_samples_without_a_bound_have_no_range():
    contents = {"outputs": {"images": {"shape": [None, 64, 2], "range": None}}}
    assert card.read_output(contents) == ((64, 2), (-1.0, 1.0))


@pytest.mark.parametrize(
    "images",
    [
        {},
        {"shape": []},
        {"shape": [None, 0, 2]},
        {"shape": "no"},
        {"shape": [None, 4], "range": [1.0, 1.0]},
        {"shape": [None, 4], "range": [0.0, float("inf")]},
        {"shape": [None, 4], "range": [0.0]},
        3,
    ],
)
def test_a_card_of_no_samples_is_one_clear_error(images):
    with pytest.raises(UserError, match="the shape and the range"):
        card.read_output({"outputs": {"images": images}})


def test_a_card_is_read_as_it_was_written(tmp_path):
    contents = {"class_names": ["é"], "files": {}}
    card.write_card(tmp_path, contents)
    assert card.read_card(tmp_path) == contents
    assert "é" in (tmp_path / "card.json").read_text(encoding="utf-8")


def test_the_hash_of_the_description_leaves_out_what_is_stated_of_files():
    contents = {"class_names": ["a"], "parameters": 10}
    expected = card.sha256(b'{"class_names": ["a"], "parameters": 10}')
    assert card.hash_description(contents) == expected
    of_files = {key: {} for key in ("files", "formats", "metrics", "parity")}
    assert card.hash_description(of_files | contents) == expected
    assert card.hash_description(contents | {"parameters": 11}) != expected


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"class_names": 3, "files": {}}',
        '{"class_names": [], "files": []}',
        '{"class_names": [], "files": {}, "more": "' + "x" * (1 << 20) + '"}',
    ],
)
def test_a_wrong_card_is_one_clear_error(tmp_path, text):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(UserError, match="Expected an artifact's card"):
        card.read_card(tmp_path)


def test_a_folder_without_a_card_is_no_artifact(tmp_path):
    with pytest.raises(UserError, match="ganlab export RUN"):
        card.read_card(tmp_path)


def test_hashes_cover_every_file_but_the_card(tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "a.pb").write_bytes(b"a")
    (tmp_path / "b.onnx").write_bytes(b"b")
    (tmp_path / "card.json").write_text("{}")
    hashes = card.hash_files(tmp_path)
    assert list(hashes) == ["b.onnx", "saved_model/a.pb"]
    card.check_files(tmp_path, {"files": hashes}, except_for=tmp_path / "b.onnx")
    (tmp_path / "b.onnx").write_bytes(b"changed")
    card.check_files(tmp_path, {"files": hashes}, except_for=tmp_path / "b.onnx")
    with pytest.raises(UserError, match=r"SHA-256.*b\.onnx"):
        card.check_files(tmp_path, {"files": hashes}, except_for=tmp_path / "a")


@pytest.mark.parametrize("format", card.FORMATS)
def test_the_shipped_card_matches_its_files(format):
    contents = json.loads((SHIPPED / "card.json").read_text())
    assert contents["files"] == card.hash_files(SHIPPED)
    assert set(contents["formats"]) == set(card.FORMATS)
    assert "training_inference_difference" in contents["parity"]
    assert Artifact(SHIPPED, format).sample(2).shape == (2, 28, 28, 1)
