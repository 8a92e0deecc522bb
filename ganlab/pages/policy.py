"""The parts of a page, the policy that binds it, and who may ask for it."""

import base64
import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).parent
# Hosts of this machine, at any port: it may be another at the near end of a tunnel.
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def read(name: str, folder: Path = FOLDER) -> str:
    """The text of a part, of those that all pages share by default."""
    return (folder / name).read_text(encoding="utf-8")


def hash_source(text: str) -> str:
    """The source of a policy that allows one inline style or script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def content_policy(
    scripts: str, styles: str, images: str = "'self' data:", *, as_meta: bool = False
) -> str:
    """The value of a page's Content-Security-Policy.

    The page asks nobody but its own server, and no text becomes markup or code.

    Args:
        scripts: Sources of scripts.
        styles: Sources of styles.
        images: Sources of pictures.
        as_meta: Whether it stands in the document, where `frame-ancestors` has no
            meaning.
    """
    policy = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": styles,
        "img-src": images,
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    if as_meta:
        del policy["frame-ancestors"]
    return "; ".join(f"{name} {value}" for name, value in policy.items())
