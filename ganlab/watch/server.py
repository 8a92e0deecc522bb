"""Serves the live page to browsers on this machine, and to nobody else.

Imports neither NumPy nor the diagnosis, so that it answers at once; they follow in a
thread of their own.
"""

import errno
import json
import os
import re
import socketserver
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ganlab.errors import UserError
from ganlab.pages.policy import ANSWER_HEADERS, LOOPBACK, PAGE_HEADERS
from ganlab.watch.page import build_page

if TYPE_CHECKING:
    from ganlab.watch.watcher import Watcher

ADDRESS = "127.0.0.1"
METHODS = ("GET", "HEAD")
SAMPLES = re.compile(r"/samples/(\d{1,16})\.png", re.ASCII)


class Server(ThreadingHTTPServer):
    """Shows one run to browsers on this machine.

    Args:
        path: A run's folder or another trainer's log, there or not.
        port: Integer: the port, or 0 for one that is free.
        columns: See `ganlab.diagnosis.read`.

    Raises:
        UserError: if the port cannot be had.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it shares a port in use

    def __init__(
        self,
        path: Path | str,
        port: int = 0,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.path, self.columns = path, columns
        self.page, self.policy = build_page()
        self.watcher: Watcher | None = None
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            why = {
                errno.EADDRINUSE: "which is in use",
                errno.EACCES: "which needs more rights",
            }.get(error.errno or 0)
            if why is None:
                raise
            raise UserError(
                f"Expected a free port. Received: {port}, {why}; name another with "
                "--port, or leave it out"
            ) from error
        threading.Thread(target=self._begin, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    def server_bind(self) -> None:
        """Binds without asking a name server for the machine's name."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a browser that went away."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def status(self, known: str) -> dict[str, Any]:
        """See `Watcher.status`, after a look."""
        if self.watcher is None:
            text = f"Reading {self.path}"
            return {"source": str(self.path), "state": "waiting", "text": text}
        self.watcher.look()
        return self.watcher.status(known)

    def _begin(self) -> None:
        from ganlab.watch.watcher import Watcher

        watcher = Watcher(self.path, self.columns)
        watcher.look()
        self.watcher = watcher


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for three addresses."""

    server: Server
    server_version, sys_version = "ganlab", ""
    default_request_version = "HTTP/1.0"  # whose answers have headers
    timeout = 10.0  # seconds that a browser may take for its request

    def do_GET(self) -> None:
        """Answers, where the browser asks for this machine by its own name.

        A page elsewhere whose name was made to lead here asks for that name.
        """
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not LOOPBACK.fullmatch(hosts[0].strip()):
            self.send_error(HTTPStatus.FORBIDDEN, f"Open {self.server.url}")
            return
        path, _, query = self.path.partition("?")
        samples = SAMPLES.fullmatch(path)
        if path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)
        elif path == "/status.json":
            known = parse_qs(query).get("known", [""])[0]
            content = json.dumps(self.server.status(known), allow_nan=False)
            self._send(HTTPStatus.OK, "application/json", content.encode())
        elif samples and (picture := self._picture(int(samples[1]))):
            self._send(HTTPStatus.OK, "image/png", picture)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        """Answers like GET, without the content."""
        self.do_GET()

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Sends an error as one line of text; a method without answer is refused."""
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status, message = HTTPStatus.METHOD_NOT_ALLOWED, None
        text = f"{status.value} {message or status.phrase}\n"
        self._send(status, "text/plain; charset=utf-8", text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing: a page asks every two seconds."""

    def _picture(self, step: int) -> bytes | None:
        watcher = self.server.watcher
        return None if watcher is None else watcher.picture(step)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.server.policy)
        for name, value in (ANSWER_HEADERS | PAGE_HEADERS).items():
            self.send_header(name, value)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", ", ".join(METHODS))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
