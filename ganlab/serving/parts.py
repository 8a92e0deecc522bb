"""The parts of the page: a document, its style and its modules, by name.

The page imports `source.js`, which draws what it shows. There are two: `client.js` asks
a server, and `browser.js` runs onnxruntime-web.
"""

from pathlib import Path

from ganlab.pages.policy import read

FOLDER = Path(__file__).parent
SHARED = ("theme.css", "dom.js")
OWN = ("page.css", "page.js", "grid.js", "picture.js", "tasks.js")
DOCUMENT = read("page.html", FOLDER)
COMMON = {
    **{name: read(name) for name in SHARED},
    **{name: read(name, FOLDER) for name in OWN},
}
SERVED = {**COMMON, "source.js": read("client.js", FOLDER)}
IN_BROWSER = {
    **COMMON,
    "source.js": read("browser.js", FOLDER),
    **{name: read(name, FOLDER) for name in ("latents.js", "files.js")},
}
