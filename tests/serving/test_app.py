"""What holds for every request: hosts, heads, paths, methods, faults, logs."""

import json
import logging

import numpy as np
import pytest

from ganlab.serving.batcher import BusyError

SAMPLE = "/v1/models/fashion:sample"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/..",
        "/v2/models/../../etc/passwd",
        "/v2/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/infer",
        "/v2/models/fashion%2f..%2f..",
        "/v2/models/fashion%00",
        "/v2/models//infer",
        "/v1/models/..:sample",
        "/v1/models/fashion%2fgenerator.onnx:sample",
        "/v1/models/fashion/generator.onnx",
        "/v2/models/" + "a" * 5000,
        "/card.json",
        "/%0d%0aSet-Cookie:%20a=b",
    ],
    ids=lambda path: path[:40],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_names_lead_to_no_file(server, ask, path, method):
    status, headers, content = ask(server, path, method=method)
    assert status in (404, 405)
    assert content["error"].startswith("Expected")
    assert "\n" not in content["error"]
    assert len(content["error"]) < 500
    assert "Set-Cookie" not in headers


def test_another_method_is_named(server, ask):
    status, headers, content = ask(server, SAMPLE, method="DELETE")
    assert (status, headers["Allow"]) == (405, "POST")
    assert content["error"] == f"Expected POST for {SAMPLE}. Received: DELETE"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_on_loopback_other_hosts_are_refused(server, ask, host):
    status, _, content = ask(server, "/v2", Host=host)
    assert status == 421
    assert "127.0.0.1 or localhost" in content["error"]
    assert ask(server, "/v2", Host="localhost:80")[0] == 200


def test_long_heads_are_refused(server, ask):
    status, _, content = ask(server, "/v2", X_Long="x" * 20_000)
    assert status == 431
    assert "at most 16,384 bytes" in content["error"]


def test_long_and_compressed_bodies_are_refused(server, ask):
    status, headers, content = ask(server, SAMPLE, b" " * (1 << 20))
    assert (status, headers["Connection"]) == (413, "close")
    assert content["error"].startswith("Expected a body of at most")
    status, _, content = ask(server, SAMPLE, b"{}", Content_Encoding="gzip")
    assert status == 415
    assert "not compressed" in content["error"]


def test_what_there_is_no_place_for_is_429_and_told_when_to_come_back(
    server, ask, left_taken
):
    service = server.service
    batcher = service.batchers["again"]
    with batcher.taking(batcher.capacity, 10.0):
        status, headers, content = ask(server, "/v1/models/again:sample", {"count": 1})
        assert status == 429
        assert int(headers["Retry-After"]) >= 1
        assert "images at once from all clients" in content["error"]
        assert ask(server, SAMPLE, {"count": 1})[0] == 200  # the other has its own
    assert ask(server, "/v1/models/again:sample", {"count": 1})[0] == 200
    assert left_taken(batcher) == 0


def test_a_time_that_cannot_be_kept_is_429(server, ask, monkeypatch):
    async def late(latents, labels, seconds):
        raise BusyError("Expected an answer within 0 seconds. Received: none", 3)

    monkeypatch.setattr(server.service.batchers["again"], "samples", late)
    status, headers, _ = ask(server, "/v1/models/again:sample", {"count": 1})
    assert (status, headers["Retry-After"]) == (429, "3")


def test_a_fault_is_one_line_and_its_trace_is_in_the_log(
    server, ask, monkeypatch, caplog, left_taken
):
    async def fail(latents, labels, seconds):
        raise RuntimeError("secret")

    monkeypatch.setattr(server.service.batchers["again"], "samples", fail)
    with caplog.at_level(logging.INFO, "ganlab.serving"):
        status, _, content = ask(server, "/v1/models/again:sample", {"count": 1})
    assert status == 500
    assert "secret" not in content["error"]
    fault = json.loads(caplog.records[0].getMessage())
    assert fault["event"] == "fault"
    assert "RuntimeError: secret" in fault["trace"]
    assert left_taken(server.service.batchers["again"]) == 0


def test_a_request_is_one_line_of_json(server, ask, caplog):
    with caplog.at_level(logging.INFO, "ganlab.serving"):
        ask(server, SAMPLE, {"count": 3})
        ask(server, "/a%0ab")
        ask(server, "/v2/health/live")
    lines = [record.getMessage() for record in caplog.records]
    assert all("\n" not in line for line in lines)
    sample, wrong = map(json.loads, lines)
    assert sample["model"] == "fashion"
    assert (sample["route"], sample["status"], sample["images"]) == ("sample", 200, 3)
    assert sample["seconds"] > 0
    assert (wrong["path"], wrong["status"]) == ("/a\nb", 404)


def test_numbers_without_an_end_are_the_clients_mistake(server, ask, monkeypatch):
    async def infinite(latents, labels, seconds):
        return np.full((len(latents), 28, 28, 1), np.inf, np.float32)

    monkeypatch.setattr(server.service.batchers["again"], "samples", infinite)
    status, _, content = ask(server, "/v1/models/again:sample", {"count": 1})
    assert status == 400
    assert "finite numbers" in content["error"]
