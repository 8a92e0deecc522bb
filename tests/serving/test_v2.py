"""Triton's client drives the Open Inference Protocol, and so does plain JSON."""

from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
LABELS = np.array([8, 1, 2, 3, 9], np.int32)
LATENTS = sampling.draw_latents(5, 64, seed=3)
INFER = "/v2/models/fashion/infer"


@pytest.fixture(scope="module")
def artifact():
    return Artifact(FASHION)


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient("{}:{}".format(*server.socket_name)) as client:
        yield client


def tensor(name, array, binary=True):
    kinds = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}
    tensor = triton.InferInput(name, list(array.shape), kinds[str(array.dtype)])
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def as_json(name, array):
    kinds = {"f": "FP32", "i": "INT32" if array.dtype.itemsize == 4 else "INT64"}
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": kinds[array.dtype.kind],
        "data": array.tolist(),
    }


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("fashion")
    assert client.is_model_ready("again", "1")
    assert not client.is_model_ready("stranger")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert client.get_model_metadata("fashion") == {
        "name": "fashion",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [
            {"name": "latents", "datatype": "FP32", "shape": [-1, 64]},
            {"name": "labels", "datatype": "INT32", "shape": [-1]},
        ],
        "outputs": [
            {"name": "images", "datatype": "FP32", "shape": [-1, 28, 28, 1]},
            {"name": "pixels", "datatype": "UINT8", "shape": [-1, 28, 28, 1]},
        ],
    }


@pytest.mark.parametrize("binary_output", [False, True])
@pytest.mark.parametrize("binary_input", [False, True])
def test_inference_in_json_and_in_binary(client, artifact, binary_input, binary_output):
    wanted = [
        triton.InferRequestedOutput(name, binary_data=binary_output)
        for name in ("images", "pixels")
    ]
    result = client.infer(
        "fashion",
        [
            tensor("latents", LATENTS, binary_input),
            tensor("labels", LABELS, binary_input),
        ],
        outputs=wanted,
        request_id="seven",
    )
    expected = artifact.generate(LATENTS, LABELS)
    np.testing.assert_array_equal(result.as_numpy("images"), expected)
    stored = artifact.kind.to_stored(expected, artifact.output_range)
    np.testing.assert_array_equal(result.as_numpy("pixels"), stored)
    assert result.get_response()["id"] == "seven"
    assert result.get_response()["model_name"] == "fashion"


def test_all_outputs_come_where_none_is_named(client, artifact):
    inputs = [tensor("latents", LATENTS), tensor("labels", LABELS)]
    result = client.infer("again", inputs, model_version="1", timeout=20_000_000)
    assert result.as_numpy("images").shape == (5, 28, 28, 1)
    assert result.as_numpy("pixels").dtype == np.uint8


def test_a_seed_travels_as_a_tensor_and_gives_its_first_image(client, artifact):
    seeds = np.array([5, 0, 5, 7], np.int64)
    labels = np.array([1, 2, 1, 3], np.int32)
    result = client.infer("fashion", [tensor("seeds", seeds), tensor("labels", labels)])
    pixels = result.as_numpy("pixels")
    for index, (seed, label) in enumerate(zip(seeds, labels, strict=True)):
        alone = artifact.sample(1, int(seed), [int(label)])
        np.testing.assert_array_equal(pixels[index : index + 1], alone)
    np.testing.assert_array_equal(pixels[0], pixels[2])


def test_the_client_reads_errors(client):
    with pytest.raises(InferenceServerException, match="Expected a model of: fashion"):
        client.get_model_metadata("stranger")
    inputs = [tensor("latents", LATENTS[:, :3]), tensor("labels", LABELS)]
    with pytest.raises(InferenceServerException, match="64") as caught:
        client.infer("fashion", inputs)
    assert caught.value.status() == "400"


NAN = np.full((5, 64), np.nan, np.float32)
GOOD = {"latents": LATENTS, "labels": LABELS}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"latents": LATENTS}, "Expected 5 labels"),
        ({"labels": LABELS}, "Expected the tensor latents, or seeds"),
        ({**GOOD, "labels": LABELS[:3]}, "labels from 0 to 9"),
        ({**GOOD, "labels": LABELS + 10}, "labels from 0 to 9"),
        ({**GOOD, "labels": -LABELS - 1}, "labels from 0 to 9"),
        ({**GOOD, "labels": LABELS[:, None]}, "labels from 0 to 9"),
        ({**GOOD, "latents": LATENTS[:, :7]}, "latents of shape"),
        ({**GOOD, "latents": LATENTS[:2]}, "Expected 2 labels"),
        ({"labels": LABELS, "latents": LATENTS[:2]}, "as many latents as labels"),
        ({**GOOD, "latents": LATENTS[None]}, "labels"),
        ({**GOOD, "seeds": LABELS.astype(np.int64)}, "in the place of latents"),
        ({"seeds": -LABELS.astype(np.int64), "labels": LABELS}, "0 or more"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_tensors_are_one_line(server, ask, arrays, message):
    inputs = [as_json(name, array) for name, array in arrays.items()]
    status, _, content = ask(server, INFER, {"inputs": inputs})
    assert status == 400
    assert message in content["error"]
    assert "\n" not in content["error"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_latents_without_an_image_are_one_line(client, value):
    latents = np.full((5, 64), value, np.float32)
    with pytest.raises(InferenceServerException, match="Expected .*latents") as caught:
        client.infer("fashion", [tensor("latents", latents), tensor("labels", LABELS)])
    assert caught.value.status() == "400"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outputs": [{"name": "sound"}]}, "outputs of: images, pixels"),
        ({"outputs": {"name": "images"}}, "Expected outputs, a list"),
        ({"outputs": ["images"]}, "an output, an object"),
        ({"parameters": {"priority": 1}}, "Received: 'priority'"),
        ({"parameters": {"timeout": -1}}, "a timeout in microseconds"),
        ({"parameters": {"binary_data_output": 1}}, "Expected true or false"),
        ({"parameters": [1]}, "Expected parameters, an object"),
        ({"id": 7}, "Expected an id"),
        ({"id": "x" * 300}, "Expected an id"),
        ({"model": "x"}, "Received: 'model'"),
    ],
    ids=str,
)
def test_fields_that_would_be_ignored_are_one_line(server, ask, change, message):
    inputs = [as_json(name, array) for name, array in GOOD.items()]
    status, _, content = ask(server, INFER, {"inputs": inputs, **change})
    assert status == 400
    assert message in content["error"]


def test_too_many_images_are_one_line(server, ask):
    labels = np.zeros(257, np.int32)
    inputs = [as_json("seeds", labels.astype(np.int64)), as_json("labels", labels)]
    status, _, content = ask(server, INFER, {"inputs": inputs})
    assert status == 400
    assert content["error"] == "Expected 1 to 256 images a request. Received: 257"


def test_other_versions_are_not_there(server, ask):
    status, _, content = ask(server, "/v2/models/fashion/versions/2")
    assert status == 404
    assert "of version 1. Received: 'fashion', '2'" in content["error"]
