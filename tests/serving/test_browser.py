"""The page in a browser: what it draws, how it is used, and when its server stops."""

import json
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact
from ganlab.provenance import marks
from ganlab.serving.limits import Limits
from ganlab.serving.models import load_models
from ganlab.serving.server import Server
from ganlab.serving.service import Service

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
READY = (
    "document.body.dataset.state === 'ready'"
    " && document.querySelectorAll('.card').length"
)
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def artifact():
    return Artifact(FASHION)


@pytest.fixture
def browse(chromium, server):
    """A function that opens the page, and returns the browser once it is drawn.

    In the end the page has asked nobody but its server, and has said nothing.
    """

    def open_page(query="", size=(1200, 900), *, dark=False, at=server):
        chromium.open(at.url + query, size, dark=dark)
        chromium.wait(READY)
        return chromium

    yield open_page
    chromium.check_quiet("blob:", "data:")


def tile(number, model="fashion"):
    return f"document.querySelectorAll('[data-model={model}] .tiles button')[{number}]"


def text_of(browser, element):
    return browser.run(f"document.getElementById('{element}').textContent")


def address(browser):
    return browser.run("location.search")


LARGE = "document.getElementById('large')"


def test_the_pictures_are_those_of_the_seed(browse, artifact):
    browser = browse("?seed=7")
    expected = artifact.sample(40, seed=7)
    for number in (0, 17, 39):
        browser.shows(f"{tile(number)}?.firstChild", expected[number])
    assert browser.run(f"{tile(17)}.ariaLabel") == "Picture 18, Sneaker"
    news = "40 pictures: fashion, each class in turn, seed 7"
    assert text_of(browser, "news") == news
    card = text_of(browser, "cards")
    assert "FID[fashion_mnist]0.381 [0.332, 0.427]" in card
    assert "apache-2.0" in card


def test_a_link_shows_the_same_pictures(browse, artifact):
    browser = browse()
    browser.set_value("document.getElementById('class')", 8, "change")
    browser.set_value("document.getElementById('seed')", 5, "change")
    browser.set_value("document.getElementById('truncation')", 0.7)
    browser.set_value("document.getElementById('truncation')", 0.7, "change")
    expected = artifact.sample(40, 5, [8] * 40, truncation=0.7)
    browser.shows(f"{tile(39)}?.firstChild", expected[39])
    link = address(browser)
    assert link == "?model=fashion&seed=5&class=Bag&truncation=0.7"
    browser.run("history.back()")
    browser.wait("document.getElementById('truncation').value === '2'")
    browser = browse(link)
    browser.shows(f"{tile(39)}?.firstChild", expected[39])
    assert browser.run("document.getElementById('class').value") == "8"


def test_what_an_address_holds_in_vain_is_told(browse):
    browser = browse("?seed=-1&class=Hat&model=nope&truncation=x")
    problem = text_of(browser, "problem")
    assert "model=nope, class=Hat, seed=-1, truncation=x; left out" in problem
    browser.set_value("document.getElementById('seed')", "1e5", "change")
    assert "Expected a seed from 0 to" in text_of(browser, "problem")
    assert browser.run("document.getElementById('seed').value") == "0"


def test_two_pictures_lead_from_one_to_the_other(browse, artifact):
    browser = browse("?seed=7")
    browser.run(f"{tile(13)}.click()")
    browser.shows(LARGE, artifact.sample(40, seed=7)[13])
    browser.run(f"{tile(4)}.click()")
    browser.wait("document.querySelectorAll('#strip button').length === 8")
    latents = sampling.draw_latents(40, 64, seed=7)
    frames = sampling.interpolate_latents(latents[13:14], latents[4:5], 8)[:, 0]
    images = artifact.kind.to_stored(artifact.generate(frames, [3] * 8))
    for position in (0, 5, 7):
        browser.set_value("document.getElementById('position')", position + 1)
        browser.shows(LARGE, images[position])
    title = "From picture 14 to 5, Dress"
    assert text_of(browser, "picture-title") == title
    assert "drawn as Dress, the first" in text_of(browser, "hint")
    assert browser.run(f"{LARGE}.ariaLabel") == f"{title}: position 8 of 8"
    assert browser.run(f"{tile(4)}.ariaPressed") == "true"
    browser.run("document.getElementById('leave').click()")
    assert browser.run(f"{tile(4)}.ariaPressed") == "false"
    assert browser.run(f"document.activeElement === {tile(13)}")


