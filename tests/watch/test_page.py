"""The page is one document that needs nothing else."""

import base64
import hashlib
import re

from ganlab.watch.page import build_page


def hashes_of(page, tag):
    (content,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_the_policy_allows_the_pages_own_style_and_script_alone():
    content, policy = build_page()
    page = content.decode()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == hashes_of(page, "script")
    assert rules["style-src"] == hashes_of(page, "style")
    assert "unsafe" not in policy
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", page)


def test_nothing_comes_from_elsewhere():
    page = build_page()[0].decode()
    addresses = set(re.findall(r"https?://[^\s'\"]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, never asked for
    for outside in ("@import", "url(", "<iframe", "import("):
        assert outside not in page
    linked = re.findall(r"\b(?:src|href)=[\"']([^\"']*)", page)
    assert all(target.startswith("data:") for target in linked)


def test_text_is_never_taken_for_markup():
    page = build_page()[0].decode()
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
        assert sink not in page
    assert "{style}" not in page
    assert "{script}" not in page


def test_every_element_that_the_script_asks_for_is_there():
    page = build_page()[0].decode()
    ids = re.findall(r'\bid="([a-z-]+)"', page)
    assert len(set(ids)) == len(ids)
    asked = set(re.findall(r'byId\("([a-z-]+)"\)', page))
    assert asked <= set(ids)
    assert len(asked) > 20
