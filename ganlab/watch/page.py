"""The page: one document with its style and script, and the policy that binds it."""

from pathlib import Path

from ganlab.pages.policy import content_policy, hash_source, read

FOLDER = Path(__file__).parent
SCRIPTS = ("charts.js", "page.js")


def build_page() -> tuple[bytes, str]:
    """The page, and its Content-Security-Policy.

    Nothing but the page's own style and script is applied, by their hashes, and it
    asks nobody but its own server.

    Returns:
        The document in UTF-8, and the value of the header.
    """
    style = read("theme.css") + read("page.css", FOLDER)
    script = "".join([read("dom.js"), *(read(name, FOLDER) for name in SCRIPTS)])
    text = read("page.html", FOLDER)
    text = text.replace("{style}", style).replace("{script}", script)
    return text.encode(), content_policy(hash_source(script), hash_source(style))