def test_a_slider_leads_along_a_direction(browse, artifact):
    browser = browse("?seed=7")
    browser.run(f"{tile(1)}.click()")
    browser.set_value("document.querySelectorAll('#sliders input')[2]", 3)
    latents = sampling.draw_latents(2, 64, seed=7)[1:]
    latents = latents + 3 * artifact.principal_directions(3)[2]
    browser.shows(LARGE, artifact.kind.to_stored(artifact.generate(latents, [1]))[0])
    browser.run("document.getElementById('reset').click()")
    browser.shows(LARGE, artifact.sample(2, seed=7)[1])


def test_a_second_model_stands_beside(browse, artifact):
    browser = browse("?seed=7")
    browser.set_value("document.getElementById('beside')", "again", "change")
    browser.wait("document.querySelectorAll('.card').length === 2")
    browser.shows(f"{tile(9, 'again')}?.firstChild", artifact.sample(40, seed=7)[9])
    assert address(browser) == "?model=fashion&seed=7&beside=again"
    browser.set_value("document.getElementById('model')", "again", "change")
    browser.wait("document.querySelectorAll('.card').length === 1")
    assert address(browser) == "?model=again&seed=7"


def test_a_picture_and_a_grid_are_saved_and_say_what_they_are(
    browse, artifact, tmp_path
):
    browser = browse("?seed=7")
    folder = str(tmp_path)
    browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
    browser.run(f"{tile(13)}.click()")
    browser.shows(LARGE, artifact.sample(40, seed=7)[13])
    for button in ("#save", "[data-format=png]"):
        browser.run(f"document.querySelector('{button}').click()")
    names = {"fashion-seed7-picture14.png", "fashion-seed7.png"}
    browser.until(lambda: {path.name for path in tmp_path.iterdir()} == names)
    path = tmp_path / "fashion-seed7-picture14.png"
    with Image.open(path) as opened:
        np.testing.assert_array_equal(opened, artifact.sample(40, seed=7)[13, ..., 0])
    assert marks.read_mark(path) == artifact.mark(7)


def test_the_keyboard_reaches_everything(browse, artifact):
    browser = browse("?seed=7")
    browser.run("document.getElementById('seed').select()")
    for key in ("1", "2", "Enter"):
        browser.press(key)
    browser.wait("location.search === '?model=fashion&seed=12'")
    browser.shows(f"{tile(39)}?.firstChild", artifact.sample(40, seed=12)[39])
    browser.press("Tab", 4)  # the button, truncation, the model beside, a picture
    assert browser.run(f"document.activeElement === {tile(0)}")
    browser.press("ArrowDown")
    browser.press("ArrowRight")
    browser.press("Enter")
    assert browser.run(f"{tile(11)}.ariaPressed") == "true"
    browser.press("Tab", 3)  # past both downloads
    browser.wait("document.activeElement.dataset.direction === '0'")
    browser.press("End")
    latents = sampling.draw_latents(12, 64, seed=12)[11:]
    latents = latents + 6 * artifact.principal_directions(1)
    browser.shows(LARGE, artifact.kind.to_stored(artifact.generate(latents, [1]))[0])
    browser.press("Tab")
    assert browser.run("document.activeElement.dataset.direction") == "1"


