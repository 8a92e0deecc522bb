"""Are features those of the networks that they are called by?"""

import hashlib
import io
import pickle
import threading
import urllib.error
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from PIL import Image

from ganlab import load_data
from ganlab.errors import RunError, UserError
from ganlab.features import extractors, inception
from ganlab.features.extractors import load_extractor
from ganlab.features.torch_weights import read_state_dict

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


def pictures(count, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


@pytest.fixture(scope="module")
def ported(torch_fidelity, tmp_path_factory):
    """torch-fidelity's Inception with random weights, and the file of its weights."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patched:
        module = "torch_fidelity.feature_extractor_inceptionv3"
        patched.setattr(f"{module}.load_state_dict_from_url", lambda *_, **__: {})
        patched.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
        network = FeatureExtractorInceptionV3("port", ["2048", "logits_unbiased"])
    for part in network.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, 0.4)
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.running_mean, 0.0, 0.1)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(part.weight, 0.6, 1.1)
            torch.nn.init.normal_(part.bias, 0.0, 0.2)
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return network, path


def test_inception_equals_torch_fidelitys_through_its_resize(ported):
    import torch

    network, path = ported
    keras.config.set_dtype_policy("mixed_float16")  # which must not reach it
    run = extractors.inception_runner(inception.build(inception.read_weights(path)))
    for size in (28, 64, 299, 320):
        images = pictures(2, (size, size, 3), seed=size)
        with torch.no_grad():
            channels_first = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
            theirs = [each.numpy() for each in network(channels_first)]
        ours = run(extractors._as_floats(images))
        assert theirs[0].std() > 0.1
        for mine, port in zip(ours, theirs, strict=True):
            assert mine.shape == port.shape
            np.testing.assert_allclose(mine, port, atol=1e-4, err_msg=str(size))


def test_the_original_graphs_constants_are_the_ports(ported, tmp_path):
    _, path = ported
    state = read_state_dict(path)
    graph = tf.compat.v1.GraphDef()

    def add(name, value):
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

    for port, original in inception.names().items():
        kernel = state[f"{port}.conv.weight"].transpose(2, 3, 1, 0)
        add(f"{original}/conv2d_params", kernel)
        for theirs, ours in (
            ("weight", "gamma"),
            ("bias", "beta"),
            ("running_mean", "moving_mean"),
            ("running_var", "moving_variance"),
        ):
            add(f"{original}/batchnorm/{ours}", state[f"{port}.bn.{theirs}"])
    add("softmax/weights", state["fc.weight"].T)
    file = tmp_path / "classify_image_graph_def.pb"
    file.write_bytes(graph.SerializeToString())
    ours, theirs = inception.read_weights(file), inception.read_weights(path)
    assert ours.keys() == theirs.keys()
    for name in ours:
        for mine, port in zip(ours[name], theirs[name], strict=True):
            np.testing.assert_array_equal(mine, port)
    names = set(inception.names().values())
    assert len(names) == 94
    assert {"conv_4", "mixed/tower_1/conv_2", "mixed_10/tower_1/mixed/conv_1"} <= names
    file.write_bytes(b"\xff\xff not a graph")
    with pytest.raises(UserError, match="frozen TensorFlow graph"):
        inception.read_weights(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_are_read_without_torch(tmp_path, zipped):
    import torch

    state = {
        "a.weight": torch.randn(4, 3, 2, 2),
        "a.count": torch.tensor(7),
        "view": torch.arange(10.0)[4:8].reshape(2, 2),
        "half": torch.ones(3, dtype=torch.float16),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
    }
    path = tmp_path / "a.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    found = read_state_dict(path)
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"torch\.save"):
        read_state_dict(path)


class Exploit:
    """What a hostile file holds."""

    def __reduce__(self):
        return (print, ("executed",))


def test_a_hostile_torch_file_executes_nothing(tmp_path, capsys):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"x": Exploit()}, protocol=2))
    with pytest.raises(UserError, match="call of .*print, which is not executed"):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(Exploit()))
    with pytest.raises(UserError, match="not executed"):
        read_state_dict(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"hello", b"\x80\x02.", b"\x80\x02}q."]
)
def test_a_broken_torch_file_is_one_line(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match="Expected tensors that torch.save") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


def test_inceptions_weights_must_be_its_own(ported, tmp_path):
    _, path = ported
    with pytest.raises(UserError, match="of SHA-256 6726825d.*fetch-inception"):
        load_extractor(f"inception:{path}", COLOUR)
    with pytest.raises(UserError, match="run ganlab fetch-inception"):
        load_extractor(f"inception:{tmp_path / 'none.pth'}", COLOUR)


def test_inception_from_a_file_of_the_right_hash(ported, monkeypatch):
    _, path = ported
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "SHA256", digest)
    extractor = load_extractor(f"inception:{path}", GREY)
    found, logits = extractor.extract(pictures(2, GREY))
    assert (found.shape, logits.shape) == ((2, 2048), (2, 1008))
    assert extractor.sha256 == digest
    assert "TensorFlow 1 bilinear" in extractor.resizer


@pytest.fixture
def server():
    """A server of one file, and its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"weights")

        def log_message(self, *_):
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}/file"
    served.shutdown()
    thread.join()
    served.server_close()


