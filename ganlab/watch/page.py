"""The page: one document with its style and script, and the policy that binds it."""

import base64
import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def build_page() -> tuple[bytes, str]:
    """The page, and its Content-Security-Policy.

    Nothing but the page's own style and script is applied, by their hashes, and it
    asks nobody but its own server.

    Returns:
        The document in UTF-8, and the value of the header.
    """
    style, script = _read("page.css"), _read("charts.js") + _read("page.js")
    text = _read("page.html").replace("{style}", style).replace("{script}", script)
    policy = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return text.encode(), "; ".join(f"{name} {value}" for name, value in policy.items())
