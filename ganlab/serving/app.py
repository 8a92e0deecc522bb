"""The application: routes, one form of errors, and what holds for every request.

An error is a status, and `{"error": "Expected … Received …; fix"}`, which clients of
both interfaces read. Every request but for health and metrics is one line of JSON in
the log.
"""

import datetime
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganlab.errors import UserError
from ganlab.pages.policy import ANSWER_HEADERS, LOOPBACK
from ganlab.serving.batcher import BusyError
from ganlab.serving.metrics import CONTENT_TYPE
from ganlab.serving.openapi import describe
from ganlab.serving.page import page, page_file
from ganlab.serving.service import NOTES, TAKEN, Service
from ganlab.serving.tensors import dump_json
from ganlab.serving.v1 import V1
from ganlab.serving.v2 import V2
from ganlab.text import printable

LOGGER = logging.getLogger("ganlab.serving")
MAX_HEAD = 1 << 14  # bytes of all headers
MAX_LOGGED = 200  # characters of what a client wrote
HEADERS = [(name.encode(), value.encode()) for name, value in ANSWER_HEADERS.items()]


def build_app(service: Service, loopback: bool = False) -> Starlette:
    """The application of a service.

    Args:
        service: What is served.
        loopback: Whether it answers to this machine's own names alone.
    """
    v1, v2 = V1(service), V2(service)

    async def metrics(request: Request) -> Response:
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    document = dump_json(describe(service))

    async def openapi(request: Request) -> Response:
        return Response(document, media_type="application/json")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    of_model = [f"/models/{{name}}{part}" for part in ("", "/versions/{version}")]
    routes = [  # what is asked for most often is looked at first
        *(_post(f"/v2{path}/infer", v2.infer) for path in of_model),
        _post("/v1/models/{name}:sample", v1.sample),
        *(_post(f"/v1{path}:predict", v1.predict) for path in of_model),
        _get("/v2", v2.server),
        _get("/v2/health/live", v2.live),
        _get("/v2/health/ready", v2.ready),
        *(_get(f"/v2{path}", v2.model) for path in of_model),
        *(_get(f"/v2{path}/ready", v2.model_ready) for path in of_model),
        _get("/v1/models", v1.models),
        _get("/v1/models/{name}/card", v1.card),
        _get("/v1/models/{name}/directions", v1.directions),
        *(_get(f"/v1{path}", v1.status) for path in of_model),
        _get("/metrics", metrics),
        _get("/openapi.json", openapi),
        _get("/", page),
        _get("/page/{file}", page_file),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, service=service, loopback=loopback)],
        exception_handlers={
            UserError: _user_error,
            BusyError: _busy,
            HTTPException: _http_error,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _get(path: str, endpoint: Callable[[Request], Any]) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Callable[[Request], Any]) -> Route:
    return Route(path, endpoint, methods=["POST"])


def error_response(
    status: int, line: str, headers: dict[str, str] | None = None
) -> Response:
    """An error as every interface writes it."""
    content = dump_json({"error": printable(line)})
    return Response(content, status, headers, "application/json")


async def _user_error(request: Request, error: Exception) -> Response:
    return error_response(HTTPStatus.BAD_REQUEST, str(error))


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    headers = {"Retry-After": str(error.retry_after)}
    return error_response(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    path = printable(request.url.path)[:MAX_LOGGED]
    line = error.detail
    if line == HTTPStatus(error.status_code).phrase:  # Starlette's own
        line = f"Expected a path of /openapi.json. Received: {request.method} {path}"
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = headers.get("Allow", "")
            line = f"Expected {allowed} for {path}. Received: {request.method}"
    return error_response(error.status_code, line, headers)


class Guard:
    """Refuses strangers' hosts and long heads; counts and logs; answers for faults.

    Args:
        app: What it guards.
        service: Its service.
        loopback: See `build_app`.
    """

    def __init__(self, app: ASGIApp, service: Service, loopback: bool) -> None:
        self.app, self.service, self.loopback = app, service, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        notes = scope[NOTES] = {"status": 0, "model": "", "images": 0}

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes["status"] = message["status"]
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        with ExitStack() as taken:
            scope[TAKEN] = taken
            refusal = self._refusal(scope)
            try:
                await (refusal or self.app)(scope, receive, send_noted)
            except ClientDisconnect:
                notes["status"] = 499  # as nginx calls it; nobody reads an answer
            except Exception:
                LOGGER.error(log_line("fault", trace=traceback.format_exc()))
                if notes["status"]:
                    raise  # which closes the connection
                line = "Expected no fault. Received: one of the server; see its log"
                response = error_response(HTTPStatus.INTERNAL_SERVER_ERROR, line)
                await response(scope, receive, send_noted)
        self._note(scope, notes, time.perf_counter() - start)

    def _refusal(self, scope: Scope) -> Response | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        size = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        size += len(scope["raw_path"]) + len(scope["query_string"])
        closing = {"Connection": "close"}
        if size > MAX_HEAD:
            line = f"Expected headers of at most {MAX_HEAD:,} bytes. Received: {size:,}"
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return error_response(status, line, closing)
        known = [LOOPBACK.fullmatch(host.decode("latin-1").strip()) for host in hosts]
        if self.loopback and (len(hosts) != 1 or not all(known)):
            line = (
                "Expected the host 127.0.0.1 or localhost, for this server answers its "
                "own machine alone. Received: another; start it with --host"
            )
            return error_response(HTTPStatus.MISDIRECTED_REQUEST, line, closing)
        return None

    def _note(self, scope: Scope, notes: dict[str, Any], seconds: float) -> None:
        path = scope["path"]
        route = getattr(scope.get("endpoint"), "__name__", "none")
        self.service.metrics.count(notes["model"], route, notes["status"], seconds)
        if notes["status"] < 400 and scope["method"] == "GET":
            return
        LOGGER.info(
            log_line(
                "request",
                method=scope["method"][:MAX_LOGGED],
                path=path[:MAX_LOGGED],
                route=route,
                client=(scope.get("client") or ("",))[0],
                seconds=round(seconds, 6),
                **notes,
            )
        )


def log_line(event: str, **fields: Any) -> str:
    """One line of the log."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    return dump_json({"time": now, "event": event, **fields}).decode()