def test_fetch_checks_the_hash(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(
        RunError, match="Expected a file of SHA-256 00.*nothing was kept"
    ):
        inception.fetch(server, "00")
    assert not list((tmp_path / "ganlab").iterdir())
    told = []
    digest = hashlib.sha256(b"weights").hexdigest()
    path = inception.fetch(server, digest, lambda *done: told.append(done))
    assert path.read_bytes() == b"weights"
    assert told == [(7, 7)]
    assert inception.fetch("http://127.0.0.1:1/none", digest) == path  # kept


def test_fetch_without_a_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(RunError, match="no network.*inception:FILE"):
        inception.fetch()
    assert not list((tmp_path / "ganlab").iterdir())


def test_the_shipped_classifier_is_small_and_right():
    data = load_data("fashion_mnist")
    extractor = load_extractor("fashion_mnist", GREY)
    told = []
    found, logits = extractor.extract(
        data.images[:1000], lambda *done: told.append(done)
    )
    assert found.shape == (1000, 128)
    assert np.mean(logits.argmax(axis=1) == data.labels[:1000]) > 0.91
    assert extractor.class_names == data.class_names
    assert told[-1] == (1000, 1000)
    path = extractors.importlib_resources.files("ganlab.features.classifiers")
    assert len((path / extractors.FASHION_FILE).read_bytes()) < 1_000_000
    floats = data.images[:50].astype(np.float32) / 127.5 - 1.0
    np.testing.assert_allclose(extractor.extract(floats)[0], found[:50], atol=1e-5)
    with pytest.raises(UserError, match="grey images of 28 pixels"):
        load_extractor("fashion_mnist", COLOUR)


def test_a_changed_classifier_is_refused(monkeypatch):
    monkeypatch.setattr(extractors, "FASHION_SHA256", "0" * 64)
    with pytest.raises(UserError, match="SHA-256.*install ganlab again"):
        load_extractor("fashion_mnist", GREY)


def test_shares_are_softmax():
    shares = extractors.class_shares(np.array([[0.0, np.log(3.0)], [1e4, 0.0]]))
    np.testing.assert_allclose(shares, [[0.25, 0.75], [1.0, 0.0]])


def test_pixels_are_means_of_boxes():
    images = pictures(3, (32, 32, 3))
    found, logits = load_extractor("pixels", (32, 32, 3)).extract(images)
    boxes = images.reshape(3, 8, 4, 8, 4, 3).mean(axis=(2, 4)) / 127.5 - 1.0
    np.testing.assert_allclose(found, boxes.reshape(3, -1), atol=1e-6)
    assert logits is None


def small_model(path, **outputs):
    inputs = keras.Input((16, 16, 1), name="images")
    maps = keras.layers.Conv2D(5, 3, name="maps")(inputs)
    means = keras.layers.GlobalAveragePooling2D(name="features")(maps)
    found = {"maps": maps, "features": means}
    model = keras.Model(inputs, [found[name] for name in outputs["names"]])
    model.save(path)
    return model


@pytest.mark.parametrize("names", [["maps"], ["maps", "features"]])
def test_a_keras_model_gives_its_features(tmp_path, names):
    model = small_model(tmp_path / "a.keras", names=names)
    images = pictures(6, (16, 16, 1))
    extractor = load_extractor(f"model:{tmp_path / 'a.keras'}", (16, 16, 1))
    found, _ = extractor.extract(images)
    maps = model(images / 127.5 - 1.0)
    maps = maps[0] if isinstance(maps, list) else maps
    np.testing.assert_allclose(found, np.mean(maps, axis=(1, 2)), atol=1e-5)
    assert extractor.name == "model:a.keras"
    with pytest.raises(UserError, match="images of 1 channels.*Received: 3"):
        extractor.extract(pictures(2, COLOUR))


def test_images_are_resized_as_pillow_does(tmp_path):
    small_model(tmp_path / "a.keras", names=["features"])
    extractor = load_extractor(f"model:{tmp_path / 'a.keras'}", GREY)
    images = pictures(2, GREY)
    resized = np.stack(
        [
            np.asarray(
                Image.fromarray(image[..., 0].astype(np.float32)).resize(
                    (16, 16), Image.Resampling.BICUBIC
                )
            )
            for image in images
        ]
    )[..., None]
    model = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    expected = model.predict(resized / 127.5 - 1.0, verbose=0)
    np.testing.assert_allclose(extractor.extract(images)[0], expected, atol=1e-5)


def test_an_onnx_model_gives_what_keras_gives(tmp_path):
    path = extractors.importlib_resources.files("ganlab.features.classifiers")
    content = (path / extractors.FASHION_FILE).read_bytes()
    (tmp_path / "a.onnx").write_bytes(content)
    images = pictures(4, GREY)
    ours, logits = load_extractor(f"model:{tmp_path / 'a.onnx'}", GREY).extract(images)
    theirs, their_logits = load_extractor("fashion_mnist", GREY).extract(images)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(logits, their_logits)
    assert onnx.load_model_from_string(content).ir_version > 0


def test_a_network_of_keras_applications(tmp_path):
    network = keras.applications.MobileNetV2(
        include_top=False, pooling="avg", input_shape=(224, 224, 3), weights=None
    )
    file = tmp_path / "a.weights.h5"
    network.save_weights(file)
    extractor = load_extractor(f"keras:MobileNetV2:{file}", GREY)
    images = pictures(2, (224, 224, 3))
    found, _ = extractor.extract(images)
    scaled = keras.applications.mobilenet_v2.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(found, network.predict(scaled, verbose=0), atol=1e-4)
    assert extractor.extract(pictures(2, GREY))[0].shape == (2, 1280)


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        ("vgg", COLOUR, "one of: fashion_mnist, inception"),
        ("keras:Nothing", COLOUR, "MobileNetV2"),
        ("keras:preprocess_input", COLOUR, "MobileNetV2"),
        ("keras:MobileNetV2:none.weights.h5", COLOUR, "weights of MobileNetV2"),
        ("model:none.onnx", COLOUR, "a file that exists"),
        ("points", COLOUR, "points of the plane"),
        ("pixels", (2,), "points for points of the plane"),
    ],
)
def test_a_mistake_in_a_spec_is_one_line(spec, shape, message):
    with pytest.raises(UserError, match=message) as caught:
        load_extractor(spec, shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".onnx", ".keras", ".txt"])
