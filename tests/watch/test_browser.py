"""The page in a browser: what stands on it, in both colour schemes."""

import re
import shutil
import subprocess
import threading
import time

import pytest
from PIL import Image

from ganlab.watch.server import Server

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
OPTIONS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"),
    "--virtual-time-budget=9000",
)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium"),
]


class Browser:
    """Chromium with a profile of its own, which looks at one server."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder

    def _look(self, *options):
        profile = f"--user-data-dir={self.folder / 'profile'}"
        command = [BROWSER, *OPTIONS, profile, *options, self.server.url]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        logged = done.stderr.decode(errors="replace")
        messages = [line for line in logged.splitlines() if "CONSOLE" in line]
        return done.stdout.decode(), messages

    def read(self):
        """The document after some seconds, whose console must be empty."""
        document, messages = self._look("--dump-dom")
        assert messages == []
        return document

    def picture(self, size, *, dark=False):
        """A screenshot."""
        path = self.folder / "page.png"
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        width, height = size
        self._look(f"--screenshot={path}", f"--window-size={width},{height}", scheme)
        with Image.open(path) as opened:
            return opened.convert("RGB")


@pytest.fixture
def browse(tmp_path):
    """A function that gives a browser of the page of a path."""
    servers = []

    def start(path, server_class=Server):
        server = server_class(path)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return Browser(server, tmp_path)

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def failing(run):
    """A run that fails, with an event that looks like markup."""
    run.begin()
    run.append({"step": 0, "seconds": 0, "event": "note", "text": "<img src=x>"})
    run.log(50, 1500, healthy=False)
    for step in (0, 500, 1000):
        run.picture(step)
    return run


def text_of(document, element):
    (content,) = re.findall(rf'id="{element}"[^>]*>(.*?)</', document, re.DOTALL)
    return content


def test_a_failing_run(failing, browse):
    document = browse(failing.path).read()
    assert 'data-state="running"' in document
    assert re.search(r"<title>Failing · .*run</title>", document)
    assert text_of(document, "verdict").startswith("Failing: the discriminator dom")
    assert text_of(document, "pace").startswith("step 1,500 of 2,000 · 100 steps/s")
    cards = re.findall(r'<article class="finding"[^>]*id="finding-(\w+)"', document)
    assert cards[0] == "discriminator_domination"
    assert "mean D(G(z)) is 0.001</li>" in document
    assert "<strong>Remedy. </strong>Hold the discriminator" in document
    (command,) = re.findall(r'<pre id="command"[^>]*>(.*?)</pre>', document)
    assert re.sub(r"</?span>", "", command).startswith("ganlab train --")
    assert 'src="samples/1000.png"' in document
    assert 'alt="Generated samples at step 1,000"' in document
    assert document.count('<svg class="plot"') > len(cards)
    label = (
        r'aria-label="Losses of both networks, at step 1,500: d_loss 0.9, g_loss 1.2"'
    )
    assert re.search(label, document)
    assert "note: text &lt;img src=x&gt;" in document
    assert re.search(r'<p id="news"[^>]*aria-live="polite"', document)


def test_a_run_that_is_waited_for(run, browse):
    document = browse(run.path).read()
    assert 'data-state="waiting"' in document
    assert text_of(document, "waiting-text") == f"Waiting for {run.path} to appear"
    assert re.search(r'id="judgement"[^>]*hidden=""', document)


def test_both_colour_schemes_and_a_narrow_window(failing, browse):
    browser = browse(failing.path)
    for dark in (False, True):
        for size in ((1200, 900), (400, 900)):
            picture = browser.picture(size, dark=dark)
            brightness = sum(picture.getpixel((2, 2))) / 3
            assert brightness < 40 if dark else brightness > 230
            assert len(picture.resize((60, 60)).getcolors(3600)) > 40


class Changing(Server):
    """Answers by a list of changes, each before one question of the page."""

    changes: tuple = ()

    def status(self, known):
        """What the page is told after the next change."""
        while self.watcher is None:
            time.sleep(0.01)
        if self.changes:
            change, *self.changes = self.changes
            change()
        self.watcher.look()
        return self.watcher.status(known)


def fail():
    """A server that is gone, as the page sees it."""
    raise ConnectionResetError


@pytest.fixture
def browse_through(run, browse, monkeypatch):
    """A function that lets changes happen while a browser looks."""
    monkeypatch.setattr("ganlab.watch.watcher.INTERVAL", 0.0)
    monkeypatch.setattr("ganlab.watch.watcher.BUDGET", 1e9)

    def look(*changes):
        class Prepared(Changing):
            pass

        Prepared.changes = changes
        return browse(run.path, Prepared)

    return look


def test_findings_are_announced_as_they_appear(run, browse_through):
    run.begin()
    run.log(50, 300)
    document = browse_through(
        lambda: None, lambda: run.log(350, 1500, healthy=False)
    ).read()
    news = text_of(document, "news")
    assert news.startswith("New finding, ")
    assert "critical: mode collapse, since step 350" in news
    assert 'class="finding new"' in document


def test_the_page_follows_a_run_from_nothing_to_its_end(run, browse_through):
    def begin():
        run.begin()
        run.log(50, 500)

    document = browse_through(
        lambda: None,
        begin,
        lambda: run.append({"step": 500, "seconds": 6, "event": "interrupted"}),
    ).read()
    assert 'data-state="interrupted"' in document
    assert text_of(document, "news") == "The run: interrupted."
    assert "left" not in text_of(document, "pace")


def test_a_server_that_is_gone_is_told(failing, browse_through):
    document = browse_through(lambda: None, *[fail] * 20).read()
    assert 'data-state="lost"' in document
    assert re.search(r"<title>Lost · ", document)
    assert not re.search(r'id="lost"[^>]*hidden', document)
    assert text_of(document, "verdict").startswith("Failing")


def test_a_server_that_comes_back_is_taken_up(failing, browse_through):
    document = browse_through(
        lambda: None, fail, lambda: failing.log(1550, 1600, healthy=False)
    ).read()
    assert 'data-state="running"' in document
    assert re.search(r'id="lost"[^>]*hidden', document)
    assert text_of(document, "pace").startswith("step 1,600")


def test_a_run_that_is_removed_leaves_nothing_behind(failing, browse_through):
    document = browse_through(lambda: None, lambda: shutil.rmtree(failing.path)).read()
    assert 'data-state="waiting"' in document
    assert text_of(document, "charts") == ""
    assert re.search(r'id="samples"[^>]*hidden', document)


def test_another_trainers_log(tmp_path, browse):
    path = tmp_path / "log.csv"
    rows = "".join(f"{step},0.0001,9.0\n" for step in range(100, 3000, 10))
    path.write_text("step,d_loss,g_loss\n" + rows)
    document = browse(path).read()
    assert text_of(document, "verdict").startswith("At risk: the discriminator")
    assert text_of(document, "pace") == "step 2,990"
    assert re.search(r'id="bar"[^>]*hidden', document)
    assert path.name in document
