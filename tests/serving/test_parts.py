"""The page needs nothing but its own parts, and every text stays text."""

import re

import pytest

from ganlab.serving.parts import COMMON, DOCUMENT, IN_BROWSER, SERVED

MODULES = {
    f"{source} {name}": text
    for source, parts in (("server", SERVED), ("browser", IN_BROWSER))
    for name, text in parts.items()
    if name.endswith(".js")
}
CALLS = re.compile(r"^export (?:async )?function (\w+)\(", re.MULTILINE)


def test_both_sources_answer_the_same_calls():
    calls = {name: set(CALLS.findall(MODULES[name])) for name in MODULES}
    assert calls["server source.js"] == calls["browser source.js"]
    imported = re.findall(
        r"import \{ ([^}]*) \} from \"./source.js\"", "".join(COMMON.values())
    )
    assert {name for names in imported for name in names.split(", ")} == calls[
        "server source.js"
    ]


@pytest.mark.parametrize("parts", [SERVED, IN_BROWSER], ids=["server", "browser"])
def test_nothing_comes_from_elsewhere(parts):
    page = "".join([DOCUMENT, *parts.values()])
    addresses = set(re.findall(r"https?://[^\s'\"]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, never asked for
    for outside in ("@import", "url(", "<iframe", "import(", "//cdn"):
        assert outside not in page
    linked = re.findall(r"\b(?:src|href)=\"([^\"]*)", DOCUMENT)
    for target in linked:
        assert target.startswith("data:") or target.removeprefix("page/") in parts
    for name, text in parts.items():
        for target in re.findall(r'from "([^"]*)"', text):
            assert target.removeprefix("./") in {*parts, "onnxruntime.js"}, name


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
