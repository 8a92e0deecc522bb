"""Fixtures: a server of two artifacts, what asks it, and small artifacts."""

import http.client
import json
import socket
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganlab.artifacts.card import describe_generator, hash_files, write_card
from ganlab.serving.limits import Limits
from ganlab.serving.models import load_models
from ganlab.serving.server import Server
from ganlab.serving.service import Service

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="session")
def start():
    """A function that starts a server of artifacts, by limits."""
    running = []

    def start(*specs, **limits):
        limits = Limits(**limits)
        models = load_models(list(map(str, specs)), "float32", limits.max_images)
        server = Server(Service(models, limits), "127.0.0.1", 0)
        thread = threading.Thread(target=server.serve_until_stopped)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        return server

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def server(start):
    """A server of the shipped generator, under two names."""
    return start(FASHION, f"again={FASHION}")


@pytest.fixture(scope="session")
def ask():
    """A function that asks a server, and gives status, headers and content.

    What is no bytes goes as JSON, and comes from JSON.
    """

    def ask(server, path, body=None, method=None, **headers):
        connection = http.client.HTTPConnection(*server.socket_name, timeout=60)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        method = method or ("GET" if body is None else "POST")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        if reply.headers.get_content_type() == "application/json":
            content = json.loads(content)
        return reply.status, reply.headers, content

    return ask


@pytest.fixture(scope="session")
def raw():
    """A function that sends bytes to a server, and gives what comes back."""

    def send(server, *parts, pause=0.0):
        with socket.create_connection(server.socket_name, timeout=60) as connection:
            answer = b""
            try:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
            return answer

    return send


@pytest.fixture(scope="session")
def write_artifact():
    """A function that writes an artifact of samples of a shape into a new folder."""

    def write(folder, shape):
        """A generator without classes: one dense layer, whose output is reshaped."""
        weights = np.random.default_rng(0).standard_normal((6, np.prod(shape)))
        tensors = [
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array(np.array([-1, *shape]), "shape"),
        ]
        nodes = [
            helper.make_node("MatMul", ["latents", "weights"], ["flat"]),
            helper.make_node("Tanh", ["flat"], ["bounded"]),
            helper.make_node("Reshape", ["bounded", "shape"], ["images"]),
        ]
        latents, images = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *sizes])
            for name, sizes in (("latents", (6,)), ("images", shape))
        )
        graph = helper.make_graph(nodes, "generator", [latents], [images], tensors)
        opset = [helper.make_opsetid("", 18)]
        folder.mkdir()
        onnx.save(
            helper.make_model(graph, opset_imports=opset, ir_version=8),
            folder / "generator.onnx",
        )
        card = describe_generator(
            latent_shapes=[(6,)],
            image_shape=shape,
            class_names=(),
            parameters=weights.size,
            opset=18,
            training={},
            attribution="Made by people",
        )
        write_card(folder, card | {"files": hash_files(folder)})
        return folder

    return write


@pytest.fixture(scope="session")
def left_taken():
    """A function of a batcher: what is taken once answers that were read are over."""

    def wait(batcher):
        give_up = time.monotonic() + 10.0  # an answer is read before its place is free
        while batcher.taken and time.monotonic() < give_up:
            time.sleep(0.01)
        return batcher.taken

    return wait
