"""The page without a server: what is written, and what a browser draws by itself."""

import json
import re
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact
from ganlab.errors import RunError, UserError
from ganlab.provenance import marks
from ganlab.serving import onnxruntime_web, static
from ganlab.serving.parts import IN_BROWSER

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
READY = "document.body.dataset.state === 'ready'"
LARGE = "document.getElementById('large')"


@pytest.fixture
def without_runtime(monkeypatch):
    """Nothing is fetched."""
    contents = dict.fromkeys(onnxruntime_web.FILES, b"runtime")
    monkeypatch.setattr(onnxruntime_web, "fetch", lambda: contents)


@pytest.mark.usefixtures("without_runtime")
def test_what_is_written(tmp_path):
    folder = tmp_path / "site"
    static.write_page(Artifact(FASHION), "fashion", folder)
    for name, text in IN_BROWSER.items():
        assert (folder / "page" / name).read_text() == text
    assert (folder / "page" / "onnxruntime.wasm").read_bytes() == b"runtime"
    generator = folder / "page" / "generator.onnx"
    assert generator.read_bytes() == (FASHION / "generator.onnx").read_bytes()
    document = (folder / "index.html").read_text()
    for target in re.findall(r'(?:href|src)="(page/[^"]*)', document):
        assert (folder / target).is_file()
    assert "script-src 'self' 'wasm-unsafe-eval';" in document
    assert "default-src 'none'" in document
    description = json.loads((folder / "page" / "model.json").read_text())
    assert description["latents"] == {"latents": [64]}
    assert description["range"] == [-1.0, 1.0]
    mark = json.loads(description["marks"]["json"])
    assert mark["seed"] == static.SEED
    assert f'ganlab:seed="{static.SEED}"' in description["marks"]["png"][marks.XMP_KEY]
    assert Artifact(FASHION).sha256 in (folder / "README.md").read_text()


@pytest.mark.usefixtures("without_runtime")
def test_nothing_is_written_over_or_of_a_changed_file(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine").touch()
    with pytest.raises(UserError, match="name another with --web"):
        static.write_page(Artifact(FASHION), "fashion", tmp_path / "site")
    folder = tmp_path / "artifact"
    shutil.copytree(FASHION, folder)
    artifact = Artifact(folder)
    with (folder / "generator.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match="a changed file"):
        static.write_page(artifact, "fashion", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def host(tmp_path_factory, write_artifact, static_host):
    """A static host of the pages of three artifacts; one lacks its WebAssembly."""
    root = tmp_path_factory.mktemp("host")
    artifacts = {"fashion": FASHION, "broken": FASHION}
    for name, shape in {"points": (2,), "colours": (16, 24, 4)}.items():
        artifacts[name] = write_artifact(root / f"artifact-{name}", shape)
    try:
        for name, folder in artifacts.items():
            static.write_page(Artifact(folder), name, root / name)
    except RunError as error:
        pytest.skip(str(error))
    (root / "broken" / "page" / "onnxruntime.wasm").unlink()
    with static_host(root) as url:
        yield SimpleNamespace(url=url, artifacts=artifacts)


@pytest.fixture
def browse(chromium, host):
    """A function that opens a page; in the end it has asked nobody but its host."""

    def open_page(address):
        chromium.open(host.url + address)
        chromium.wait(READY)
        return chromium

    yield open_page
    chromium.check_quiet("blob:", "data:")


def tile(number):
    return f"document.querySelectorAll('.tiles button')[{number}]"


@pytest.mark.e2e
def test_pictures_drawn_in_the_browser_are_those_of_onnxruntime(browse):
    artifact = Artifact(FASHION)
    browser = browse("fashion/?seed=7&truncation=1.2")
    expected = artifact.sample(40, seed=7, truncation=1.2)
    for number in range(40):
        browser.shows(f"{tile(number)}?.firstChild", expected[number], within=1)
    browser.set_value("document.getElementById('truncation')", 2, "change")
    browser.set_value("document.getElementById('class')", 8, "change")
    expected = artifact.sample(40, 7, [8] * 40)
    browser.shows(f"{tile(39)}?.firstChild", expected[39], within=1)
    assert "FID[fashion_mnist]" in browser.run("document.body.textContent")
    browser.run(f"{tile(13)}.click()")
    browser.run(f"{tile(4)}.click()")
    browser.wait("document.querySelectorAll('#strip button').length === 8")
    browser.set_value("document.querySelectorAll('#sliders input')[2]", 3)
    browser.set_value("document.getElementById('position')", 6)
    latents = sampling.draw_latents(40, 64, seed=7)
    frames = sampling.interpolate_latents(latents[[13]], latents[[4]], 8)[5]
    frames = frames + 3 * artifact.principal_directions(3)[2]
    image = artifact.kind.to_stored(artifact.generate(frames, [8]))[0]
    browser.shows(LARGE, image, within=1)


@pytest.mark.e2e
def test_files_that_are_saved_say_what_they_are(browse, host, tmp_path):
    browser = browse("fashion/?seed=7")
    folder = str(tmp_path)
    browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
    artifact = Artifact(FASHION)
    browser.run(f"{tile(13)}.click()")
    browser.shows(LARGE, artifact.sample(14, seed=7)[13], within=1)
    for button in ("#save", "[data-format=png]", "[data-format=zip]"):
        browser.run(f"document.querySelector('{button}').click()")
    names = {"fashion-seed7-picture14.png", "fashion-seed7.png", "fashion-seed7.zip"}
    browser.until(lambda: {path.name for path in tmp_path.iterdir()} == names)
    for name in sorted(names)[:2]:
        assert marks.read_mark(tmp_path / name) == artifact.mark(7)
    with Image.open(tmp_path / "fashion-seed7-picture14.png") as opened:
        difference = np.asarray(opened) - artifact.sample(14, seed=7)[13, ..., 0]
    assert np.abs(difference.astype(np.int8)).max() <= 1
    browser = browse("points/?seed=5")
    browser.run("document.querySelector('[data-format=npz]').click()")
    path = tmp_path / "points-seed5.npz"
    browser.until(path.is_file)
    points = Artifact(host.artifacts["points"])
    with np.load(path) as arrays:
        expected = points.sample(len(arrays["images"]), seed=5)
        np.testing.assert_allclose(arrays["images"], expected, atol=1e-6)
    assert marks.read_mark(path).seeds == (5,)


@pytest.mark.e2e
def test_what_is_missing_is_named(browse, host):
    browser = browse("colours/?seed=3")
    assert browser.run(f"{tile(9)}.ariaLabel") == "Picture 10"
    browser.open(host.url + "broken/")
    browser.wait("!document.getElementById('problem').hidden")
    assert browser.run("document.getElementById('problem').textContent") == (
        "Expected page/onnxruntime.wasm beside this page. Received: 404; copy the "
        "whole folder, then reload the page"
    )
    time.sleep(0.1)
    browser.messages.clear()  # Chromium logs the answer of 404
