"""Inception's weights: read from port and graph, downloaded, and checked."""

import hashlib
import threading
import urllib.error
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import tensorflow as tf

from ganlab.errors import RunError, UserError
from ganlab.features import inception, inception_weights
from ganlab.features.torch_weights import read_state_dict


@pytest.mark.e2e
def test_the_original_graphs_constants_are_the_ports(ported, tmp_path):
    _, path = ported
    state = read_state_dict(path)
    graph = tf.compat.v1.GraphDef()

    def add(name, value):
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

    for port, original in inception.graph_names().items():
        kernel = state[f"{port}.conv.weight"].transpose(2, 3, 1, 0)
        add(f"{original}/conv2d_params", kernel)
        for port_name, graph_name in (
            ("weight", "gamma"),
            ("bias", "beta"),
            ("running_mean", "moving_mean"),
            ("running_var", "moving_variance"),
        ):
            add(f"{original}/batchnorm/{graph_name}", state[f"{port}.bn.{port_name}"])
    add("softmax/weights", state["fc.weight"].T)
    file = tmp_path / "classify_image_graph_def.pb"
    file.write_bytes(graph.SerializeToString())
    from_graph = inception_weights.read_weights(file)
    from_port = inception_weights.read_weights(path)
    assert from_graph.keys() == from_port.keys()
    for name in from_graph:
        for original, port in zip(from_graph[name], from_port[name], strict=True):
            np.testing.assert_array_equal(original, port)
    names = set(inception.graph_names().values())
    assert len(names) == 94
    assert {"conv_4", "mixed/tower_1/conv_2", "mixed_10/tower_1/mixed/conv_1"} <= names
    file.write_bytes(b"\xff\xff not a graph")
    with pytest.raises(UserError, match="frozen TensorFlow graph"):
        inception_weights.read_weights(file)


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
        inception_weights.fetch(server, "00")
    assert not list((tmp_path / "ganlab").iterdir())
    progress = []
    digest = hashlib.sha256(b"weights").hexdigest()
    path = inception_weights.fetch(server, digest, lambda *done: progress.append(done))
    assert path.read_bytes() == b"weights"
    assert progress == [(7, 7)]
    assert inception_weights.fetch("http://127.0.0.1:1/none", digest) == path  # kept


def test_fetch_without_a_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(RunError, match="no network.*inception:FILE"):
        inception_weights.fetch()
    assert not list((tmp_path / "ganlab").iterdir())