def test_what_can_be_used_has_a_name(browse):
    browser = browse("?beside=again")
    browser.run(f"{tile(0)}.click(); {tile(1)}.click()")
    browser.wait("document.querySelectorAll('#strip button').length === 8")
    tree = browser.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "slider", "combobox", "textbox", "image", "group")
    nodes = [
        node for node in tree if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert len(nodes) > 100
    assert [node for node in nodes if not node["name"]["value"]] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_both_colour_schemes_on_a_phone(browse, dark):
    browser = browse("?beside=again", (390, 844), dark=dark)
    brightness = sum(browser.picture().getpixel((2, 2))) / 3
    assert brightness < 40 if dark else brightness > 230
    browser.run(f"{tile(0)}.click(); {tile(1)}.click()")
    browser.wait("document.querySelectorAll('#strip button').length === 8")
    assert browser.run("document.documentElement.scrollWidth") == 390
    sides = browser.run(f"{tile(0)}.getBoundingClientRect().width")
    assert sides > 44  # CSS pixels, which a finger meets


def test_a_card_is_never_markup(browse, start, tmp_path):
    folder = tmp_path / "hostile"
    shutil.copytree(FASHION, folder)
    card = json.loads((folder / "card.json").read_text())
    markup = "<img src=/nope onerror=alert(1)>"
    card["class_names"][0] = card["attribution"] = card["license"] = markup
    card["training"]["data"] = card["metrics"]["protocol"]["data"] = markup
    (folder / "card.json").write_text(json.dumps(card))
    browser = browse(at=start(folder))
    assert browser.run("document.images.length") == 0
    assert text_of(browser, "cards").count(markup) == 5
    assert browser.run(f"{tile(0, 'hostile')}.ariaLabel") == f"Picture 1, {markup}"


def test_colours_with_opacity_and_without_classes(
    browse, start, write_artifact, tmp_path
):
    folder = write_artifact(tmp_path / "colours", (16, 24, 4))
    browser = browse("?seed=3", at=start(folder))
    pixels = browser.run(
        f"Array.from({tile(9, 'colours')}.firstChild.getContext('2d')"
        ".getImageData(0, 0, 24, 16).data)"
    )
    expected = Artifact(folder).sample(10, seed=3)[9]
    drawn = np.reshape(pixels, (16, 24, 4))
    np.testing.assert_array_equal(drawn[..., 3], expected[..., 3])
    opaque = expected[..., 3] > 250  # others are rounded by the canvas
    drawn = drawn[opaque].astype(int)
    assert np.abs(drawn - expected[opaque]).max() <= 1
    assert browser.run("document.getElementById('class-label').hidden")
    assert browser.run(f"{tile(9, 'colours')}.ariaLabel") == "Picture 10"
    assert "Made by people" in text_of(browser, "grids")


def test_samples_that_are_no_pictures_are_said_to_be_none(
    browse, start, write_artifact, tmp_path
):
    folder = write_artifact(tmp_path / "points", (2,))
    browser = browse(at=start(folder))
    assert "points, seed 0: samples of shape 2, no pictures" in text_of(
        browser, "grids"
    )
    assert browser.run("document.getElementById('picture').hidden")
    assert browser.run("document.querySelector('[data-format]').textContent") == (
        "Download array"
    )


def test_a_busy_server_is_waited_for(browse, server, artifact):
    browser = browse("?seed=7")
    batcher = server.service.batchers["fashion"]
    with batcher.taking(batcher.capacity, 10.0):
        browser.set_value("document.getElementById('seed')", 8, "change")
        browser.wait("document.body.dataset.state === 'busy'")
    browser.shows(f"{tile(5)}?.firstChild", artifact.sample(6, seed=8)[5])
    browser.messages.clear()  # Chromium logs an answer of 429


def serve(port):
    """A server on a port, and a function that stops it."""
    limits = Limits()
    models = load_models([str(FASHION)], "float32", limits.max_images)
    server = Server(Service(models, limits), "127.0.0.1", port)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def stop():
        server.should_exit = True
        thread.join()

    return server, stop


def test_a_server_that_stops_is_told_and_taken_up_again(browse, artifact):
    server, stop = serve(0)
    try:
        browser = browse("?seed=7", at=server)
        browser.run(f"{tile(3)}.click()")
        browser.shows(LARGE, artifact.sample(4, seed=7)[3])
    finally:
        stop()
    browser.wait("!document.getElementById('lost').hidden")
    assert browser.run("document.body.dataset.state") == "lost"
    browser.set_value("document.getElementById('seed')", 9, "change")
    browser.wait("document.body.dataset.state === 'lost'")
    _, stop = serve(server.socket_name[1])
    try:
        browser.shows(f"{tile(5)}?.firstChild", artifact.sample(6, seed=9)[5])
        browser.shows(LARGE, artifact.sample(4, seed=9)[3])
        browser.wait("document.getElementById('lost').hidden")
        browser.wait(READY)
    finally:
        stop()
    browser.open("about:blank")
    browser.messages.clear()  # Chromium logs connections that are refused
