"""The server answers browsers on this machine, and nobody else."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from ganlab.errors import UserError
from ganlab.watch.server import Server


@pytest.fixture
def serve():
    """A function that starts a server and gives it when the watcher is ready."""
    servers = []

    def start(path, **options):
        server = Server(path, **options)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        for _ in range(1000):
            if server.watcher is not None:
                return server
            time.sleep(0.01)
        raise AssertionError("no watcher after 10 s")

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ask():
    """A function that asks a server, and gives status, headers and content."""

    def get(server, path="/", method="GET", **headers):
        connection = http.client.HTTPConnection(*server.server_address, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    return get


@pytest.fixture
def raw():
    """A function that sends bytes to a server, and gives what comes back."""

    def send(server, content):
        with socket.create_connection(server.server_address, timeout=10) as connection:
            connection.sendall(content)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    return send


@pytest.fixture
def running(run, serve):
    """A server of a run that trains."""
    run.begin()
    run.log(50, 500)
    run.picture(0)
    run.picture(500)
    return serve(run.path)


def test_the_page_and_its_headers(running, ask):
    status, headers, page = ask(running)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert int(headers["Content-Length"]) == len(page)
    assert page == running.page
    for path in ("/", "/status.json", "/samples/500.png", "/elsewhere"):
        headers = ask(running, path)[1]
        assert headers["Content-Security-Policy"] == running.policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers


def test_the_status_and_the_report(running, ask, run):
    status, headers, content = ask(running, "/status.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    told = json.loads(content)
    assert (told["state"], told["source"]) == ("running", str(run.path))
    report = json.loads(told["report"])
    assert report["pictures"] == [0, 500]
    known = json.loads(ask(running, f"/status.json?known={told['version']}")[2])
    assert known == told | {"report": None}


def test_samples(running, ask, run):
    status, headers, content = ask(running, "/samples/500.png")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert content == run.folder.picture(500).read_bytes()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST", "[::1]:{}", "127.0.0.1:9"]
)
def test_this_machine_by_its_own_names(running, ask, host):
    address = host.format(running.server_address[1])
    assert ask(running, Host=address)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{}",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "localhost.",
        "0.0.0.0:{}",
        "127.0.0.1:x",
        "127.0.0.1\t127.0.0.1",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/status.json", "/samples/500.png"])
def test_a_name_that_was_made_to_lead_here_is_refused(running, ask, host, path):
    status, _, content = ask(running, path, Host=host.format(running.server_address[1]))
    assert status == 403
    assert content.decode() == f"403 Open {running.url}\n"


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: evil.example\r\n"])
def test_there_is_one_host(running, raw, hosts):
    reply = raw(running, b"GET / HTTP/1.0\r\n" + hosts + b"\r\n")
    assert reply.startswith(b"HTTP/1.0 403")
    assert raw(running, b"GET /\r\n\r\n").startswith(b"HTTP/1.0 403")


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FLY"]
)
def test_other_methods_are_refused(running, ask, method):
    status, headers, content = ask(running, method=method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"
    assert content == b"405 Method Not Allowed\n"


@pytest.mark.parametrize("path", ["/", "/status.json", "/samples/0.png", "/none"])
def test_head_is_get_without_content(running, ask, path):
    status, headers, content = ask(running, path)
    assert ask(running, path, "HEAD")[0] == status
    headers, empty = ask(running, path, "HEAD")[1:]
    assert empty == b""
    if path != "/status.json":
        assert headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize(
    "path",
    [
        "/samples/7.png",
        "/samples/-1.png",
        "/samples/0000500.png",
        "/samples/500.png/",
        "/samples/500.png%00",
        "/samples/%2e%2e/%2e%2e/secret",
        "/samples/../secret",
        "/../secret",
        "/%2e%2e/secret",
        "//secret",
        "/secret",
        "/config.json",
        "/samples/\u0661.png",
        "/samples/" + "9" * 400 + ".png",
        "http://127.0.0.1/",
        "*",
    ],
)
def test_no_path_leads_to_a_file(running, raw, run, path):
    (run.path / "secret").write_text("secret")
    line = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    reply = raw(running, line)
    expected = b"200" if path == "/samples/0000500.png" else b"404"
    assert reply.startswith(b"HTTP/1.0 " + expected)
    assert b"secret" not in reply


def test_a_request_that_is_none_is_refused_as_text(running, raw):
    reply = raw(running, b"<script>alert(1)</script> nonsense of words\r\n\r\n")
    head, _, content = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 400")
    assert b"text/plain" in head
    assert b"nosniff" in head
    assert content.startswith(b"400 ")


def test_it_listens_on_this_machine_alone(running):
    assert running.server_address[0] == "127.0.0.1"
    assert running.url == f"http://127.0.0.1:{running.server_address[1]}/"


def test_a_browser_that_goes_away_is_no_error(running, ask, capsys):
    with socket.create_connection(running.server_address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + b"\0" * 7)
        connection.sendall(b"GET / HTTP/1.0\r\nHo")
    assert ask(running)[0] == 200
    assert capsys.readouterr().err == ""


def test_a_run_that_is_not_there_is_waited_for(run, serve, ask):
    server = serve(run.path)
    told = json.loads(ask(server, "/status.json")[2])
    assert (told["state"], told["report"]) == ("waiting", None)
    assert ask(server, "/samples/0.png")[0] == 404


def test_a_page_is_served_while_the_log_is_read(run, monkeypatch, serve, ask):
    server = serve(run.path)
    server.watcher = None
    told = json.loads(ask(server, "/status.json")[2])
    assert told == {
        "source": str(run.path),
        "state": "waiting",
        "text": f"Reading {run.path}",
    }
    assert ask(server, "/samples/0.png")[0] == 404


def test_a_port_in_use_is_one_line(run, running):
    port = running.server_address[1]
    with pytest.raises(UserError, match=f"{port}, which is in use; name another"):
        Server(run.path, port)


def test_a_port_is_taken_up_again(run, serve):
    first = Server(run.path)
    port = first.server_address[1]
    first.server_close()
    assert serve(run.path, port=port).url == f"http://127.0.0.1:{port}/"


def test_it_starts_without_numpy():
    script = (
        "import sys, ganlab.watch.server\n"
        "heavy = {'numpy', 'tensorflow', 'keras', 'matplotlib', 'PIL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_watcher_needs_neither_tensorflow_nor_matplotlib():
    script = (
        "import sys, ganlab.watch.watcher\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
