"""The page needs nothing but its own parts, and every text stays text."""

import re

import pytest

from ganlab.serving.page import DOCUMENT, FILES

MODULES = {name: text for name, text in FILES.items() if name.endswith(".js")}


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
    assert content.decode() == FILES[name]


@pytest.mark.parametrize("name", ["nope.js", "page.py", "..%2fpage.py", "%2e%2e"])
def test_a_name_leads_to_no_file(server, ask, name):
    status, _, content = ask(server, f"/page/{name}")
    assert status == 404
    assert content["error"].startswith("Expected a p")


def test_nothing_comes_from_elsewhere():
    page = "".join([DOCUMENT, *FILES.values()])
    addresses = set(re.findall(r"https?://[^\s'\"]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, never asked for
    for outside in ("@import", "url(", "<iframe", "import(", "//cdn"):
        assert outside not in page
    linked = re.findall(r"\b(?:src|href)=\"([^\"]*)", DOCUMENT)
    for target in linked:
        assert target.startswith("data:") or target.removeprefix("page/") in FILES
    for text in MODULES.values():
        for target in re.findall(r'from "([^"]*)"', text):
            assert target.removeprefix("./") in MODULES


def test_no_text_becomes_markup_or_code():
    sinks = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    for text in MODULES.values():
        for sink in (*sinks, "new Function"):
            assert sink not in text
    assert not re.search(r"\son\w+=|\sstyle=|javascript:|<style", DOCUMENT)


def test_every_element_that_a_module_asks_for_is_there():
    ids = re.findall(r'\bid="([a-z-]+)"', DOCUMENT)
    assert len(set(ids)) == len(ids)
    asked = set(re.findall(r'byId\("([a-z-]+)"\)', "".join(MODULES.values())))
    assert asked <= set(ids)
    assert len(asked) > 25
