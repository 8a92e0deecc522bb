"""`:sample` gives the files of `ganlab sample`, `:predict` what TF Serving does."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import pictures, sampling
from ganlab.artifacts.artifact import Artifact

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
SAMPLE, PREDICT = "/v1/models/fashion:sample", "/v1/models/fashion:predict"
LATENTS = sampling.draw_latents(3, 64, seed=1)
LABELS = [4, 0, 9]


@pytest.fixture(scope="module")
def artifact():
    return Artifact(FASHION)


def test_an_array_is_that_of_the_seed(server, ask, artifact):
    status, headers, content = ask(
        server, SAMPLE, {"seed": 7, "count": 70, "format": "npy"}
    )
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="fashion.npy"'
    assert json.loads(headers["Ganlab-Provenance"]) == json.loads(artifact.mark(7).json)
    images = np.load(io.BytesIO(content))
    np.testing.assert_array_equal(images, artifact.sample(70, seed=7))


@pytest.mark.parametrize("label", ["bag", 8])
def test_a_class_and_a_truncation_are_heeded(server, ask, artifact, label):
    wanted = {"count": 4, "label": label, "truncation": 0.7, "format": "npy"}
    _, _, content = ask(server, SAMPLE, wanted)
    expected = artifact.sample(4, 0, [8] * 4, truncation=0.7)
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), expected)


@pytest.mark.parametrize("body", [b"", {}, {"seed": 0, "format": "png"}], ids=repr)
def test_a_grid_is_the_file_that_the_command_writes(
    server, ask, artifact, tmp_path, body
):
    status, headers, content = ask(server, SAMPLE, body)
    assert (status, headers["Content-Type"]) == (200, "image/png")
    labels = artifact.labels(64)
    path = tmp_path / "samples.png"
    pictures.save(artifact.sample(64), path, labels, 10, artifact.mark(0))
    assert content == path.read_bytes()


def test_pictures_come_in_a_zip_file(server, ask, artifact):
    wanted = {"seed": 2, "count": 3, "format": "zip"}
    _, headers, content = ask(server, SAMPLE, wanted)
    assert headers["Content-Type"] == "application/zip"
    expected = artifact.sample(3, seed=2)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = ["00000-class0.png", "00001-class1.png", "00002-class2.png"]
        assert archive.namelist() == names
        for name, image in zip(names, expected, strict=True):
            picture = Image.open(io.BytesIO(archive.read(name)))
            np.testing.assert_array_equal(np.asarray(picture), image[..., 0])
    assert ask(server, SAMPLE, wanted)[2] == content


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"sede": 1}, "truncation, first, last, shift, format alone"),
        ([1], "a request, an object"),
        ({"count": 0}, "1 to 256 images"),
        ({"count": 10**12}, "1 to 256 images"),
        ({"count": 2.5}, "a count of 0 or more"),
        ({"count": True}, "a count of 0 or more"),
        ({"count": "4"}, "a count of 0 or more"),
        ({"seed": -1}, "a seed of 0 or more"),
        ({"seed": 2**63}, "a seed of 0 or more"),
        ({"label": "Hat"}, "Unknown label"),
        ({"label": 10}, "Unknown label"),
        ({"label": -1}, "Unknown label"),
        ({"label": True}, "Expected a label"),
        ({"label": [1]}, "Expected a label"),
        ({"truncation": 0}, "a truncation above 0"),
        ({"truncation": -1.0}, "a truncation above 0"),
        ({"truncation": "1"}, "a truncation above 0"),
        ({"format": "gif"}, "Expected one of: png, zip, npy"),
        ({"format": "../../etc/passwd"}, "Unknown format"),
        ({"format": ["png"]}, "Unknown format"),
        (b"{", "a body of JSON"),
        (b'{"truncation": NaN}', "a body of JSON"),
    ],
    ids=repr,
)
def test_mistakes_are_one_line(server, ask, body, message):
    status, _, content = ask(server, SAMPLE, body)
    assert status == 400
    assert message in content["error"]
    assert "\n" not in content["error"]


def test_what_is_served_is_listed(server, ask):
    _, _, content = ask(server, "/v1/models")
    assert [model["name"] for model in content["models"]] == ["fashion", "again"]
    assert content["models"][0]["class_names"][8] == "Bag"
    assert content["models"][0]["formats"] == ["png", "zip", "npy"]


def test_predictions_by_rows_and_by_columns(server, ask, artifact):
    expected = artifact.generate(LATENTS, LABELS)
    instances = [
        {"latents": latents.tolist(), "labels": label}
        for latents, label in zip(LATENTS, LABELS, strict=True)
    ]
    status, _, content = ask(server, PREDICT, {"instances": instances})
    assert status == 200
    np.testing.assert_array_equal(np.float32(content["predictions"]), expected)
    columns = {"latents": LATENTS.tolist(), "labels": LABELS}
    wanted = {"signature_name": "serving_default", "inputs": columns}
    _, _, content = ask(server, "/v1/models/fashion/versions/1:predict", wanted)
    np.testing.assert_array_equal(np.float32(content["outputs"]), expected)


def test_the_state_is_told_as_tf_serving_does(server, ask):
    _, _, content = ask(server, "/v1/models/fashion")
    (state,) = content["model_version_status"]
    assert (state["version"], state["state"]) == ("1", "AVAILABLE")


ROW = {"latents": [0.0] * 64, "labels": 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Expected either instances"),
        ({"instances": [ROW], "inputs": {}}, "Expected either instances"),
        ({"instances": []}, "a list of 1 or more"),
        ({"instances": ROW}, "a list of 1 or more"),
        ({"instances": [[0.0] * 64]}, "Expected latents, labels by name"),
        ({"instances": [ROW, 1]}, "an instance, an object"),
        ({"instances": [{"latents": [0.0] * 64}]}, "Expected latents, labels in each"),
        ({"instances": [{**ROW, "x": 1}]}, "Received: 'x'"),
        ({"instances": [{**ROW, "latents": [0.0] * 63}]}, "latents of shape"),
        ({"instances": [{**ROW, "latents": ["0"] * 64}]}, "lists of numbers"),
        ({"instances": [{**ROW, "labels": 10}]}, "labels from 0 to 9"),
        ({"instances": [{**ROW, "labels": 1.0}]}, "lists of integers"),
        ({"inputs": [[0.0] * 64]}, "Expected latents, labels by name"),
        ({"inputs": {"latents": [[0.0] * 64]}}, "Expected latents, labels"),
        ({"inputs": {"latents": [[1e39] * 64], "labels": [1]}}, "finite latents"),
        ({"instances": [ROW], "signature_name": "other"}, "serving_default"),
        ({"instances": [ROW] * 257}, "1 to 256 images"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_predictions_are_one_line(server, ask, body, message):
    status, _, content = ask(server, PREDICT, body)
    assert status == 400
    assert message in content["error"]
    assert "\n" not in content["error"]
