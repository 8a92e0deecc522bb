"""The page of a server is bound by a policy, and its parts are had by their names."""

import pytest

from ganlab.serving.parts import DOCUMENT, SERVED


def test_the_document_is_bound_by_a_policy(server, ask):
    status, headers, content = ask(server, "/?seed=7")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert content.decode() == DOCUMENT
    rules = dict(
        r.split(" ", 1) for r in headers["Content-Security-Policy"].split("; ")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "kind"), [("page.js", "text/javascript"), ("theme.css", "text/css")]
)
def test_parts_are_served_by_name(server, ask, name, kind):
    status, headers, content = ask(server, f"/page/{name}")
    assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
    assert content.decode() == SERVED[name]


@pytest.mark.parametrize("name", ["nope.js", "page.py", "..%2fpage.py", "%2e%2e"])
def test_a_name_leads_to_no_file(server, ask, name):
    status, _, content = ask(server, f"/page/{name}")
    assert status == 404
    assert content["error"].startswith("Expected a p")
