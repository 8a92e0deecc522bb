"""The OpenAPI document is true: requests made from it, and against it, never break."""

import re

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

ALLOWED = {200, 400, 404, 405, 413, 415, 421, 429, 431}


@pytest.fixture(scope="module")
def document(server, ask):
    status, _, document = ask(server, "/openapi.json")
    assert status == 200
    return document


def test_every_path_is_routed(server, ask, document):
    for path, methods in document["paths"].items():
        path = path.format(name="fashion", version="1", file="page.js")
        for method in methods:
            status, _, _ = ask(server, path, method=method.upper())
            assert status in (200, 400), path


def test_models_and_limits_are_those_of_the_server(document):
    sample = document["paths"]["/v1/models/{name}:sample"]["post"]
    assert sample["parameters"][0]["schema"]["enum"] == ["fashion", "again"]
    count = document["components"]["schemas"]["Sampling"]["properties"]["count"]
    assert count["maximum"] == 256


def send_examples(operation, mode, base):
    """Sends requests made for an operation; returns the statuses of the answers."""
    statuses = set()

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data):
        case = data.draw(operation.as_strategy(generation_mode=mode))
        response = case.call(base_url=base)
        statuses.add(response.status_code)
        assert response.status_code in ALLOWED, response.text
        if response.status_code >= 400 and response.request.method != "HEAD":
            (line,) = response.json().values()
            assert "Expected" in line
            assert "\n" not in line

    send()
    return statuses


@pytest.mark.e2e
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_requests_made_from_the_document_never_break_the_server(server, document, mode):
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations()]
    if mode is GenerationMode.NEGATIVE:  # of what has no input there is no wrong one
        operations = [op for op in operations if op.method == "post"]
    statuses = set()
    for operation in operations:
        statuses |= send_examples(operation, mode, server.url.rstrip("/"))
    assert 400 in statuses
    assert mode is GenerationMode.NEGATIVE or 200 in statuses


def test_every_error_is_of_the_stated_form(server, ask, document):
    schema = document["components"]["schemas"]["Error"]
    for path in ("/nope", "/v2/models/nope", "/v1/models/fashion:sample"):
        status, _, content = ask(server, path, method="GET")
        assert status in (404, 405)
        jsonschema.validate(content, schema)
        assert re.match("Expected .* Received", content["error"])
