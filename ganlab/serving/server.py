"""Who may hold a connection, for how long, and how does a server stop?

uvicorn reads and writes HTTP. It bounds neither the bytes of a head nor the time that
one takes, nor the time of a client that does not read; that is added here. On a signal
the server takes no more connections, answers every request that it has, and ends.
"""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ganlab.errors import UserError
from ganlab.serving.app import MAX_HEAD, build_app, error_response
from ganlab.serving.service import Service

MAX_CONNECTIONS = 1000
HEAD_SECONDS = 10.0  # from a connection, or a head's first byte, to its end
IDLE_SECONDS = 5  # that a connection stays open between requests
WRITE_SECONDS = 60.0  # in which what is written has to be read
BACKLOG = 1024
READ_BYTES = 1 << 18  # what asyncio reads at once


class Protocol(HttpToolsProtocol):
    """One connection, within limits of bytes and time."""

    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Takes a connection, where there are not too many."""
        super().connection_made(transport)
        self._time_head()
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Expected at most {MAX_CONNECTIONS} connections. Received: more; ask "
                "again later",
                {"Retry-After": "1"},
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets a connection."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads what has come."""
        if self.transport.is_closing():
            return
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        # A whole head that is too long is refused by the application.
        if self._head_timer is not None and self._head_bytes > MAX_HEAD + READ_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"Expected headers of at most {MAX_HEAD:,} bytes. Received: more",
            )

    def on_message_begin(self) -> None:
        """Begins a head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._time_head()

    def on_headers_complete(self) -> None:
        """Ends a head."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._refuse(
            HTTPStatus.BAD_REQUEST,
            "Expected a request of HTTP/1.1. Received: what is none",
        )

    def pause_writing(self) -> None:
        """Waits for a client that does not read, but not for ever."""
        super().pause_writing()
        self._time_writing()

    def resume_writing(self) -> None:
        """Goes on writing."""
        super().resume_writing()
        if self._write_timer is not None and not self.transport.is_closing():
            self._write_timer.cancel()
            self._write_timer = None

    def on_response_complete(self) -> None:
        """Ends a request, and before long a connection that is to be closed."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._time_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Closes an idle connection, and cuts one that has not read its answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _time_writing(self) -> None:
        if self._write_timer is None:
            abort = self.transport.abort
            self._write_timer = self.loop.call_later(WRITE_SECONDS, abort)

    def _time_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._time_head()  # it waits for the answer before it
            return
        self._refuse(
            HTTPStatus.REQUEST_TIMEOUT,
            f"Expected headers within {HEAD_SECONDS:g} seconds. Received: a part; send "
            "them faster",
        )

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._write_timer = None

    def _refuse(
        self, status: HTTPStatus, line: str, headers: dict[str, str] | None = None
    ) -> None:
        """Answers without the application, and closes."""
        self._stop_timers()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started or self.pipeline:
                self.transport.close()  # an answer within another would be read as it
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        headers = {"Connection": "close"} | (headers or {})
        response = error_response(status, line, headers)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))
        self.transport.close()
        self._time_writing()


class Server(uvicorn.Server):
    """Serves on a port until a signal.

    Args:
        service: What is served.
        host: Address to listen on.
        port: Integer: the port, or 0 for one that is free.

    Raises:
        UserError: if the port or the address cannot be had.
    """

    def __init__(self, service: Service, host: str, port: int) -> None:
        self.service = service
        self.socket = bind(host, port)
        host, port = self.socket.getsockname()[:2]  # a closed socket has none
        self._name: tuple[str, int] = (host, port)
        loopback = _is_loopback(self.socket)
        config = uvicorn.Config(
            build_app(service, loopback),
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=IDLE_SECONDS,
        )
        super().__init__(config)

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self.socket_name
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    @property
    def socket_name(self) -> tuple[str, int]:
        """Address and port on which it listens."""
        return self._name

    def serve_until_stopped(self) -> None:
        """Serves until a signal or `should_exit`, and answers all that was taken.

        Raises:
            Interrupted: after a signal, where `interruption.handled` is in force.
        """
        with self._hang_up_is_graceful():
            self.run(sockets=[self.socket])

    @contextmanager
    def _hang_up_is_graceful(self) -> Iterator[None]:
        """Stops on SIGHUP as on SIGTERM, where nobody ignores it."""
        number = getattr(signal, "SIGHUP", None)
        is_main = threading.current_thread() is threading.main_thread()
        if number is None or not is_main or signal.getsignal(number) is signal.SIG_IGN:
            yield
            return
        received = []

        def stop(number: int, frame: FrameType | None) -> None:
            received.append(number)
            self.should_exit = True

        before = signal.signal(number, stop)
        try:
            yield
        finally:
            signal.signal(number, before)
        if received:
            signal.raise_signal(number)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        UserError: if it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        why = {
            errno.EADDRINUSE: "a port that is in use; name another with --port",
            errno.EACCES: "a port that needs more rights; name another with --port",
        }.get(number or 0, "an address that this machine has not; name it with --host")
        raise UserError(
            f"Expected a free port. Received: {host}:{port}, {why}"
        ) from error
    return listening


def _is_loopback(listening: socket.socket) -> bool:
    host: str = listening.getsockname()[0]
    return host == "::1" or host.startswith("127.")
