"""What servers want to find is there, and is what their schemas and parsers take."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

from ganlab.artifacts.artifact import Artifact
from ganlab.errors import UserError
from ganlab.serving import deploy

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The folder of the shipped generator."""
    folder = tmp_path_factory.mktemp("deployed") / "folder"
    deploy.write_deployment(Artifact(FASHION), "fashion", folder)
    return folder


def test_the_image_holds_what_it_copies(deployed):
    text = (deployed / "Dockerfile").read_text()
    for line in text.splitlines():
        if line.startswith("COPY "):
            assert (deployed / line.split()[1]).exists()
    assert '"fashion=artifact"' in text
    assert not list((deployed / "ganlab").rglob("*.gz"))
    assert (deployed / "ganlab" / "serving" / "page.html").is_file()
    samples = Artifact(deployed / "artifact").sample(2, seed=7)
    np.testing.assert_array_equal(samples, Artifact(FASHION).sample(2, seed=7))
    requirements = (deployed / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in requirements] == [
        *("httptools", "numpy", "onnxruntime", "orjson", "pillow"),
        *("prometheus_client", "starlette", "threadpoolctl", "uvicorn"),
    ]


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="there is no hadolint")
def test_a_linter_has_nothing_to_say_of_the_image(deployed):
    subprocess.run(["hadolint", deployed / "Dockerfile"], check=True)


def test_the_manifest_is_one_of_kubernetes(deployed):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    text = (deployed / "kubernetes.yaml").read_text()
    documents = list(yaml.safe_load_all(text))
    assert [document["kind"] for document in documents] == ["Deployment", "Service"]
    for document in documents:
        kubernetes_validate.validate(document, "1.30", strict=True)


def test_the_compose_file_builds_and_names_the_image_of_the_manifest(deployed):
    yaml = pytest.importorskip("yaml")
    (service,) = yaml.safe_load((deployed / "compose.yaml").read_text())[
        "services"
    ].values()
    assert service["build"] == "."
    assert f"image: {service['image']}" in (deployed / "kubernetes.yaml").read_text()


def configuration(folder, name):
    protobuf = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    text = (folder / "triton" / name / "config.pbtxt").read_text()
    return text_format.Parse(text, protobuf.ModelConfig())


def test_triton_reads_its_configuration(deployed):
    parsed = configuration(deployed, "fashion")
    assert (parsed.name, parsed.backend) == ("fashion", "onnxruntime")
    latents, labels = parsed.input
    assert (latents.name, list(latents.dims)) == ("latents", [64])
    assert (labels.name, list(labels.dims)) == ("labels", [1])
    assert labels.HasField("reshape")
    assert list(labels.reshape.shape) == []
    assert list(parsed.output[0].dims) == [28, 28, 1]
    model = deployed / "triton" / "fashion" / "1" / "model.onnx"
    assert model.read_bytes() == (FASHION / "generator.onnx").read_bytes()


def test_what_has_no_classes_and_no_saved_model(write_artifact, tmp_path):
    artifact = write_artifact(tmp_path / "source", (5, 2))
    deploy.write_deployment(Artifact(artifact), "series", tmp_path / "folder")
    parsed = configuration(tmp_path / "folder", "series")
    assert [tensor.name for tensor in parsed.input] == ["latents"]
    assert list(parsed.output[0].dims) == [5, 2]
    assert not (tmp_path / "folder" / "tensorflow_serving").exists()


@pytest.mark.e2e
def test_tensorflow_serving_finds_the_model_under_its_version(deployed):
    import tensorflow as tf

    base = deployed / "tensorflow_serving" / "fashion"
    loaded = tf.saved_model.load(str(base / "1"))
    card = json.loads((FASHION / "card.json").read_text())
    latents = np.zeros((2, 64), np.float32)
    labels = np.array([3, len(card["class_names"]) - 1], np.int32)
    serve = loaded.signatures["serving_default"]
    drawn = serve(latents=latents, labels=labels)["images"]
    expected = Artifact(FASHION).generate(latents, labels)
    np.testing.assert_allclose(drawn, expected, atol=1e-4)


def test_a_folder_in_use_and_a_name_of_no_url_are_refused(tmp_path):
    artifact = Artifact(FASHION)
    (tmp_path / "mine").touch()
    with pytest.raises(UserError, match="name another with --deploy"):
        deploy.write_deployment(artifact, "fashion", tmp_path)
    with pytest.raises(UserError, match="Received: 'a b'; rename it"):
        deploy.write_deployment(artifact, "a b", tmp_path / "new")


@pytest.mark.parametrize("name", ["7", "-", "A" * 64, "x." * 32])
def test_a_label_is_one_of_dns(name):
    label = deploy.label(name)
    assert len(label) <= 63
    assert label.replace("-", "a").isalnum()
    assert label[0].isalpha()
    assert label[-1] != "-"
