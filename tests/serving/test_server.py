"""Connections have an end; the same seed gives the same image whoever else asks."""

import asyncio
import http.client
import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ganlab.artifacts.artifact import Artifact
from ganlab.errors import UserError
from ganlab.serving import server as module
from ganlab.serving import service
from ganlab.serving.server import bind

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
SAMPLE = "/v1/models/fashion:sample"
HEAD = b"POST /v1/models/fashion:sample HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.e2e
def test_the_same_seed_gives_the_same_image_whoever_else_asks(server, ask):
    artifact = Artifact(FASHION)
    expected = {
        (seed, count): artifact.sample(count, seed)
        for seed in range(4)
        for count in (1, 3, 10, 65)
    }

    def check(key):
        seed, count = key
        body = {"seed": seed, "count": count, "format": "npy"}
        status, _, content = ask(server, SAMPLE, body)
        assert status == 200
        np.testing.assert_array_equal(np.load(io.BytesIO(content)), expected[key])

    with ThreadPoolExecutor(16) as clients:
        list(clients.map(check, list(expected) * 4))


def test_many_clients_are_answered_with_200_and_429_alone(start, ask, left_taken):
    small = start(FASHION, max_images=8, queue=16)

    def request(index):
        status, headers, _ = ask(small, SAMPLE, {"seed": index, "count": 8})
        assert status == 200 or int(headers["Retry-After"]) >= 1
        return status

    with ThreadPoolExecutor(32) as clients:
        statuses = list(clients.map(request, range(128)))
    assert set(statuses) == {200, 429}
    assert left_taken(small.service.batchers["fashion"]) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"NOTHING\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_refused(server, ask, raw, content):
    answer = raw(server, content)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"Expected" in answer
    assert ask(server, "/v2/health/live")[0] == 200


def test_endless_headers_are_cut(server, ask, raw):
    parts = [b"GET / HTTP/1.1\r\n"] + [b"X-Long: " + b"x" * 100_000 + b"\r\n"] * 100
    answer = raw(server, *parts)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert ask(server, "/v2/health/live")[0] == 200


def test_a_body_without_an_end_is_cut(server, ask, raw):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    parts = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"] + [chunk] * 100
    answer = raw(server, *parts)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert ask(server, "/v2/health/live")[0] == 200


def test_a_cut_body_costs_nothing(server, ask, left_taken):
    with socket.create_connection(server.socket_name) as connection:
        connection.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"seed":')
    assert ask(server, SAMPLE, {"count": 1})[0] == 200
    assert left_taken(server.service.batchers["fashion"]) == 0


def test_slow_heads_and_bodies_are_told_so(server, ask, raw, monkeypatch):
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(service, "BODY_SECONDS", 0.3)
    head = raw(server, b"GET / HTTP/1.1\r\n", b"X: ")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"Expected headers within 0.3 seconds" in head
    body = raw(server, HEAD + b"Content-Length: 100\r\n\r\n", b"{")
    assert body.startswith(b"HTTP/1.1 408")
    assert b"Expected a body within 0.3 seconds" in body
    assert raw(server, b"").startswith(b"HTTP/1.1 408")


def test_too_many_connections_are_refused(server, ask, raw, monkeypatch):
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 0)
    answer = raw(server, b"")
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"retry-after: 1" in answer
    monkeypatch.undo()
    assert ask(server, "/v2/health/live")[0] == 200


def test_a_client_that_does_not_read_is_cut(server, ask, monkeypatch):
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.3)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(server.socket_name)
    body = b'{"count": 256, "format": "npy"}'
    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
    with connection:
        connection.sendall((HEAD + length + body) * 30)
        for _ in range(600):
            if not server.service.batchers["fashion"].taken:
                break
            time.sleep(0.05)
    assert server.service.batchers["fashion"].taken == 0
    assert ask(server, "/v2/health/live")[0] == 200


def test_requests_on_one_connection_are_answered_in_turn(server):
    connection = http.client.HTTPConnection(*server.socket_name, timeout=60)
    for seed in range(3):
        connection.request("POST", SAMPLE, f'{{"seed": {seed}, "count": 1}}')
        reply = connection.getresponse()
        assert reply.status == 200
        reply.read()
    connection.close()


def test_what_was_taken_is_answered_when_the_server_stops(start, ask, monkeypatch):
    stopping = start(FASHION)
    batcher = stopping.service.batchers["fashion"]
    whole, reached = batcher.samples, threading.Event()

    async def slow(latents, labels, seconds):
        reached.set()
        await asyncio.sleep(1.0)
        return await whole(latents, labels, seconds)

    monkeypatch.setattr(batcher, "samples", slow)
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(ask, stopping, SAMPLE, {"count": 2})
        reached.wait(60)
        stopping.should_exit = True
        assert answer.result(60)[0] == 200
    with pytest.raises(ConnectionError):
        ask(stopping, "/v2/health/live")


def test_a_port_in_use_and_a_strange_address_are_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match="a port that is in use") as caught:
            bind("127.0.0.1", port)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="an address that this machine has not"):
        bind("203.0.113.1", 0)


def test_a_connection_to_be_closed_is_let_go_of(start, ask, monkeypatch):
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.3)
    narrow = start(FASHION)
    narrow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(narrow.socket_name)
    body = b'{"count": 40, "format": "npy"}'  # less than what pauses writing
    close = f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with connection:
        connection.sendall(HEAD + close + body)
        for expected in (1, 0):
            for _ in range(600):
                if len(narrow.server_state.connections) == expected:
                    break
                time.sleep(0.05)
            assert len(narrow.server_state.connections) == expected