def test_a_broken_model_is_one_line(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError) as caught:
        load_extractor(f"model:{path}", GREY)
    assert "\n" not in str(caught.value)


def test_a_model_with_code_is_refused(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Lambda(lambda x: x[:, 0, 0])]
    )
    model.save(tmp_path / "a.keras")
    with pytest.raises(UserError, match="loads in safe mode"):
        load_extractor(f"model:{tmp_path / 'a.keras'}", (8, 8, 1))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28, 1), np.uint8), "1 image or more"),
        (np.full((3, 28, 28, 1), 128.0), r"floats in \[-1, 1\]. Received: float64"),
        (np.full((3, 28, 28, 1), np.nan), "Received: float64 in .nan"),
        (np.zeros((3, 28, 28, 1), np.int64), "Received: int64"),
    ],
)
def test_images_of_another_range_are_refused(images, message):
    with pytest.raises(UserError, match=message):
        load_extractor("pixels", GREY).extract(images)


def test_the_default_depends_on_the_images(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert extractors.default_spec((2,)) == "points"
    assert extractors.default_spec(GREY) == "fashion_mnist"
    assert extractors.default_spec(COLOUR) == "pixels"
    inception.cached_file().parent.mkdir()
    inception.cached_file().write_bytes(io.BytesIO(b"").read())
    assert extractors.default_spec(COLOUR) == "inception"
