"""onnxruntime-web: fetched once, from the registry that npm is set to, or refused."""

import io
import shutil
import tarfile

import pytest

from ganlab.errors import RunError
from ganlab.serving import onnxruntime_web
from ganlab.serving.onnxruntime_web import PACKAGE, VERSION, cached_folder, hash_of

CONTENTS = {
    "ort.wasm.bundle.min.mjs": b"module",
    "ort-wasm-simd-threaded.wasm": b"wasm",
}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A function that puts a package into a registry of its own, which is set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", (tmp_path / "npm").as_uri() + "/")
    hashes = {name: hash_of(content) for name, content in CONTENTS.items()}
    monkeypatch.setattr(onnxruntime_web, "FILES", hashes)
    folder = tmp_path / "npm" / PACKAGE / "-"
    folder.mkdir(parents=True)

    def put(contents, cut=None):
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w:gz") as archive:
            for name, content in {"README.md": b"text", **contents}.items():
                member = tarfile.TarInfo(f"package/dist/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        path = folder / f"{PACKAGE}-{VERSION}.tgz"
        path.write_bytes(written.getvalue()[:cut])
        return tmp_path / "npm"

    return put


def test_what_was_fetched_once_is_kept(registry):
    folder = registry(CONTENTS)
    assert onnxruntime_web.fetch() == CONTENTS
    shutil.rmtree(folder)
    assert onnxruntime_web.fetch() == CONTENTS


def test_a_changed_file_of_the_cache_is_fetched_anew(registry):
    registry(CONTENTS)
    onnxruntime_web.fetch()
    (cached_folder() / "ort.wasm.bundle.min.mjs").write_bytes(b"changed")
    assert onnxruntime_web.fetch() == CONTENTS


@pytest.mark.parametrize(
    ("contents", "cut"),
    [
        (CONTENTS | {"ort.wasm.bundle.min.mjs": b"other"}, None),
        ({"ort.wasm.bundle.min.mjs": b"module"}, None),
        (CONTENTS, 60),
        (CONTENTS, 0),
    ],
    ids=["another", "missing", "cut", "empty"],
)
def test_another_package_is_refused(registry, contents, cut):
    registry(contents, cut)
    with pytest.raises(RunError, match=r"Expected onnxruntime-web 1\.30\.0 from"):
        onnxruntime_web.fetch()
    assert not cached_folder().exists()


def test_without_a_network_it_is_said_what_to_do(registry, monkeypatch):
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:1")
    with pytest.raises(RunError) as caught:
        onnxruntime_web.fetch()
    message = str(caught.value)
    assert message.endswith(
        "without a network, copy ort.wasm.bundle.min.mjs and "
        f"ort-wasm-simd-threaded.wasm of that package to {cached_folder()}"
    )
    assert "\n" not in message
