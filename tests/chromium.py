"""Chromium without a window, driven through a pipe."""

import base64
import fcntl
import io
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"),
)
SECONDS = 60.0
KEYS = {"Enter": 13, "Tab": 9, "ArrowRight": 39, "ArrowDown": 40, "End": 35}


class Chromium:
    """A browser with a profile of its own, and one page.

    Args:
        folder: Folder for its profile.
    """

    def __init__(self, folder):
        commands, self._input = _pipe()
        self._output, events = _pipe()
        profile = f"--user-data-dir={folder / 'profile'}"
        script = f'exec "$@" 3<&{commands} 4>&{events}'
        self._process = subprocess.Popen(
            [
                *("bash", "-c", script, "bash", BROWSER),
                *OPTIONS,
                profile,
                "about:blank",
            ],
            pass_fds=(commands, events),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(events)
        self._numbers, self._buffer, self._session = itertools.count(1), b"", None
        self.messages, self.requests = [], []
        (page,) = (
            target["targetId"]
            for target in self.send("Target.getTargets")["targetInfos"]
            if target["type"] == "page"
        )
        attached = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        """Ends the browser."""
        self._session = None
        self.send("Browser.close")
        self._process.wait(SECONDS)
        os.close(self._input)
        os.close(self._output)

    def send(self, method, **parameters):
        """Sends a command, and returns its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._input, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
        raise TimeoutError(method)

    def _receive(self):
        while b"\0" not in self._buffer:
            if not select.select([self._output], [], [], SECONDS)[0]:
                raise TimeoutError("no word from Chromium")
            self._buffer += os.read(self._output, 1 << 20)
        message, _, self._buffer = self._buffer.partition(b"\0")
        event = json.loads(message)
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            document = urlsplit(parameters["documentURL"])
            origin = f"{document.scheme}://{document.netloc}/"
            self.requests.append((origin, parameters["request"]["url"]))
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.messages.append(json.dumps(parameters)[:500])
        elif method == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])
        return event

    def open(self, url, size=(1200, 900), *, dark=False):
        """Opens a page in a window of a size, without its past."""
        self.messages.clear()
        self.requests.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=size[0] < 500,
        )
        scheme = {
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light",
        }
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=url)

    def check_quiet(self, *schemes):
        """Asserts that a page asked its host alone, and complained of nothing.

        Args:
            schemes: Schemes of addresses within the page, such as `"blob:"`.
        """
        for origin, url in self.requests:
            assert url.startswith((origin, "about:blank", *schemes))
        assert self.messages == []

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.send(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, condition):
        """Waits until a function returns something true."""
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, self.messages
            time.sleep(0.02)

    def wait(self, condition):
        """Waits until an expression in the page is true."""
        script = f"(() => {{ try {{ return !!({condition}) }} catch {{}} }})()"
        self.until(lambda: self.run(script))

    def shows(self, canvas, image, within=0):
        """Waits until a canvas shows a grey image, within so many grey levels."""
        height, width = image.shape[:2]
        script = f"""(() => {{
            const copy = new OffscreenCanvas({width}, {height});
            const context = copy.getContext("2d", {{ willReadFrequently: true }});
            const canvas = {canvas};
            if (!canvas) return null;
            context.drawImage(canvas, 0, 0);
            return Array.from(context.getImageData(0, 0, {width}, {height}).data)
                .filter((_, index) => index % 4 === 0);
        }})()"""
        sought = image.reshape(-1).astype(int)

        def is_shown():
            grey = self.run(script)
            return grey is not None and np.abs(np.array(grey) - sought).max() <= within

        self.until(is_shown)

    def set_value(self, element, value, event="input"):
        """Gives an element a value, as its user would."""
        self.run(
            f"(() => {{ const element = {element}; element.value = '{value}';"
            f" element.dispatchEvent(new Event('{event}')); }})()"
        )

    def press(self, key, times=1):
        """Presses a key, or types a character."""
        event = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        if key == "Enter" or len(key) == 1:
            event["text"] = "\r" if key == "Enter" else key
        for _ in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", **event)
            self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def picture(self):
        """A screenshot."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
            return opened.convert("RGB")


def _pipe():
    """Both ends of a pipe, whose numbers are not those that Chromium is given."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high
