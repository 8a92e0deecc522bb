"""The page: a document, its style and its modules, by a table of names."""

from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ganlab.pages.policy import PAGE_HEADERS, content_policy, read

FOLDER = Path(__file__).parent
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
SHARED = ("theme.css", "dom.js")
OWN = ("page.css", "page.js", "client.js", "grid.js", "picture.js")
FILES = {
    **{name: read(name) for name in SHARED},
    **{name: read(name, FOLDER) for name in OWN},
}
DOCUMENT = read("page.html", FOLDER)
POLICY = content_policy("'self'", "'self'", "data:")


async def page(request: Request) -> Response:
    """The document."""
    return _response("page.html", DOCUMENT)


async def page_file(request: Request) -> Response:
    """A part of it; names are keys, and lead to no file."""
    name = request.path_params["file"]
    if name not in FILES:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"Expected a part of the page: {', '.join(FILES)}. Received: {name[:80]!r}",
        )
    return _response(name, FILES[name])


def _response(name: str, text: str) -> Response:
    headers = PAGE_HEADERS | {"Content-Security-Policy": POLICY}
    kind = TYPES[name.rpartition(".")[2]]
    return Response(text, media_type=kind, headers=headers)
