"""The script that fetches emoji: hashes, resumed downloads, and families."""

import functools
import hashlib
import http.server
import importlib.machinery
import importlib.util
import io
import json
import tarfile
import threading
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "get_emoji"
TABLE = [
    # unified, category, skin tones, what replaced it
    ("1F468-200D-1F33E", "People & Body", ["1F3FB", "1F3FC"], None),
    ("1F469-200D-1F33E", "People & Body", ["1F3FB"], None),
    ("1F468", "People & Body", [], None),
    ("1F46A", "People & Body", [], "1F468"),
    ("1F34E", "Food & Drink", [], None),
    ("1F34F", "Food & Drink", [], None),
    ("1F350", "Food & Drink", [], None),
]


@pytest.fixture
def script():
    loader = importlib.machinery.SourceFileLoader("get_emoji", str(SCRIPT))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("get_emoji", loader)
    )
    loader.exec_module(module)
    return module


def with_tone(code, tone):
    first, *rest = code.split("-")
    return "-".join([first, tone, *rest])


def row(order, code, category, tones, obsoleted_by):
    variants = {
        tone: {
            "unified": with_tone(code, tone),
            "image": f"{with_tone(code, tone).lower()}.png",
        }
        for tone in tones
    }
    emoji = {"unified": code, "image": f"{code.lower()}.png", "category": category}
    emoji |= {"sort_order": order, "skin_variations": variants}
    return emoji if obsoleted_by is None else emoji | {"obsoleted_by": obsoleted_by}


@pytest.fixture
def tarball(tmp_path):
    table = [row(order, *columns) for order, columns in enumerate(TABLE)]
    images = [
        variant["image"]
        for emoji in table
        for variant in (emoji, *emoji["skin_variations"].values())
    ]
    files = {f"package/img/google/64/{name}": name.encode() for name in images}
    files["package/img/google/64/1f350.png"] = b"1f34f.png"  # the bytes of another
    files |= {"package/emoji.json": json.dumps(table).encode(), "package/a.png": b"a"}
    path = tmp_path / "emoji.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_what_is_drawn_alike_lies_in_one_family(script, tarball, tmp_path, capsys):
    out = tmp_path / "google"
    script.lay_out(tarball, "google", out, "Drawn by A, CC-BY 4.0")
    files = sorted(str(path.relative_to(out)) for path in out.glob("*/*/*"))
    assert files == [
        "food-drink/1f34e/1f34e.png",
        "food-drink/1f34f/1f34f.png",
        "food-drink/1f34f/1f350.png",
        "people-body/1f468-200d-1f33e/1f468-1f3fb-200d-1f33e.png",
        "people-body/1f468-200d-1f33e/1f468-1f3fc-200d-1f33e.png",
        "people-body/1f468-200d-1f33e/1f468-200d-1f33e.png",
        "people-body/1f468-200d-1f33e/1f469-1f3fb-200d-1f33e.png",
        "people-body/1f468-200d-1f33e/1f469-200d-1f33e.png",
        "people-body/1f468/1f468.png",
        "people-body/1f468/1f46a.png",
    ]
    assert (out / "ATTRIBUTION").read_text() == "Drawn by A, CC-BY 4.0\n"
    assert "10 pictures in 4 families (food-drink 3, people-body 7)" in (
        capsys.readouterr().out
    )
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_tarball_of_another_hash_is_refused(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    monkeypatch.setattr(script, "download", lambda url, path: path.write_bytes(b"b"))
    a = "sha512-H0D8ktokFpR1CXnubPWC8tXX0o4YM13gWrxU1FYOD1MC/EQO3tLcvCGhoa0iuKl1FAE="
    with pytest.raises(SystemExit, match="Expected sha512-H0D8.*another hash"):
        script.fetch("emoji-datasource-google", a, tmp_path)
    assert list((tmp_path / ".packages").iterdir()) == []


def test_the_hash_is_that_of_npm(script, tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert script.hash_of(tmp_path / "abc") == (
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2"
        "Q86A4qmslPpUyknw=="
    )
    assert hashlib.sha512(b"abc").hexdigest().startswith("ddaf35a193617aba")


@pytest.mark.parametrize("honoured", [True, False], ids=["ranges", "no_ranges"])
def test_an_interrupted_download_goes_on(script, tmp_path, honoured):
    content = bytes(range(256)) * 64
    ranges = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            ranges.append(self.headers["Range"])
            start = int(self.headers["Range"][6:-1]) if honoured else 0
            self.send_response(206 if honoured else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:])

        log_message = functools.partialmethod(lambda *arguments: None)

    (tmp_path / "file.part").write_bytes(content[:1000])
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script.download(
            f"http://127.0.0.1:{server.server_port}/", tmp_path / "file.tgz"
        )
        server.shutdown()
    assert ranges == ["bytes=1000-"]
    assert (tmp_path / "file.tgz").read_bytes() == content
    assert not (tmp_path / "file.part").exists()


def test_the_registry_is_the_one_that_npm_is_set_to(script, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    assert script.registry() == script.REGISTRY
    (tmp_path / ".npmrc").write_text("a=b\nregistry = http://127.0.0.1:1/npm\n")
    assert script.registry() == "http://127.0.0.1:1/npm/"
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:2/")
    assert script.registry() == "http://127.0.0.1:2/"
