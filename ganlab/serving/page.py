"""The page of a server: its parts, by a table of names."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ganlab.pages.policy import PAGE_HEADERS, content_policy
from ganlab.serving.parts import DOCUMENT, SERVED

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
POLICY = content_policy("'self'", "'self'", "data:")


async def page(request: Request) -> Response:
    """The document."""
    return _response("page.html", DOCUMENT)


async def page_file(request: Request) -> Response:
    """A part of it; names are keys, and lead to no file."""
    name = request.path_params["file"]
    if name not in SERVED:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"Expected a part of the page: {', '.join(SERVED)}. "
            f"Received: {name[:80]!r}",
        )
    return _response(name, SERVED[name])


def _response(name: str, text: str) -> Response:
    headers = PAGE_HEADERS | {"Content-Security-Policy": POLICY}
    kind = TYPES[name.rpartition(".")[2]]
    return Response(text, media_type=kind, headers=headers)
